//! What the models of an image are called, and their versions.

use std::collections::BTreeSet;

use super::config::ImageConfig;
use super::models::Model;
use super::{Image, Looked};
use crate::import::Listed;
use crate::import::mapping::Mapping;
use crate::record::{Tag, Version};

/// What an image is the first version of whose tag and labels say none.
const FIRST: &str = "1.0.0";

impl Image {
    /// What its models are called, and their versions.
    pub(super) fn listed(&self, looked: &Looked) -> Vec<Listed> {
        let revision = looked.top.0.digest.to_string();
        let (label, version) = self.label(&looked.config);
        let called = self.called(looked);
        let listed = |name: &str, reference: String| {
            let mut listed = Listed::new(name, &label, reference);
            listed.revision = Some(revision.clone());
            listed.version.clone_from(&version);
            listed.moves = version.is_some() && self.reference != called;
            listed
        };
        let models = &looked.models;
        if let [] | [_] = models.as_slice() {
            return vec![listed(&self.name, called.clone())];
        }
        let own: Vec<_> = models.iter().map(Model::name).collect();
        let whole = |model: &Model| format!("{}-{}", self.name, model.path.replace('/', "-"));
        let mut names: Vec<String> = models
            .iter()
            .zip(&own)
            .map(|(model, name)| name.map_or_else(|| whole(model), str::to_owned))
            .collect();
        // Two of one name are versions of one model, or else each is named by its path.
        let mut versions: Vec<Option<u64>> = vec![None; models.len()];
        for index in 0..models.len() {
            let same: Vec<_> = (0..models.len())
                .filter(|other| own[*other].is_some() && own[*other] == own[index])
                .collect();
            if same.len() < 2 {
                continue;
            }
            let numbers: BTreeSet<_> = same.iter().map(|other| models[*other].number).collect();
            match numbers.len() == same.len() && !numbers.contains(&None) {
                true => versions[index] = models[index].number,
                false => names[index] = whole(&models[index]),
            }
        }
        let several = models.iter().zip(names).zip(versions);
        several
            .map(|((model, name), number)| {
                let mut one = listed(&name, format!("{called}#{}", model.path));
                if let Some(number) = number {
                    one.label = number.to_string();
                    one.version = format!("{number}.0.0").parse().ok();
                    one.moves = false;
                }
                one
            })
            .collect()
    }

    /// What it is called for good: by its digest, where its tag and its labels are no version, as
    /// they may mean another image later.
    fn called(&self, looked: &Looked) -> String {
        match self.label(&looked.config) {
            (_, None) => self.reference.clone(),
            (_, Some(_)) => format!("{}@{}", self.stem, looked.top.0.digest),
        }
    }

    /// The label of its version, and the version where the label is none.
    fn label(&self, config: &ImageConfig) -> (String, Option<Version>) {
        let is_version = |text: &str| Mapping::default().version(text, None).is_ok();
        let tag = self.tag.as_ref().map(Tag::as_str);
        let said = [tag, config.version()].into_iter().flatten();
        match said.into_iter().find(|text| is_version(text)) {
            Some(version) => (version.to_owned(), None),
            None => (tag.unwrap_or(FIRST).to_owned(), FIRST.parse().ok()),
        }
    }

    /// The model that `listed` is.
    pub(super) fn model<'a>(
        &self,
        looked: &'a Looked,
        listed: &Listed,
    ) -> Option<(usize, &'a Model)> {
        let called = self.called(looked);
        let path = listed.reference.strip_prefix(&called)?;
        match path.strip_prefix('#') {
            None => looked.models.first().map(|model| (0, model)),
            Some(path) => {
                let mut models = looked.models.iter().enumerate();
                models.find(|(_, model)| model.path == path)
            }
        }
    }
}
