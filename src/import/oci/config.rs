//! What an artifact says of itself beside its files: its config, a Kitfile, annotations.
//!
//! | config's media type | what it is |
//! | --- | --- |
//! | `application/vnd.cncf.model.config.v1+json` | ModelPack's: `descriptor`, `config`, `modelfs` |
//! | `application/vnd.kitops.modelkit.config.v1+json` | a Kitfile, as JSON |
//! | `application/vnd.docker.ai.model.config.v0.1+json`, `…v0.2+json` | Docker's: `descriptor`, `config` |
//!
//! A ModelPack artifact that KitOps or modctl wrote has their own file in an annotation.

use serde_json::{Map, Value, json};

use super::kitfile;
use crate::artifact::Manifest;
use crate::artifact::pack::MODEL_CONFIG;
use crate::import::annotations::{Told, is_line};

const KIT_CONFIG: &str = "application/vnd.kitops.modelkit.config.v1+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.ai.model.config.";

/// Where KitOps keeps the Kitfile of a ModelPack artifact.
const KITFILE: &str = "ml.kitops.modelkit.kitfile";

/// What an artifact with this manifest and config says.
pub(super) fn tell(manifest: &Manifest, config: &[u8]) -> Told {
    let mut told = Told::default();
    let media_type = manifest.config.media_type.as_str();
    let object = serde_json::from_slice::<Value>(config).ok();
    let object = object.and_then(|value| match value {
        Value::Object(fields) => Some(fields),
        _ => None,
    });
    let mut annotations = manifest.annotations.clone();
    let kitfile = annotations.remove(KITFILE);
    match serde_json::from_str(kitfile.as_deref().unwrap_or("null")) {
        Ok(Value::Object(fields)) => kitfile::tell(fields, &mut told),
        Ok(Value::Null) => {}
        _ => told.keep(&format!("annotations.{KITFILE}"), json!(kitfile)),
    }
    match object {
        Some(fields) if media_type == KIT_CONFIG => kitfile::tell(fields, &mut told),
        Some(fields) if media_type == MODEL_CONFIG || media_type.starts_with(DOCKER_CONFIG) => {
            model(fields, &mut told);
        }
        Some(fields) if fields.is_empty() => {}
        Some(fields) => told.keep("config", Value::Object(fields)),
        None => told.remarks.push(format!(
            "its config is no JSON of the kind that {} has",
            media_type.escape_debug()
        )),
    }
    told.annotations(&annotations, "annotations.");
    told.settled()
}

