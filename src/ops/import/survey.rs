//! What a source has, held against what the yard has.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::Request;
use super::error::ImportRefused;
use crate::import::mapping::Mapped;
use crate::import::{DeploymentListed, LeftOut, Listed, Listing, ModelListed, Source};
use crate::record::kind::ModelVersion;
use crate::record::{Bump, Failure, ModelName, Selector, Version};
use crate::yard::Catalog;

/// What a source has, held against what the yard has.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Survey {
    /// The source, as it is written on a command line.
    pub source: String,
    /// Its versions that are meant, in its order.
    pub versions: Vec<Surveyed>,
    /// How they run there, where it says so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deployments: Vec<DeploymentListed>,
    /// What it has and can't be imported.
    pub left_out: Vec<LeftOut>,
    /// How many more versions it has that are not meant.
    pub unselected: usize,
    /// What it says of its models.
    #[serde(skip)]
    pub(super) models: BTreeMap<String, ModelListed>,
    /// Versions of these models that are here, by model.
    #[serde(skip)]
    pub(super) here: BTreeMap<ModelName, Vec<ModelVersion>>,
}

/// One version of a source.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Surveyed {
    /// The version, as the source has it.
    #[serde(flatten)]
    pub listed: Listed,
    /// What it is here, or would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Called>,
    /// How it stands.
    pub state: State,
    /// Why it stands so, where that needs words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// What a source's version is called here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Called {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: Version,
    /// Whether a name had to be changed, and nobody said to what.
    pub renamed: bool,
    /// The newest version of the same source that is here, which this one follows: its label
    /// moved on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Version>,
}

/// How a source's version stands to the yard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// It is not here.
    New,
    /// It is here, or was proposed; only its bytes tell whether it is another now.
    Uncertain,
    /// It was imported.
    Imported,
    /// It was imported, and the source has something else under its name now.
    Changed,
    /// Something else has its name here.
    Taken,
    /// Nothing says what it is called here.
    Nameless,
    /// The mapping leaves it out.
    Skipped,
}

impl Survey {
    /// Holds `listing` against `catalog`.
    ///
    /// # Errors
    /// If a record can't be read, or `called` is for one version and there are several.
    pub(super) fn of(
        request: &Request,
        listing: Listing,
        catalog: &Catalog,
    ) -> Result<Self, Failure> {
        let Listing {
            models,
            versions,
            left_out,
            deployments,
        } = listing;
        let all = versions.len();
        let meant: Vec<Listed> = versions
            .into_iter()
            .filter(|listed| request.select.means(listed))
            .collect();
        if request.called.is_some() && meant.len() != 1 {
            return Err(ImportRefused::NotOne { count: meant.len() }.into());
        }
        let mut survey = Self {
            source: described(&*request.source),
            unselected: all - meant.len(),
            versions: Vec::with_capacity(meant.len()),
            left_out,
            deployments,
            models,
            here: BTreeMap::new(),
        };
        for listed in meant {
            let surveyed = survey.look(request, listed, catalog)?;
            survey.versions.push(surveyed);
        }
        survey.refuse_doubles();
        Ok(survey)
    }

    /// Those whose files are to be brought.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &Surveyed> {
        self.versions
            .iter()
            .filter(|surveyed| matches!(surveyed.state, State::New | State::Uncertain))
    }

    fn look(
        &mut self,
        request: &Request,
        listed: Listed,
        catalog: &Catalog,
    ) -> Result<Surveyed, Failure> {
        let mut surveyed = Surveyed {
            listed,
            to: None,
            state: State::Skipped,
            why: None,
            help: None,
        };
        let said = request.mapping.model(&surveyed.listed.model);
        if said.is_some_and(|said| said.skip) {
            surveyed.why = Some("the mapping leaves it out".to_owned());
            return Ok(surveyed);
        }
        let mut called = match called(request, &surveyed.listed) {
            Ok(called) => called,
            Err(failure) => {
                surveyed.state = State::Nameless;
                surveyed.why = Some(failure.to_string());
                surveyed.help = failure.help();
                return Ok(surveyed);
            }
        };
        self.read(&called.model, catalog)?;
        let here = &self.here[&called.model];
        let source = &*request.source;
        let of_source: Vec<_> = here.iter().filter(|one| comes_from(one, source)).collect();
        let same = |record: &&ModelVersion| is_known_by(record, &surveyed.listed, &called.version);
        // A folder's name tells little of what is in it: whoever says what that is means that one.
        let meant = version_said(request).filter(|_| source.address().is_none());
        let is_meant =
            |record: &&ModelVersion| meant.is_none_or(|meant| record.metadata.version == *meant);
        let mut before = of_source.iter().copied().filter(same);
        let before = before.find(is_meant);
        if before.is_none()
            && surveyed.listed.moves
            && let Some(bump) = next(request, &surveyed.listed)
            && let (Some(after), Some(newest)) = (newest(of_source.iter().copied()), newest(here))
        {
            called.version = newest.bumped(bump);
            called.after = Some(after.clone());
        }
        let named = |record: &&ModelVersion| record.metadata.version == called.version;
        let taken = here.iter().find(named);
        (surveyed.state, surveyed.why, surveyed.help) = match (before, taken) {
            (Some(before), _) => known(before, &surveyed.listed),
            (None, None) => (State::New, None, None),
            (None, Some(_)) => (
                State::Taken,
                Some(format!(
                    "{}:{} is here, and doesn't come from there",
                    called.model, called.version
                )),
                Some("say with --map, under `models` or `versions`, what it is here".to_owned()),
            ),
        };
        surveyed.to = Some(match before {
            Some(before) => Called {
                version: before.metadata.version.clone(),
                ..called
            },
            None => called,
        });
        Ok(surveyed)
    }

    /// Reads the versions of `model` that are here, once.
    fn read(&mut self, model: &ModelName, catalog: &Catalog) -> Result<(), Failure> {
        if self.here.contains_key(model) {
            return Ok(());
        }
        let mut records = Vec::new();
        for version in catalog.versions(model)? {
            records.extend(catalog.version(model, &version)?);
        }
        self.here.insert(model.clone(), records);
        Ok(())
    }

    /// Two of one source that would be one version here are neither.
    fn refuse_doubles(&mut self) {
        let mut claims: HashMap<(ModelName, Version), Vec<usize>> = HashMap::new();
        for (index, surveyed) in self.versions.iter().enumerate() {
            if let (Some(called), State::New | State::Uncertain) = (&surveyed.to, surveyed.state) {
                let name = (called.model.clone(), called.version.clone());
                claims.entry(name).or_default().push(index);
            }
        }
        for ((model, version), indices) in claims {
            if indices.len() < 2 {
                continue;
            }
            let references: Vec<_> = indices
                .iter()
                .map(|&index| self.versions[index].listed.reference.clone())
                .collect();
            for index in indices {
                let surveyed = &mut self.versions[index];
                surveyed.state = State::Nameless;
                surveyed.why = Some(format!(
                    "{} would all be {model}:{version}",
                    references.join(" and ")
                ));
                surveyed.help = Some(
                    "say with --map, under `models` or `versions`, what each is here".to_owned(),
                );
            }
        }
    }
}

