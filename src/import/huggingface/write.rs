//! Out again: a card that says what a model's records say.

use serde_json::{Map, Value, json};

use super::card::{Card, PROPERTIES, Told, tell};
use super::{license, results};
use crate::import::own;
use crate::record::kind::{License, Model, ModelVersion, SourceType};
use crate::record::yaml::to_yaml;

/// The keys of the front matter in the order in which people write them; others follow.
const ORDER: [&str; 14] = [
    "language",
    "license",
    "license_name",
    "license_link",
    "library_name",
    "pipeline_tag",
    "tags",
    "base_model",
    "base_model_relation",
    "datasets",
    "metrics",
    "model_name",
    "model-index",
    own::KEY,
];

/// The card, `README.md`, with which a folder of `version`'s files is what Hugging Face's tools
/// read: its front matter says what the records say, and `card`, the model's card in the yard, is
/// its body.
///
/// What the hub has no word for stands under the key `modelyard`, so that an import of the folder
/// gives the same fields back; not what the files tell of themselves (format), nor what is the
/// yard's own (where the bytes lie, images, lifecycle, aliases). What an import from a hub found no
/// place for goes back to where it was. Keys of `card`'s own front matter that records know nothing
/// of are kept.
///
/// Nothing is read or written: the caller puts it beside the version's files.
pub fn export_card(model: &Model, version: &ModelVersion, card: Option<&str>) -> String {
    let mut card = Card::read(card.unwrap_or_default());
    if card.body.trim().is_empty() {
        card.body = body(model);
    }
    let (of_model, of_version) = (own::fields(&model.spec), own::fields(&version.spec));
    let mut front = kept(&card, version);
    front.extend(said(
        &of_model,
        &of_version,
        front.get("model-index").is_some(),
    ));
    let mut written = Card {
        front,
        ..card.clone()
    };
    let told = tell(&written);
    let mut own = own::differing([&told.model, &told.version], [&of_model, &of_version]);
    if !model.metadata.labels.is_empty() {
        own.insert("labels".to_owned(), json!(model.metadata.labels));
    }
    if !own.is_empty() {
        written.front.insert(own::KEY.to_owned(), own.into());
    }
    text(&written)
}

fn body(model: &Model) -> String {
    let mut body = format!("# {}\n", model.spec.title);
    if let Some(description) = &model.spec.description {
        body = format!("{body}\n{}\n", description.trim_end());
    }
    body
}

/// Keys of the front matter that records know nothing of: the card's own, and what an import from
/// a hub found no place for.
fn kept(card: &Card, version: &ModelVersion) -> Map<String, Value> {
    let unmapped = |told: Told| {
        let unmapped = told.unmapped.into_iter();
        unmapped.filter_map(|(key, value)| Some((key.strip_prefix("card.")?.to_owned(), value)))
    };
    let mut kept: Map<String, Value> = unmapped(tell(card)).collect();
    let imported = version.spec.imported.as_ref();
    let imported = imported.filter(|imported| imported.from == SourceType::Huggingface);
    if let Some(imported) = imported {
        let told = Told {
            unmapped: imported.unmapped.clone(),
            ..Told::default()
        };
        kept.extend(unmapped(told));
    }
    kept.remove(own::KEY);
    kept
}

/// What the hub has words for.
fn said(
    model: &Map<String, Value>,
    version: &Map<String, Value>,
    has_index: bool,
) -> Map<String, Value> {
    let mut said = Map::new();
    let mut say = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            said.insert(key.to_owned(), value);
        }
    };
    let task = model.get("classification").and_then(|of| of.get("task"));
    let framework = version.get("framework").and_then(|of| of.get("name"));
    say("pipeline_tag", task.cloned());
    say("library_name", framework.cloned());
    say("model_name", model.get("title").cloned());
    for key in PROPERTIES {
        let properties = version.get("properties");
        say(key, properties.and_then(|of| of.get(key)).cloned());
    }
    let lineage = version.get("lineage");
    let base = lineage.and_then(|of| of.get("base"));
    say("base_model", names(base));
    say("datasets", names(lineage.and_then(|of| of.get("datasets"))));
    say("base_model_relation", relation(base));
    let metrics = version.get("metrics").and_then(Value::as_array);
    if let Some(metrics) = metrics.filter(|_| !has_index) {
        let title = model.get("title").and_then(Value::as_str);
        let task = task.and_then(Value::as_str);
        say("model-index", results::write(title, task, metrics));
    }
    let spdx = model.get("license").and_then(Value::as_str);
    let spdx: Option<License> = spdx.and_then(|spdx| spdx.parse().ok());
    if let Some(spdx) = spdx {
        let (license, name) = license::for_hub(&spdx);
        say("license", Some(license.into()));
        let mut links = version.get("links").into_iter().flat_map(Value::as_array);
        let of_license = |link: &&Value| link["title"].as_str() == name.as_deref();
        let link = name.as_ref().and(links.next());
        let link = link.and_then(|links| links.iter().find(of_license));
        say("license_link", link.map(|link| link["url"].clone()));
        say("license_name", name.map(Value::from));
    }
    said
}

