//! KitOps' Kitfile: what a ModelKit has, and what is said of each part.
//!
//! ```yaml
//! manifestVersion: "1.0.0"
//! package: {name, version, description, license, authors: []}
//! model: {name, path, license, framework, format, version, description, parts: [], parameters: {}}
//! datasets: [{name, path, description, license, parameters}]
//! code: [{path, description, license}]
//! docs: [{path, description}]
//! prompts: [{path, description}]
//! ```
//!
//! In a manifest's config it is JSON, and every part has its layer's digests beside. A `path` that
//! is a reference to another ModelKit names the model that this one was made from.
//!
//! Source: "Kitfile Format Reference" (kitops.org/docs/kitfile/format).

use serde_json::{Map, Value, json};

use crate::import::annotations::{Told, is_line};
use crate::record::repository::is_oci_reference;

/// What every part has that is said by the manifest.
const OF_LAYERS: [&str; 2] = ["digest", "diffId"];

/// Hears a Kitfile.
pub(super) fn tell(mut kitfile: Map<String, Value>, told: &mut Told) {
    kitfile.shift_remove("manifestVersion");
    for (name, value) in kitfile {
        match (name.as_str(), value) {
            ("package", Value::Object(package)) => self::package(package, told),
            ("model", Value::Object(model)) => self::model(model, told),
            ("datasets", Value::Array(datasets)) => self::datasets(datasets, told),
            (_, other) => rest(&name, other, told),
        }
    }
}

/// Parts of which no more is said than where they lie, and others.
fn rest(name: &str, mut value: Value, told: &mut Told) {
    for part in value.as_array_mut().into_iter().flatten() {
        bare(part);
    }
    // A path alone says no more than the files do.
    let says = |part: &Value| {
        let fields = part.as_object();
        fields.is_none_or(|fields| fields.keys().any(|key| key != "path"))
    };
    let kept = match value {
        Value::Array(parts) => parts.into_iter().filter(says).collect(),
        other => other,
    };
    told.keep(&format!("kitfile.{name}"), kept);
}

fn package(package: Map<String, Value>, told: &mut Told) {
    for (name, value) in package {
        let text = value.as_str().unwrap_or_default();
        let taken = match name.as_str() {
            "name" => told.title(text),
            "description" => told.description(text),
            "license" => told.license(text),
            "authors" => {
                let authors = value.as_array().into_iter().flatten();
                let authors: Vec<_> = authors.filter_map(Value::as_str).collect();
                told.author(&authors.join(", "))
            }
            _ => false,
        };
        if !taken {
            told.keep(&format!("kitfile.package.{name}"), value);
        }
    }
}

fn model(model: Map<String, Value>, told: &mut Told) {
    let version = model.get("version").cloned();
    for (name, mut value) in model {
        let text = value.as_str().unwrap_or_default();
        let taken = match name.as_str() {
            "framework" if is_line(text) => {
                told.version
                    .insert("framework".to_owned(), json!({"name": text}));
                true
            }
            "license" => told.license(text),
            "description" => told.description(text),
            "path" => !is_oci_reference(text) || base(text, told),
            "parameters" => match &value {
                Value::Object(parameters) => {
                    told.version
                        .insert("properties".to_owned(), json!(parameters));
                    true
                }
                _ => false,
            },
            "digest" | "diffId" => true,
            _ => false,
        };
        if taken {
            continue;
        }
        for part in value.as_array_mut().into_iter().flatten() {
            bare(part);
        }
        told.keep(&format!("kitfile.model.{name}"), value);
    }
    // The version of the model is often that of the package, said twice.
    let package = told.unmapped.get("kitfile.package.version");
    if version.is_some() && package == version.as_ref() {
        told.unmapped.shift_remove("kitfile.model.version");
    }
}

/// The model that this one was made from.
fn base(reference: &str, told: &mut Told) -> bool {
    let uri = format!("oci://{reference}");
    let is_address = uri.parse::<crate::record::kind::Address>().is_ok();
    if !is_line(reference) || !is_address {
        return false;
    }
    told.lineage()
        .insert("base".to_owned(), json!([{"name": reference, "uri": uri}]));
    true
}

