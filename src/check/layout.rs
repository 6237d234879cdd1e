//! Where records lie in a yard.
//!
//! ```text
//! modelyard.yaml
//! models/<namespace>/<name>/model.yaml
//! models/<namespace>/<name>/versions/<version>.yaml
//! environments/<environment>.yaml
//! deployments/<environment>/<deployment>.yaml
//! policies/<name>.yaml
//! ```
//!
//! A file that looks like a record but lies where none does would count for nothing in silence,
//! so it is told. Beside records, a model's folder may hold its card and whatever the card shows.

use crate::record::kind::Kind;
use crate::record::{Failure, ModelName, Name, Version};

/// The place of one record: what it is of, told by its path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seat {
    /// `modelyard.yaml`.
    Yard,
    /// `models/<namespace>/<name>/model.yaml`.
    Model(ModelName),
    /// `models/<namespace>/<name>/versions/<version>.yaml`.
    Version(ModelName, Version),
    /// `environments/<environment>.yaml`.
    Environment(Name),
    /// `deployments/<environment>/<deployment>.yaml`.
    Deployment {
        /// The environment.
        environment: Name,
        /// The deployment.
        name: Name,
    },
    /// `policies/<name>.yaml`.
    Policy(Name),
}

/// What a path of a yard is for.
#[derive(Debug)]
pub enum Use {
    /// A record lies here.
    Record(Seat),
    /// Nothing of the yard's business: code, a card, keys, settings.
    Free,
    /// It looks like a record, but none lies here.
    NoRecord {
        /// Why not.
        reason: String,
        /// Where records of that sort lie.
        help: String,
    },
    /// It is not a record, and lies where only records do.
    Stray,
}

/// The paths of the kinds, for people.
const PATTERNS: [(&str, &str); 4] = [
    (
        "models",
        "models/<namespace>/<name>/model.yaml or models/<namespace>/<name>/versions/<version>.yaml",
    ),
    ("environments", "environments/<environment>.yaml"),
    ("deployments", "deployments/<environment>/<deployment>.yaml"),
    ("policies", "policies/<name>.yaml"),
];

impl Seat {
    /// The kind of record that lies here.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Yard => Kind::Yard,
            Self::Model(_) => Kind::Model,
            Self::Version(..) => Kind::ModelVersion,
            Self::Environment(_) => Kind::Environment,
            Self::Deployment { .. } => Kind::Deployment,
            Self::Policy(_) => Kind::Policy,
        }
    }

    /// The path, from the yard's root.
    pub fn path(&self) -> String {
        match self {
            Self::Yard => "modelyard.yaml".to_owned(),
            Self::Model(model) => format!("models/{model}/model.yaml"),
            Self::Version(model, version) => format!("models/{model}/versions/{version}.yaml"),
            Self::Environment(name) => format!("environments/{name}.yaml"),
            Self::Deployment { environment, name } => {
                format!("deployments/{environment}/{name}.yaml")
            }
            Self::Policy(name) => format!("policies/{name}.yaml"),
        }
    }
}

/// What `path` of a yard is for.
pub fn use_of(path: &str) -> Use {
    let parts: Vec<&str> = path.split('/').collect();
    let file = parts[parts.len() - 1];
    let Some((_, pattern)) = PATTERNS.iter().find(|(folder, _)| *folder == parts[0]) else {
        return match path {
            "modelyard.yaml" => Use::Record(Seat::Yard),
            "modelyard.yml" => no_record("records end with `.yaml`", "rename it to modelyard.yaml"),
            _ => Use::Free,
        };
    };
    if parts.len() == 1 || file.starts_with('.') || file == "README.md" {
        return Use::Free;
    }
    let help = format!("such records lie at {pattern}");
    if let Some(name) = file.strip_suffix(".yml") {
        let folder = &path[..path.len() - file.len()];
        let help = format!("rename it to {folder}{name}.yaml");
        return no_record("records end with `.yaml`", help);
    }
    if !file.ends_with(".yaml") {
        let in_card = parts[0] == "models" && parts.get(3) != Some(&"versions");
        return if in_card { Use::Free } else { Use::Stray };
    }
    match seat(&parts) {
        Ok(Some(seat)) => Use::Record(seat),
        Ok(None) => no_record("no record lies here", help),
        Err(fault) => no_record(fault.to_string(), fault.help().unwrap_or(help)),
    }
}

fn no_record(reason: impl Into<String>, help: impl Into<String>) -> Use {
    Use::NoRecord {
        reason: reason.into(),
        help: help.into(),
    }
}

fn seat(parts: &[&str]) -> Result<Option<Seat>, Failure> {
    let model = |namespace: &str, name: &str| -> Result<ModelName, Failure> {
        Ok(ModelName::new(namespace.parse()?, name.parse()?))
    };
    let stem = |file: &str| file.strip_suffix(".yaml").unwrap_or(file).to_owned();
    Ok(Some(match parts {
        ["models", namespace, name, "model.yaml"] => Seat::Model(model(namespace, name)?),
        ["models", namespace, name, "versions", file] => {
            Seat::Version(model(namespace, name)?, stem(file).parse()?)
        }
        ["environments", file] => Seat::Environment(stem(file).parse()?),
        ["deployments", environment, file] => Seat::Deployment {
            environment: environment.parse()?,
            name: stem(file).parse()?,
        },
        ["policies", file] => Seat::Policy(stem(file).parse()?),
        _ => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_and_its_path_belong_together() {
        for path in [
            "modelyard.yaml",
            "models/vision/defects/model.yaml",
            "models/vision/defects/versions/1.4.0-rc.1.yaml",
            "environments/factory.yaml",
            "deployments/factory/defects.yaml",
            "policies/release.yaml",
        ] {
            match use_of(path) {
                Use::Record(seat) => assert_eq!(seat.path(), path),
                other => panic!("{path} is {other:?}"),
            }
        }
    }

    #[test]
    fn what_looks_like_a_record_and_is_none_is_told() {
        for path in [
            "modelyard.yml",
            "models/vision/defects/model.yml",
            "models/vision/defects/Model.yaml",
            "models/vision/defects/versions/1.4.yaml",
            "models/vision/defects/versions/old/1.4.0.yaml",
            "models/vision/defects/version/1.4.0.yaml",
            "models/Vision/defects/model.yaml",
            "models/defects/model.yaml",
            "environments/prod/factory.yaml",
            "environments/Factory.yaml",
            "deployments/defects.yaml",
            "policies/a\u{7}b.yaml",
        ] {
            assert!(matches!(use_of(path), Use::NoRecord { .. }), "{path:?}");
        }
        for path in [
            "environments/factory.json",
            "models/a/b/versions/1.0.0.onnx",
        ] {
            assert!(matches!(use_of(path), Use::Stray), "{path:?}");
        }
        for path in [
            ".github/workflows/check.yaml",
            "keys/release.pub",
            "models/README.md",
            "models/vision/defects/README.md",
            "models/vision/defects/images/plate.png",
            "models/vision/defects/versions/.gitkeep",
            "environments",
        ] {
            assert!(matches!(use_of(path), Use::Free), "{path:?}");
        }
    }
}
