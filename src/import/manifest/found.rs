//! What manifests say of models and deployments, and the names that these get.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::fields::conceal_fields;
use super::{Labelled, Manifest, label, pinned};
use crate::artifact::digest_of;
use crate::import::{DeploymentListed, LeftOut, Listed, Listing, ModelListed};

/// Where a model's bytes are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::import) enum Bytes {
    /// At an address, which may be relative to a folder.
    At {
        /// The address.
        uri: String,
        /// The folder of the manifest.
        folder: Option<PathBuf>,
    },
    /// In a folder of this machine, whole.
    Folder(PathBuf),
    /// Nowhere but in a container image.
    Image(String),
    /// Where it can't be had from here: why.
    Elsewhere(String),
    /// Nowhere that it says.
    #[default]
    Unsaid,
}

/// Where bytes are in the commit of their manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) struct Committed {
    /// The folder or file.
    pub path: String,
    /// What is another if anything in it is.
    pub object: String,
}

/// One model with its bytes, as a manifest has it.
#[derive(Debug, Clone, Default)]
pub(in crate::import) struct Unit {
    /// What it is called for good: kind, namespace, name, and within it predictor and unit.
    pub reference: String,
    /// What it can be called, the shortest first: the first one is its name that nobody else has.
    pub names: Vec<String>,
    /// What the manifest calls its version, where it does.
    pub said_version: Option<String>,
    /// Its bytes.
    pub bytes: Bytes,
    /// Where these are in the commit of the manifest, if they are in it.
    pub committed: Option<Committed>,
    /// Labels and annotations of its manifest.
    pub tags: BTreeMap<String, String>,
    /// When the cluster took its manifest.
    pub created_at: Option<Timestamp>,
    /// Fields of a version.
    pub version: Map<String, Value>,
    /// What of the model found no place.
    pub unmapped: Map<String, Value>,
    /// What a person should know of it.
    pub remarks: Vec<String>,
}

/// All that manifests say.
#[derive(Debug, Default)]
pub(in crate::import) struct Found {
    /// Models with their bytes.
    pub units: Vec<Unit>,
    /// Deployments; their models are named by units' references.
    pub deployments: Vec<DeploymentListed>,
    /// What can't be imported.
    pub left_out: Vec<LeftOut>,
}

/// What a source of manifests has, by name.
#[derive(Debug)]
pub(super) struct Settled {
    /// What it lists.
    pub listing: Listing,
    /// Its models, by reference.
    pub units: HashMap<String, Unit>,
}

impl Unit {
    /// A model of `manifest` that is called `reference`.
    pub(in crate::import) fn of(
        manifest: &Manifest,
        reference: String,
        names: Vec<String>,
    ) -> Self {
        Self {
            reference,
            names,
            said_version: manifest.ours("version"),
            tags: manifest.tags(),
            created_at: manifest.created_at(),
            ..Self::default()
        }
    }

    /// Says that the container image `image` is the server itself.
    pub(in crate::import) fn served_by(&mut self, image: &str) {
        self.version
            .insert("runtime".to_owned(), json!({"name": "container"}));
        let Some(pinned) = pinned(image) else {
            self.unmapped.insert("image".to_owned(), image.into());
            return;
        };
        let image = json!({
            "purpose": "server",
            "repository": pinned.reference().repository,
            "digest": pinned.digest(),
        });
        self.version.insert("images".to_owned(), json!([image]));
    }

    fn labelled(&self) -> Labelled {
        let uri = match &self.bytes {
            Bytes::At { uri, .. } | Bytes::Image(uri) => Some(uri.as_str()),
            _ => None,
        };
        label(self.said_version.clone(), uri)
    }

    /// What is another if bytes or fields are others; no generation and no status is in it.
    fn revision(&self) -> String {
        let place = match &self.bytes {
            Bytes::At { uri, .. } | Bytes::Image(uri) => uri.clone(),
            _ => String::new(),
        };
        let mut said = vec![json!(place), json!(self.version), json!(self.unmapped)];
        said.extend(self.committed.iter().map(|at| json!(at.object)));
        let said = Value::from(said);
        format!("sha256:{}", digest_of(said.to_string().as_bytes()).hex())
    }
}

impl Found {
    /// Says that `manifest` can't be imported, and why.
    pub(in crate::import) fn leave_out(&mut self, manifest: &Manifest, why: impl Into<String>) {
        self.left_out.push(LeftOut {
            what: manifest.described(),
            why: why.into(),
        });
    }