/// Whether `record` is what is listed, or what that was before. What one reference means can be one
/// version after the other: under a label that moves on what is new is none of those before, and
/// what is called otherwise isn't either.
fn is_known_by(record: &ModelVersion, listed: &Listed, version: &Version) -> bool {
    let Some(imported) = &record.spec.imported else {
        return false;
    };
    let is_other = match (&imported.revision, &listed.revision) {
        (Some(then), Some(now)) => then != now,
        _ => false,
    };
    imported.reference.as_ref() == Some(&listed.reference)
        && (!is_other || (!listed.moves && record.metadata.version == *version))
}

/// What a version that was imported before is now.
fn known(before: &ModelVersion, listed: &Listed) -> (State, Option<String>, Option<String>) {
    let imported = before.spec.imported.as_ref();
    let then = imported.and_then(|imported| imported.revision.as_deref());
    match (then, listed.revision.as_deref()) {
        (Some(then), Some(now)) if then != now => (
            State::Changed,
            Some(format!(
                "the source has something else under {} since: it was {then}, and is {now}",
                listed.reference
            )),
            Some("import it as another version: say which with --map, under `versions`".to_owned()),
        ),
        (Some(_), Some(_)) => (State::Imported, None, None),
        _ => (State::Uncertain, None, None),
    }
}

/// Whether `record` was imported from `source`, whatever it is called there.
fn comes_from(record: &ModelVersion, source: &dyn Source) -> bool {
    let imported = record.spec.imported.as_ref();
    imported.is_some_and(|imported| {
        imported.from == source.source_type() && imported.place == source.address()
    })
}

fn newest<'a>(records: impl IntoIterator<Item = &'a ModelVersion>) -> Option<&'a Version> {
    records
        .into_iter()
        .map(|record| &record.metadata.version)
        .max()
}

/// Which part of a version goes up for what is new under a label that moves on; nothing where it
/// is said what it is.
fn next(request: &Request, listed: &Listed) -> Option<Bump> {
    match version_said(request) {
        Some(_) => None,
        None => request.mapping.next(&listed.label),
    }
}

/// What `--as` says that the only version is.
fn version_said(request: &Request) -> Option<&Version> {
    match &request.called.as_ref()?.selector {
        Selector::Version(version) => Some(version),
        _ => None,
    }
}

fn called(request: &Request, listed: &Listed) -> Result<Called, Failure> {
    let version = || {
        request
            .mapping
            .version(&listed.label, listed.version.as_ref())
    };
    if let Some(reference) = &request.called {
        let version = match &reference.selector {
            Selector::Version(version) => version.clone(),
            _ => version()?.to,
        };
        return Ok(Called {
            model: reference.model.clone(),
            version,
            renamed: false,
            after: None,
        });
    }
    let said = request.mapping.model(&listed.model);
    let is_said = said.is_some_and(|said| said.name.is_some());
    let model = match &listed.here {
        Some(here) if !is_said => Mapped {
            to: here.clone(),
            changed: false,
        },
        _ => request.mapping.name(&listed.model)?,
    };
    let version = version()?;
    Ok(Called {
        renamed: model.changed || version.changed,
        model: model.to,
        version: version.to,
        after: None,
    })
}

/// The source as it is written on a command line.
pub(super) fn described(source: &dyn Source) -> String {
    format!("{}:{}", source.source_type(), source.place())
}