/// The names of what is listed; of one alone its name.
fn names(listed: Option<&Value>) -> Option<Value> {
    let names: Vec<_> = listed?
        .as_array()?
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    (!names.is_empty()).then(|| names.into())
}

/// What was done with all that it was made from, if it is one thing.
fn relation(base: Option<&Value>) -> Option<Value> {
    let base = base?.as_array()?;
    let relation = base.first()?.get("relation")?;
    let is_same = |one: &Value| one.get("relation") == Some(relation);
    base.iter().all(is_same).then(|| relation.clone())
}

fn text(card: &Card) -> String {
    let mut front = card.front.clone();
    let mut ordered = Map::new();
    for key in ORDER {
        if key != own::KEY
            && let Some(value) = front.remove(key)
        {
            ordered.insert(key.to_owned(), value);
        }
    }
    let own = front.remove(own::KEY);
    ordered.extend(front);
    ordered.extend(own.map(|own| (own::KEY.to_owned(), own)));
    format!("---\n{}---\n{}", to_yaml(&ordered.into()), card.body)
}

#[cfg(test)]
mod tests {
    //! Records that go out and come back.

    use super::*;

    fn records() -> (Model, ModelVersion) {
        let model = json!({
            "apiVersion": "modelyard.dev/v1",
            "kind": "Model",
            "metadata": {"namespace": "vision", "name": "defects", "labels": {"line": "3"}},
            "spec": {
                "title": "Surface defects: all",
                "description": "Finds scratches.",
                "owners": [{"team": "vision"}],
                "visibility": "internal",
                "classification": {
                    "technology": "computer-vision", "category": "classification",
                    "inputDataType": "image", "task": "image-classification",
                },
                "license": "Apache-2.0",
                "citation": {"authors": [{"name": "A. B."}], "doi": "10.5281/zenodo.123"},
                "aliases": {"champion": "1.4.0"},
            },
        });
        let version = json!({
            "apiVersion": "modelyard.dev/v1",
            "kind": "ModelVersion",
            "metadata": {"namespace": "vision", "name": "defects", "version": "1.4.0"},
            "spec": {
                "lifecycle": "released",
                "notes": "Keep the camera at 40 cm.\n\n---\nReally.",
                "createdAt": "2026-11-01T09:30:00Z",
                "artifact": {
                    "repository": "registry.example.com/acme/vision/defects",
                    "digest": format!("sha256:{}", "2c".repeat(32)),
                },
                "format": {"name": "onnx", "version": "17", "code": []},
                "framework": {"name": "timm", "version": "1.0"},
                "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 3, 224, 224]}],
                "properties": {"language": "no", "tags": ["vision", "yes"], "team-code": "A7"},
                "metrics": [
                    {"name": "accuracy", "value": 0.973, "dataset": "line3", "split": "test"},
                    {"name": "f1", "value": 0.9, "dataset": "line3", "split": "test"},
                ],
                "lineage": {
                    "datasets": [{"name": "line3"}],
                    "base": [{"name": "google/vit", "relation": "finetune"}],
                },
                "imported": {"from": "huggingface", "unmapped": {
                    "card.thumbnail": "t.png", "hub.author": "acme",
                }},
            },
        });
        (
            serde_json::from_value(model).unwrap(),
            serde_json::from_value(version).unwrap(),
        )
    }