/// The data that it has or names: names to lineage, and what else is said of it kept.
fn datasets(datasets: Vec<Value>, told: &mut Told) {
    let mut named = Vec::new();
    let mut kept = Vec::new();
    for mut dataset in datasets {
        bare(&mut dataset);
        let field = |name: &str| {
            dataset
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let name = match field("name") {
            "" => field("path"),
            name => name,
        };
        if is_line(name) {
            named.push(json!({"name": name}));
        }
        let says_more = dataset
            .as_object()
            .is_some_and(|fields| fields.keys().any(|key| key != "name" && key != "path"));
        if says_more || !is_line(name) {
            kept.push(dataset);
        }
    }
    if !named.is_empty() {
        told.lineage().insert("datasets".to_owned(), json!(named));
    }
    told.keep("kitfile.datasets", json!(kept));
}

/// Takes from a part what is said of its layer.
fn bare(part: &mut Value) {
    if let Some(fields) = part.as_object_mut() {
        for name in OF_LAYERS {
            fields.shift_remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    //! A Kitfile with everything in it.

    use super::*;

    #[test]
    fn what_has_a_field_goes_there_and_all_else_is_kept() {
        let kitfile = json!({
            "manifestVersion": "1.0.0",
            "package": {
                "name": "Fraud detection", "version": "1.2.0", "description": "Finds fraud.",
                "license": "Apache-2.0", "authors": ["Ada", "Grace"],
            },
            "model": {
                "name": "fraud", "path": "registry.test/bases/tabular:2", "framework": "xgboost",
                "version": "1.2.0", "license": "MIT", "parameters": {"depth": 6},
                "digest": "sha256:00", "diffId": "sha256:00",
                "parts": [{"path": "lora", "type": "lora", "digest": "sha256:00"}],
            },
            "datasets": [
                {"name": "payments", "path": "data/p.csv", "license": "CC0-1.0", "digest": "sha256:00"},
                {"path": "data/q.csv"},
            ],
            "code": [{"path": "train.py", "description": "trains"}, {"path": "serve.py"}],
            "docs": [{"path": "README.md"}],
        });
        let mut told = Told::default();
        let Value::Object(fields) = kitfile else {
            unreachable!("it is one")
        };
        tell(fields, &mut told);
        insta::assert_json_snapshot!(json!([told.model, told.version, told.unmapped]), @r#"
        [
          {
            "title": "Fraud detection",
            "description": "Finds fraud.",
            "license": "Apache-2.0"
          },
          {
            "author": "Ada, Grace",
            "lineage": {
              "base": [
                {
                  "name": "registry.test/bases/tabular:2",
                  "uri": "oci://registry.test/bases/tabular:2"
                }
              ],
              "datasets": [
                {
                  "name": "payments"
                },
                {
                  "name": "data/q.csv"
                }
              ]
            },
            "framework": {
              "name": "xgboost"
            },
            "properties": {
              "depth": 6
            }
          },
          {
            "kitfile.package.version": "1.2.0",
            "kitfile.model.name": "fraud",
            "kitfile.model.license": "MIT",
            "kitfile.model.parts": [
              {
                "path": "lora",
                "type": "lora"
              }
            ],
            "kitfile.datasets": [
              {
                "name": "payments",
                "path": "data/p.csv",
                "license": "CC0-1.0"
              }
            ],
            "kitfile.code": [
              {
                "path": "train.py",
                "description": "trains"
              }
            ]
          }
        ]
        "#);
    }

    #[test]
    fn what_is_no_kitfile_loses_nothing() {
        let mut told = Told::default();
        let fields = json!({"package": 1, "model": {"parameters": [1]}, "datasets": {"a": 1}});
        let Value::Object(fields) = fields else {
            unreachable!("it is one")
        };
        tell(fields, &mut told);
        assert_eq!(
            json!(told.unmapped),
            json!({"kitfile.package": 1, "kitfile.model.parameters": [1], "kitfile.datasets": {"a": 1}})
        );
    }
}
