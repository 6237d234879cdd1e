//! What moved in a source since the last import: stages and aliases.
//!
//! Each import keeps in the record what the source said then (`imported.stage`,
//! `imported.aliases`). So three things are known of each: what it was there, what it is there now,
//! and what it is here. Where only the source moved, the yard follows; where both did, that is
//! shown and nothing is written, until both are the same again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Request;
use super::survey::{State, Survey, Surveyed};
use crate::import::Listed;
use crate::record::kind::ModelVersion;
use crate::record::{Alias, Failure, Lifecycle, ModelName, Version};
use crate::yard::{Catalog, Change, edit, model_path, version_path};

/// Something that moved in a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// The model.
    pub model: ModelName,
    /// What moved.
    #[serde(flatten)]
    pub what: What,
    /// Why the yard doesn't follow, if it doesn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
}

/// What moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// A version, along its life.
    Lifecycle {
        /// The version.
        version: Version,
        /// Where it was.
        from: Lifecycle,
        /// Where it is.
        to: Lifecycle,
    },
    /// A name for versions, as the source has it.
    Alias {
        /// The name.
        alias: String,
        /// What it meant.
        from: Option<Version>,
        /// What it means.
        to: Option<Version>,
    },
}

/// Follows in `change` what moved, and gives all that did.
///
/// # Errors
/// If a record can't be read or edited.
pub(super) fn follow(
    request: &Request,
    survey: &Survey,
    change: &mut Change,
) -> Result<Vec<Moved>, Failure> {
    let mut by_model: BTreeMap<&ModelName, Vec<(&Surveyed, Version)>> = BTreeMap::new();
    for surveyed in &survey.versions {
        let is_ours = matches!(
            surveyed.state,
            State::New | State::Uncertain | State::Imported
        );
        if let (Some(called), true) = (&surveyed.to, is_ours) {
            let versions = by_model.entry(&called.model).or_default();
            versions.push((surveyed, called.version.clone()));
        }
    }
    let mut moved = Vec::new();
    for (model, versions) in by_model {
        let mut following = Following::begin(request, change, model, &versions)?;
        if following.pairs.is_empty() {
            continue;
        }
        following.lifecycles()?;
        following.aliases()?;
        following.remember()?;
        moved.append(&mut following.moved);
    }
    Ok(moved)
}

/// One version on both sides.
struct Pair<'a> {
    listed: &'a Listed,
    record: ModelVersion,
    /// What of the source's aliases is to be remembered.
    aliases: BTreeSet<String>,
    /// What of its stage.
    stage: Option<String>,
}

struct Following<'a> {
    request: &'a Request,
    change: &'a mut Change,
    model: &'a ModelName,
    pairs: Vec<Pair<'a>>,
    moved: Vec<Moved>,
}

