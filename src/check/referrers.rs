//! Which record names which: the index by which it is told what a change affects.
//!
//! A text of sorted lines, each the path of what is named, a tab, and the path of the record that
//! names it, so that a large one is searched as it lies, without being parsed:
//!
//! ```text
//! deployments/factory/embedder.yaml           deployments/factory/defects.yaml
//! models/text/vocabulary/versions/1.2.0.yaml  models/vision/defects/versions/1.4.0.yaml
//! models/vision/defects/                      deployments/factory/defects.yaml
//! ```
//!
//! A version that is named by its number stands as its record's path, and one that is named by an
//! alias, a range, a digest or by nothing as the model's folder, because which one that is may
//! change with every record of the model. Each line comes of one record alone, so an index is
//! brought forward by reading what changed.

use std::collections::BTreeSet;

use super::document::Document;
use super::files::File;
use super::layout::{Seat, Use, use_of};
use crate::record::kind::{Coprocessor, Record};
use crate::record::{ModelName, Selector};

/// Which record names which, in one state of a yard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Referrers {
    lines: String,
}

impl Referrers {
    /// Of a yard whose records give these `lines`: see [`Referrers::lines()`].
    pub fn of(lines: impl IntoIterator<Item = String>) -> Self {
        Self::default().after(&BTreeSet::new(), lines)
    }

    /// The same once the files at `changed` give these `lines`.
    #[must_use]
    pub fn after(
        &self,
        changed: &BTreeSet<String>,
        lines: impl IntoIterator<Item = String>,
    ) -> Self {
        let new: Vec<String> = lines.into_iter().collect();
        let stays = |line: &&str| {
            let by = line.split_once('\t').map(|(_, by)| by);
            by.is_some_and(|by| !changed.contains(by))
        };
        let mut all: Vec<&str> = self.lines.lines().filter(stays).collect();
        all.extend(new.iter().map(String::as_str));
        all.sort_unstable();
        all.dedup();
        let mut lines = String::with_capacity(all.iter().map(|line| line.len() + 1).sum());
        for line in all {
            lines.push_str(line);
            lines.push('\n');
        }
        Self { lines }
    }

    /// What the file at `path` names, each with itself behind it; nothing if it is no record, or
    /// one that can't be read.
    pub fn lines(path: &str, file: &File) -> Vec<String> {
        match use_of(path) {
            Use::Record(seat @ (Seat::Version(..) | Seat::Deployment { .. })) => {
                lines(&Document::read(seat, file).0)
            }
            _ => Vec::new(),
        }
    }

    /// As it is kept.
    pub fn as_text(&self) -> &str {
        &self.lines
    }

    /// What [`Referrers::as_text`] gave.
    pub fn from_text(lines: String) -> Self {
        Self { lines }
    }

    /// Every record that names what begins with `prefix`, behind what it names.
    pub fn below<'i>(&'i self, prefix: &str) -> impl Iterator<Item = (&'i str, &'i str)> + use<'i> {
        let named = self.lines[self.first_from(prefix)..].lines();
        let prefix = prefix.to_owned();
        let named = named.take_while(move |line| line.starts_with(&prefix));
        named.filter_map(|line| line.split_once('\t'))
    }

    /// Every record that names exactly `path`.
    pub(super) fn of_path<'i>(&'i self, path: &str) -> impl Iterator<Item = &'i str> + use<'i> {
        let path = path.to_owned();
        let named = self.below(&path);
        let named = named.take_while(move |(named, _)| *named == path);
        named.map(|(_, by)| by)
    }

    /// Where the first line begins that is not before `key`.
    fn first_from(&self, key: &str) -> usize {
        let bytes = self.lines.as_bytes();
        let (mut from, mut to) = (0, bytes.len());
        while from < to {
            let middle = usize::midpoint(from, to);
            let line = bytes[from..middle].iter().rposition(|byte| *byte == b'\n');
            let line = line.map_or(from, |end| from + end + 1);
            let length = bytes[line..].iter().position(|byte| *byte == b'\n');
            let end = length.map_or(bytes.len(), |length| line + length);
            if bytes[line..end] < *key.as_bytes() {
                from = (end + 1).min(bytes.len());
            } else {
                to = line;
            }
        }
        from
    }
}

/// The model's folder, with a slash at its end.
pub(super) fn folder(model: &ModelName) -> String {
    format!("models/{model}/")
}

/// The lines of one record.
fn lines(document: &Document) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    let mut model = |model: &ModelName, selector: Option<&Selector>| {
        named.push(match selector {
            Some(Selector::Version(version)) => {
                Seat::Version(model.clone(), version.clone()).path()
            }
            _ => folder(model),
        });
    };
    match &document.record {
        Some(Record::ModelVersion(record)) => {
            let dependencies = record.spec.dependencies.iter();
            for dependency in dependencies.flat_map(|dependencies| &dependencies.models) {
                let producer = &dependency.produced_by;
                model(&producer.model, producer.version.as_ref());
            }
        }
        Some(Record::Deployment(record)) => {
            let spec = &record.spec;
            if let Some(name) = &spec.model {
                model(name, spec.version.as_ref());
            }
            for share in &spec.split {
                model(&share.model, share.version.as_ref());
            }
            for coprocessor in spec.before.iter().chain(&spec.after) {
                if let Coprocessor::Model(one) = coprocessor {
                    model(&one.model, one.version.as_ref());
                }
            }
            named.extend(spec.depends_on.iter().map(|name| {
                let (environment, name) = (record.metadata.environment.clone(), name.clone());
                Seat::Deployment { environment, name }.path()
            }));
        }
        _ => {}
    }
    let line = |named: String| format!("{named}\t{}", document.path);
    named.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    //! Searching the lines.

    use super::*;

    fn index(pairs: &[(&str, &str)]) -> Referrers {
        let mut lines: Vec<_> = pairs
            .iter()
            .map(|(to, by)| format!("{to}\t{by}\n"))
            .collect();
        lines.sort_unstable();
        Referrers::from_text(lines.concat())
    }

    #[test]
    fn all_that_name_something_are_found_wherever_they_stand() {
        let pairs: Vec<(String, String)> = (0..200)
            .map(|number| (format!("models/a/m{}/", number / 3), format!("by-{number}")))
            .collect();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(to, by)| (to.as_str(), by.as_str()))
            .collect();
        let index = index(&pairs);
        for model in 0..=67 {
            let named = format!("models/a/m{model}/");
            let wanted = pairs
                .iter()
                .filter(|(to, _)| *to == named)
                .map(|(_, by)| *by);
            let mut wanted: Vec<_> = wanted.collect();
            wanted.sort_unstable();
            assert_eq!(index.of_path(&named).collect::<Vec<_>>(), wanted, "{named}");
        }
        assert_eq!(index.below("models/").count(), 200);
        assert_eq!(index.below("models/b/").count(), 0);
        assert_eq!(index.below("a").count(), 0);
        assert_eq!(Referrers::default().below("models/").count(), 0);
    }

    #[test]
    fn the_name_that_another_begins_with_is_not_it() {
        let index = index(&[
            ("models/a/b/", "one"),
            ("models/a/b/versions/1.0.0.yaml", "two"),
        ]);
        assert_eq!(index.of_path("models/a/b/").collect::<Vec<_>>(), ["one"]);
        assert_eq!(index.below("models/a/b/").count(), 2);
    }
}