    /// Gives each model a name and a version of its own, and puts them into the deployments.
    pub(super) fn settle(mut self) -> Settled {
        let mut listing = Listing::default();
        let mut units = HashMap::new();
        let mut called: HashMap<String, (String, String)> = HashMap::new();
        let mut taken: HashMap<(String, String), (String, String)> = HashMap::new();
        self.units
            .sort_by(|one, other| one.reference.cmp(&other.reference));
        for mut unit in self.units {
            if conceal_fields(&mut unit.unmapped) | conceal_fields(&mut unit.version) {
                let remark = "what looks like a secret in it was left out";
                unit.remarks.push(remark.to_owned());
            }
            let Labelled {
                label,
                version,
                moves,
                remark,
            } = unit.labelled();
            let revision = unit.revision();
            let free = |name: &&String| {
                let before = taken.get(&((*name).clone(), label.clone()));
                before.is_none_or(|(_, same)| *same == revision)
            };
            let Some(name) = unit.names.iter().find(free).cloned() else {
                let why = format!("another one is {} {label}, too", unit.names.join(" and "));
                let what = unit.reference;
                self.left_out.push(LeftOut { what, why });
                continue;
            };
            called.insert(unit.reference.clone(), (name.clone(), label.clone()));
            let key = (name.clone(), label.clone());
            if taken.contains_key(&key) {
                // The same model in another place is imported once.
                continue;
            }
            taken.insert(key, (unit.reference.clone(), revision.clone()));
            unit.remarks.extend(remark);
            listing
                .models
                .entry(name.clone())
                .or_insert_with(|| ModelListed {
                    tags: unit.tags.clone(),
                    ..ModelListed::default()
                });
            // What we wrote says first of all what it was here.
            let ours = unit.names.first().filter(|first| **first == name);
            listing.versions.push(Listed {
                here: ours.and_then(|name| name.parse().ok()),
                version,
                moves,
                revision: Some(revision),
                created_at: unit.created_at,
                tags: unit.tags.clone(),
                ..Listed::new(&name, &label, unit.reference.clone())
            });
            units.insert(unit.reference.clone(), unit);
        }
        let order = |one: &Listed| (one.model.clone(), one.version.clone(), one.label.clone());
        listing.versions.sort_by_key(order);
        for mut deployment in self.deployments {
            match deployment.name_models(|reference, _| called.get(reference).cloned()) {
                Ok(()) => {
                    conceal_fields(&mut deployment.unmapped);
                    listing.deployments.push(deployment);
                }
                Err(missing) => self.left_out.push(LeftOut {
                    what: deployment.reference,
                    why: format!("its model {missing} can't be imported"),
                }),
            }
        }
        depend(&mut listing.deployments);
        let order = |one: &DeploymentListed| (one.environment.clone(), one.name.clone());
        listing.deployments.sort_by_key(order);
        self.left_out
            .sort_by(|one, other| one.what.cmp(&other.what));
        listing.left_out = self.left_out;
        Settled { listing, units }
    }
}

/// Takes what `deployments` depend on and isn't among them from each.
fn depend(deployments: &mut [DeploymentListed]) {
    let known: HashSet<_> = deployments
        .iter()
        .map(|one| (one.environment.clone(), one.name.clone()))
        .collect();
    for one in deployments {
        let Some(Value::Array(names)) = one.spec.shift_remove("dependsOn") else {
            continue;
        };
        let is_known = |name: &Value| {
            let name = name.as_str().unwrap_or_default().to_owned();
            known.contains(&(one.environment.clone(), name))
        };
        let (kept, gone): (Vec<_>, Vec<_>) = names.into_iter().partition(is_known);
        for (map, names) in [(&mut one.spec, kept), (&mut one.unmapped, gone)] {
            if !names.is_empty() {
                map.insert("dependsOn".to_owned(), names.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! Who gets which name.

    use super::*;

    fn unit(reference: &str, names: &[&str], uri: &str) -> Unit {
        Unit {
            reference: reference.to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            bytes: Bytes::At {
                uri: uri.to_owned(),
                folder: None,
            },
            ..Unit::default()
        }
    }

    #[test]
    fn a_name_is_as_short_as_tells_it_apart() {
        let deployment = |model: &str| DeploymentListed {
            name: model.to_owned(),
            spec: json!({"model": model}).as_object().cloned().unwrap(),
            ..DeploymentListed::default()
        };
        let found = Found {
            units: vec![
                unit("M/dev/iris", &["iris", "dev/iris"], "s3://a/1.0.0"),
                unit("M/prod/iris", &["iris", "prod/iris"], "s3://b/1.0.0"),
                unit("M/same/iris", &["iris", "same/iris"], "s3://a/1.0.0"),
                unit("M/test/iris", &["iris", "test/iris"], "s3://a/2.0.0"),
            ],
            deployments: vec![deployment("M/same/iris"), deployment("M/none/iris")],
            left_out: Vec::new(),
        };
        let Settled { listing, units } = found.settle();
        let told: Vec<_> = listing
            .versions
            .iter()
            .map(|listed| format!("{} {} {}", listed.model, listed.label, listed.reference))
            .collect();
        assert_eq!(
            told,
            [
                "iris 1.0.0 M/dev/iris",
                "iris 2.0.0 M/test/iris",
                "prod/iris 1.0.0 M/prod/iris"
            ]
        );
        assert_eq!(units.len(), 3);
        let spec = Value::Object(listing.deployments[0].spec.clone());
        assert_eq!(spec, json!({"model": "iris", "version": "1.0.0"}));
        assert_eq!(listing.deployments.len(), 1);
        assert!(listing.left_out[0].why.contains("M/none/iris"));
    }
}