impl<'a> Following<'a> {
    fn begin(
        request: &'a Request,
        change: &'a mut Change,
        model: &'a ModelName,
        versions: &[(&'a Surveyed, Version)],
    ) -> Result<Self, Failure> {
        let catalog = Catalog::new(change.snapshot());
        let mut pairs = Vec::new();
        for (surveyed, version) in versions {
            // One that could not be brought has no record.
            let Some(record) = catalog.version(model, version)? else {
                continue;
            };
            let imported = record.spec.imported.clone();
            pairs.push(Pair {
                listed: &surveyed.listed,
                aliases: imported
                    .iter()
                    .flat_map(|was| was.aliases.clone())
                    .collect(),
                stage: imported.and_then(|was| was.stage),
                record,
            });
        }
        Ok(Self {
            request,
            change,
            model,
            pairs,
            moved: Vec::new(),
        })
    }

    fn lifecycles(&mut self) -> Result<(), Failure> {
        let main = Catalog::new(self.change.base()?);
        for index in 0..self.pairs.len() {
            let pair = &self.pairs[index];
            if pair.stage == pair.listed.stage {
                continue;
            }
            let now = pair.listed.stage.clone();
            let was = self.request.mapping.lifecycle(pair.stage.as_deref());
            let to = self.request.mapping.lifecycle(now.as_deref());
            let ours = pair.record.spec.lifecycle;
            if ours == to {
                self.pairs[index].stage = now;
                continue;
            }
            let version = pair.record.metadata.version.clone();
            // What is not merged yet takes no steps.
            let step = match main.version(self.model, &version)? {
                Some(merged) => merged
                    .spec
                    .lifecycle
                    .move_to(to)
                    .map_err(|no| no.to_string()),
                None => Ok(to),
            };
            let left = match step {
                _ if ours != was => Some(format!("it is {ours} here")),
                Err(why) => Some(why),
                Ok(_) => None,
            };
            if left.is_none() {
                let path = version_path(self.model, &version);
                self.set(&path, "/spec/lifecycle", &json!(to))?;
                self.pairs[index].stage = now;
            }
            self.moved.push(Moved {
                model: self.model.clone(),
                what: What::Lifecycle {
                    version,
                    from: was,
                    to,
                },
                left,
            });
        }
        Ok(())
    }

    fn aliases(&mut self) -> Result<(), Failure> {
        let then = self.meanings(|pair| pair.aliases.iter());
        let now = self.meanings(|pair| pair.listed.aliases.iter());
        let words: BTreeSet<String> = then.keys().chain(now.keys()).cloned().collect();
        let ours = Catalog::new(self.change.snapshot())
            .model(self.model)?
            .spec
            .aliases;
        for word in words {
            let (from, to) = (then.get(&word).cloned(), now.get(&word).cloned());
            if from == to {
                continue;
            }
            let left = match self.request.mapping.alias(&word) {
                Ok(None) => None,
                Ok(Some(alias)) => self.rename(&alias.to, &ours, from.as_ref(), to.as_ref())?,
                Err(error) => Some(error.to_string()),
            };
            if left.is_none() {
                self.remember_alias(&word, to.as_ref());
            }
            self.moved.push(Moved {
                model: self.model.clone(),
                what: What::Alias {
                    alias: word,
                    from,
                    to,
                },
                left,
            });
        }
        Ok(())
    }

    /// Has `alias` mean `to`, unless it means something here that the source never said; then
    /// why not.
    fn rename(
        &mut self,
        alias: &Alias,
        ours: &BTreeMap<Alias, Version>,
        from: Option<&Version>,
        to: Option<&Version>,
    ) -> Result<Option<String>, Failure> {
        let here = ours.get(alias);
        if here == to {
            return Ok(None);
        }
        if here != from {
            return Ok(Some(match here {
                Some(here) => format!("it means {here} here"),
                None => "it was removed here".to_owned(),
            }));
        }
        let path = model_path(self.model);
        self.set(&path, &format!("/spec/aliases/{alias}"), &json!(to))?;
        Ok(None)
    }

    fn remember_alias(&mut self, word: &str, to: Option<&Version>) {
        for pair in &mut self.pairs {
            if Some(&pair.record.metadata.version) == to {
                pair.aliases.insert(word.to_owned());
            } else {
                pair.aliases.remove(word);
            }
        }
    }

    /// Keeps in the records what the source says now.
    fn remember(&mut self) -> Result<(), Failure> {
        let pairs = std::mem::take(&mut self.pairs);
        for pair in pairs {
            let path = version_path(self.model, &pair.record.metadata.version);
            let aliases = match pair.aliases.is_empty() {
                true => Value::Null,
                false => json!(pair.aliases),
            };
            self.set(&path, "/spec/imported/stage", &json!(pair.stage))?;
            self.set(&path, "/spec/imported/aliases", &aliases)?;
        }
        Ok(())
    }

    /// Which version each alias means.
    fn meanings<'b, I>(&'b self, of: impl Fn(&'b Pair<'a>) -> I) -> BTreeMap<String, Version>
    where
        I: Iterator<Item = &'b String>,
    {
        let pairs = self.pairs.iter();
        let meanings = pairs.flat_map(|pair| {
            let version = &pair.record.metadata.version;
            of(pair).map(|word| (word.clone(), version.clone()))
        });
        meanings.collect()
    }

    fn set(&mut self, path: &str, pointer: &str, value: &Value) -> Result<(), Failure> {
        let Some(bytes) = self.change.snapshot().read(path)? else {
            return Ok(());
        };
        let edited = edit::set(&bytes, pointer, value)?;
        if edited != bytes {
            self.change.write(path, edited)?;
        }
        Ok(())
    }
}