    /// What is imported of a record's fields after its export.
    fn there_and_back(model: &Model, version: &ModelVersion, card: Option<&str>) -> Told {
        let text = export_card(model, version, card);
        let read = Card::read(&text);
        assert_eq!(read.broken, None, "{text}");
        let told = tell(&read);
        let spec = [own::fields(&model.spec), own::fields(&version.spec)];
        for ((record, fields), (told, spec)) in own::FIELDS
            .into_iter()
            .zip([&told.model, &told.version].into_iter().zip(&spec))
        {
            for field in fields {
                assert_eq!(
                    told.get(*field),
                    spec.get(*field),
                    "{record}.{field}\n{text}"
                );
            }
        }
        // Nothing grows from one export to the next.
        assert_eq!(export_card(model, version, Some(&text)), text);
        told
    }

    #[test]
    fn records_come_back_as_they_went() {
        let (model, version) = records();
        let told = there_and_back(
            &model,
            &version,
            Some("---\nmine: 1\nlicense: mit\n---\n# Ours\n"),
        );
        assert_eq!(told.unmapped["card.thumbnail"], "t.png");
        assert_eq!(told.unmapped["card.mine"], 1);
        assert!(!told.unmapped.contains_key("card.author"));

        let bare = |record: Value, spec: Value| {
            let mut record = record;
            record["spec"] = spec;
            record
        };
        let model = bare(
            json!(model),
            json!({"title": "T", "owners": [{"team": "a"}]}),
        );
        let artifact = json!(version.spec.artifact);
        let version = bare(
            json!(version),
            json!({"lifecycle": "staged", "artifact": artifact, "format": {"name": "custom"}}),
        );
        let model = serde_json::from_value(model).unwrap();
        let version = serde_json::from_value(version).unwrap();
        let bibtex = "# T\n\n@misc{t, author = {A B}}\n";
        there_and_back(&model, &version, Some(bibtex));
        there_and_back(&model, &version, None);
    }

    #[test]
    fn a_card_reads_as_people_write_them() {
        let (model, version) = records();
        insta::assert_snapshot!(export_card(&model, &version, None), @r#"
        ---
        language: "no"
        license: apache-2.0
        library_name: timm
        pipeline_tag: image-classification
        tags: [vision, "yes"]
        base_model: [google/vit]
        base_model_relation: finetune
        datasets: [line3]
        model_name: "Surface defects: all"
        model-index:
          - name: "Surface defects: all"
            results:
              - task:
                  type: image-classification
                dataset:
                  type: line3
                  name: line3
                  split: test
                metrics:
                  - type: accuracy
                    value: 0.973
                  - type: f1
                    value: 0.9
        thumbnail: t.png
        modelyard:
          model:
            description: Finds scratches.
            owners:
              - team: vision
            visibility: internal
            citation:
              authors:
                - name: A. B.
              doi: 10.5281/zenodo.123
          version:
            notes: |-
              Keep the camera at 40 cm.

              ---
              Really.
            createdAt: "2026-11-01T09:30:00Z"
            framework:
              name: timm
              version: "1.0"
            inputs:
              - name: image
                datatype: FP32
                shape: [-1, 3, 224, 224]
            properties:
              language: "no"
              tags: [vision, "yes"]
              team-code: A7
          labels:
            line: "3"
        ---
        # Surface defects: all

        Finds scratches.
        "#);
    }

    #[test]
    fn an_index_that_says_more_goes_back_as_it_came() {
        let (model, mut version) = records();
        let index = json!([{"name": "x", "results": [{
            "task": {"type": "image-classification", "name": "Image"},
            "dataset": {"type": "line3", "name": "Line 3"},
            "metrics": [{"type": "accuracy", "value": 0.9, "verified": true}],
        }]}]);
        let imported = version.spec.imported.as_mut().unwrap();
        imported
            .unmapped
            .insert("card.model-index".to_owned(), index.clone());
        let told = there_and_back(&model, &version, None);
        assert_eq!(told.unmapped["card.model-index"], index);
    }

    #[test]
    fn licences_of_every_kind_come_back() {
        let (model, version) = records();
        for license in [
            "MIT OR Apache-2.0",
            "LicenseRef-llama3",
            "LicenseRef-acme",
            "MIT",
        ] {
            let (mut model, mut version) = (model.clone(), version.clone());
            model.spec.license = Some(license.parse().unwrap());
            there_and_back(&model, &version, None);
            let links = json!([{"title": "acme", "url": "https://acme.example/license"}]);
            version.spec.links = serde_json::from_value(links).unwrap();
            there_and_back(&model, &version, None);
        }
    }
}