/// ModelPack's config, and Docker's, which has the same shape.
fn model(mut fields: Map<String, Value>, told: &mut Told) {
    let mut part = |name: &str| match fields.remove(name) {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let (descriptor, config) = (part("descriptor"), part("config"));
    // What the layers are; the files say it.
    for name in ["modelfs", "rootfs"] {
        part(name);
    }
    let commit = descriptor.get("revision").and_then(Value::as_str);
    let commit = commit.map(str::to_owned);
    for (name, value) in descriptor {
        let text = value.as_str().unwrap_or_default();
        let taken = match name.as_str() {
            "createdAt" | "created" => told.created(text),
            "title" => told.title(text),
            "description" => told.description(text),
            "authors" => told.author(&joined(&value, ", ")),
            "licenses" => told.license(&joined(&value, " AND ")),
            "docURL" => told.link("Documentation", text),
            "sourceURL" => told.source(text, commit.as_deref()),
            "datasetsURL" => datasets(&value, told),
            "name" => told.model.get("title").is_some_and(|title| *title == text),
            _ => false,
        };
        if !taken {
            told.keep(&format!("descriptor.{name}"), value);
        }
    }
    if told
        .lineage()
        .get("source")
        .and_then(|source| source.get("commit"))
        .is_some()
    {
        told.unmapped.shift_remove("descriptor.revision");
    }
    if !told.model.contains_key("title")
        && let Some(Value::String(name)) = told.unmapped.get("descriptor.name").cloned()
        && told.title(&name)
    {
        told.unmapped.shift_remove("descriptor.name");
    }
    for (name, value) in config {
        let precision = || value.as_str().map(str::to_lowercase).unwrap_or_default();
        let is_name = |text: &str| text.parse::<crate::record::Name>().is_ok();
        if name == "precision" && is_name(&precision()) {
            let precision = json!(precision());
            told.version.entry("precision").or_insert(precision);
        } else {
            told.keep(&format!("config.{name}"), value);
        }
    }
    for (name, value) in fields {
        told.keep(&format!("config.{name}"), value);
    }
}

/// One text, or a list of texts, as one.
fn joined(value: &Value, by: &str) -> String {
    match value {
        Value::Array(items) => {
            let texts: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            texts.join(by)
        }
        one => one.as_str().unwrap_or_default().to_owned(),
    }
}

/// The data that it was trained with, by addresses.
fn datasets(urls: &Value, told: &mut Told) -> bool {
    let one = |url: &Value| {
        let url = url.as_str()?;
        let uri = url.parse::<crate::record::kind::Address>().ok()?;
        let name = url.trim_end_matches('/').rsplit('/').next()?;
        is_line(name).then(|| json!({"name": name, "uri": uri}))
    };
    let all: Option<Vec<Value>> = urls
        .as_array()
        .and_then(|urls| urls.iter().map(one).collect());
    match all.filter(|all| !all.is_empty()) {
        Some(all) => {
            told.lineage().entry("datasets").or_insert(json!(all));
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    //! Configs of several writers.

    use super::*;
    use crate::artifact::descriptor::Descriptor;

    fn told(media_type: &str, config: &Value, annotations: &[(&str, &str)]) -> Told {
        let bytes = config.to_string().into_bytes();
        let annotations = annotations
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let manifest = Manifest {
            schema_version: 2,
            media_type: crate::artifact::descriptor::IMAGE_MANIFEST.to_owned(),
            artifact_type: None,
            config: Descriptor::of(media_type, &bytes),
            layers: Vec::new(),
            subject: None,
            annotations: annotations.collect(),
        };
        tell(&manifest, &bytes)
    }

    #[test]
    fn modelpack_says_who_when_and_from_what() {
        let config = json!({
            "descriptor": {
                "createdAt": "2026-11-01T09:30:00Z", "authors": ["Ada", "Grace"],
                "name": "fraud", "version": "1.2.0", "licenses": ["MIT", "Apache-2.0"],
                "sourceURL": "https://git.test/ml/fraud",
                "revision": "4f2c1e9b7a6d5c4b3a2918070605040302010f0e",
                "datasetsURL": ["https://data.test/card-payments"], "vendor": "Acme",
            },
            "config": {"format": "onnx", "precision": "FP16", "paramSize": "8b"},
            "modelfs": {"type": "layers", "diffIds": []},
        });
        let told = told(
            MODEL_CONFIG,
            &config,
            &[("org.opencontainers.image.title", "Fraud")],
        );
        insta::assert_json_snapshot!(json!([told.model, told.version, told.unmapped]), @r#"
        [
          {
            "license": "MIT AND Apache-2.0",
            "title": "fraud"
          },
          {
            "createdAt": "2026-11-01T09:30:00Z",
            "author": "Ada, Grace",
            "lineage": {
              "source": {
                "repository": "https://git.test/ml/fraud",
                "commit": "4f2c1e9b7a6d5c4b3a2918070605040302010f0e"
              },
              "datasets": [
                {
                  "name": "card-payments",
                  "uri": "https://data.test/card-payments"
                }
              ]
            },
            "precision": "fp16"
          },
          {
            "descriptor.version": "1.2.0",
            "descriptor.vendor": "Acme",
            "config.format": "onnx",
            "config.paramSize": "8b",
            "annotations.org.opencontainers.image.title": "Fraud"
          }
        ]
        "#);
    }

    #[test]
    fn a_kitfile_in_an_annotation_is_heard_before_the_config_that_was_made_of_it() {
        let kitfile = r#"{"manifestVersion":"1.0.0","package":{"name":"Fraud detection"}}"#;
        let config = json!({"descriptor": {"name": "fraud", "title": "Fraud detection"}});
        let told = told(
            MODEL_CONFIG,
            &config,
            &[(KITFILE, kitfile), ("org.cncf.modctl.modelfile", "FROM x")],
        );
        insta::assert_json_snapshot!(json!([told.model, told.version, told.unmapped]), @r#"
        [
          {
            "title": "Fraud detection"
          },
          {},
          {
            "descriptor.name": "fraud",
            "annotations.org.cncf.modctl.modelfile": "FROM x"
          }
        ]
        "#);
    }

    #[test]
    fn dockers_and_unknown_configs_lose_nothing() {
        let config = json!({
            "config": {"format": "gguf", "quantization": "Q4_K_M"},
            "descriptor": {"created": "2026-11-01T09:30:00Z"},
            "rootfs": {"type": "rootfs", "diff_ids": []},
        });
        let docker = told(
            "application/vnd.docker.ai.model.config.v0.1+json",
            &config,
            &[],
        );
        insta::assert_json_snapshot!(json!([docker.version, docker.unmapped]), @r#"
        [
          {
            "createdAt": "2026-11-01T09:30:00Z"
          },
          {
            "config.format": "gguf",
            "config.quantization": "Q4_K_M"
          }
        ]
        "#);
        let other = told("application/x", &json!({"a": 1}), &[]);
        assert_eq!(json!(other.unmapped), json!({"config": {"a": 1}}));
        let none = tell(
            &Manifest {
                schema_version: 2,
                media_type: String::new(),
                artifact_type: None,
                config: Descriptor::of("application/x", b"x"),
                layers: Vec::new(),
                subject: None,
                annotations: [].into(),
            },
            b"x",
        );
        assert_eq!(none.remarks.len(), 1);
    }
}
