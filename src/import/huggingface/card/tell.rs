//! From a card to fields of records.

use serde_json::{Map, Value, json};

use super::super::{citation, license, results, task};
use super::{Card, line, lines};
use crate::import::own;
use crate::record::kind::{BaseRelation, WebUrl};

/// Keys of the front matter that go into a version's `properties` as they are.
pub(in super::super) const PROPERTIES: [&str; 2] = ["language", "tags"];

/// The most data sets and base models that a record has.
const MAX_NAMES: usize = 256;

/// What a card says, in the words of records.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in super::super) struct Told {
    /// Fields of a model.
    pub model: Map<String, Value>,
    /// Fields of a version.
    pub version: Map<String, Value>,
    /// What found no place.
    pub unmapped: Map<String, Value>,
    /// What a person should know.
    pub remarks: Vec<String>,
}

/// What `card` says.
pub(in super::super) fn tell(card: &Card) -> Told {
    let mut reader = Reader {
        left: card.front.clone(),
        told: Told::default(),
    };
    reader.task();
    reader.license();
    reader.results();
    reader.lineage();
    reader.framework();
    reader.properties();
    if let Some(citation) = citation::in_text(&card.body) {
        reader.told.model.insert("citation".to_owned(), citation);
    }
    reader.own();
    let Reader { left, mut told } = reader;
    for (key, value) in left {
        if !is_empty(&value) {
            told.unmapped.insert(format!("card.{key}"), value);
        }
    }
    if let Some(reason) = &card.broken {
        let remark = format!("the front matter of its card can't be read: {reason}");
        told.remarks.push(remark);
    }
    told
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// A card that is being read: what is left of its front matter, and what was understood.
struct Reader {
    left: Map<String, Value>,
    told: Told,
}

impl Reader {
    /// The line under `key`, which is taken from what is left.
    fn take_line(&mut self, key: &str) -> Option<String> {
        let line = line(self.left.get(key)?)?.to_owned();
        self.left.remove(key);
        Some(line)
    }

    /// The lines under `key`, of which there may be one alone.
    fn take_lines(&mut self, key: &str) -> Vec<String> {
        let taken = self.left.get(key).and_then(lines);
        let taken = taken.filter(|lines| lines.len() <= MAX_NAMES);
        let Some(taken) = taken else {
            return Vec::new();
        };
        let taken = taken.into_iter().map(str::to_owned).collect();
        self.left.remove(key);
        taken
    }

    fn task(&mut self) {
        let Some(task) = self.take_line("pipeline_tag") else {
            return;
        };
        let fields = task::classification(&task).into_iter();
        let mut classification: Map<String, Value> = fields
            .map(|(field, word)| (field.to_owned(), word.into()))
            .collect();
        classification.insert("task".to_owned(), task.into());
        let classification = classification.into();
        self.told
            .model
            .insert("classification".to_owned(), classification);
    }

    /// `license`, and for `other` its name and a link to its text.
    fn license(&mut self) {
        let said = self.left.get("license").and_then(lines);
        let said = match said.as_deref() {
            // Whether of several one or all hold is not said.
            Some([one]) => (*one).to_owned(),
            _ => return,
        };
        let is_other = said.trim().eq_ignore_ascii_case("other");
        let name = self.left.get("license_name").and_then(line);
        let license = if is_other {
            name.and_then(license::by_name)
        } else {
            license::of_hub(&said)
        };
        let Some(license) = license else { return };
        if is_other {
            let name = name.unwrap_or_default().to_owned();
            self.license_link(&name);
            let told_again = license::for_hub(&license).1;
            if told_again.as_ref() == Some(&name) {
                self.left.remove("license_name");
            }
        }
        self.left.remove("license");
        self.told
            .model
            .insert("license".to_owned(), license.to_string().into());
    }

    /// A link to a page; one to a file is of the files.
    fn license_link(&mut self, name: &str) {
        let link = self.left.get("license_link").and_then(Value::as_str);
        let link = link.filter(|link| link.parse::<WebUrl>().is_ok());
        if let Some(link) = link {
            let links = json!([{"title": name, "url": link}]);
            self.told.version.insert("links".to_owned(), links);
            self.left.remove("license_link");
        }
    }

    /// What it is called, and how good it is.
    fn results(&mut self) {
        let task = self.told.model.get("classification");
        let task = task.and_then(|told| told["task"].as_str());
        let index = self.left.get("model-index");
        let read = index.map(|index| results::read(index, task));
        let mut title = self.take_line("model_name");
        if let Some(read) = read {
            if read.is_all && (title.is_none() || title == read.name) {
                self.left.remove("model-index");
            }
            title = title.or(read.name);
            if !read.metrics.is_empty() {
                let metrics = read.metrics.into();
                self.told.version.insert("metrics".to_owned(), metrics);
            }
        }
        if let Some(title) = title {
            self.told.model.insert("title".to_owned(), title.into());
        }
    }

    /// The data and the models that it was made from.
    fn lineage(&mut self) {
        let mut lineage = Map::new();
        let named = |name: &String| json!({ "name": name });
        let datasets = self.take_lines("datasets");
        if !datasets.is_empty() {
            let datasets = datasets.iter().map(named).collect();
            lineage.insert("datasets".to_owned(), datasets);
        }
        let base = self.take_lines("base_model");
        if !base.is_empty() {
            let relation = self.left.get("base_model_relation").and_then(line);
            let relation = relation.and_then(|word| word.parse::<BaseRelation>().ok());
            if relation.is_some() {
                self.left.remove("base_model_relation");
            }
            let base = base.iter().map(|name| {
                let mut base = named(name);
                if let Some(relation) = relation {
                    base["relation"] = json!(relation);
                }
                base
            });
            lineage.insert("base".to_owned(), base.collect());
        }
        if !lineage.is_empty() {
            self.told
                .version
                .insert("lineage".to_owned(), lineage.into());
        }
    }

    fn framework(&mut self) {
        if let Some(name) = self.take_line("library_name") {
            self.told
                .version
                .insert("framework".to_owned(), json!({ "name": name }));
        }
    }

    fn properties(&mut self) {
        let mut properties = Map::new();
        for key in PROPERTIES {
            if self.left.get(key).is_some_and(|value| !is_empty(value))
                && let Some(value) = self.left.remove(key)
            {
                properties.insert(key.to_owned(), value);
            }
        }
        if !properties.is_empty() {
            self.told
                .version
                .insert("properties".to_owned(), properties.into());
        }
    }

    /// What an export wrote that the hub has no word for; it is heard over all else.
    fn own(&mut self) {
        let Some(Value::Object(mut own)) = self.left.remove(own::KEY) else {
            return;
        };
        let heard = own::hear(&mut own, &mut self.told.model, &mut self.told.version);
        own.retain(|_, value| !is_empty(value));
        if !own.is_empty() {
            self.left.insert(own::KEY.to_owned(), own.into());
        }
        if !heard.is_empty() {
            let remark = format!("its card says for Modelyard: {}", heard.join(", "));
            self.told.remarks.push(remark);
        }
    }
}

#[cfg(test)]
mod tests {
    //! Cards, and what they become.

    use super::*;

    fn told(text: &str) -> Told {
        tell(&Card::read(text))
    }

    #[test]
    fn every_key_finds_its_field_or_is_told_as_it_was() {
        let told = told(
            "---\nlanguage: [en, no]\nlicense: apache-2.0\nlibrary_name: transformers\n\
             pipeline_tag: image-classification\ntags: [vision]\nbase_model: google/vit\n\
             base_model_relation: finetune\ndatasets: [imagenet-1k, acme/plates]\n\
             metrics: [accuracy]\nthumbnail: t.png\nmodel_name: Defects\nwidget: []\n---\n# T\n",
        );
        assert_eq!(
            Value::Object(told.model),
            json!({
                "classification": {
                    "technology": "computer-vision",
                    "category": "classification",
                    "inputDataType": "image",
                    "task": "image-classification",
                },
                "license": "Apache-2.0",
                "title": "Defects",
            })
        );
        assert_eq!(
            Value::Object(told.version),
            json!({
                "lineage": {
                    "datasets": [{"name": "imagenet-1k"}, {"name": "acme/plates"}],
                    "base": [{"name": "google/vit", "relation": "finetune"}],
                },
                "framework": {"name": "transformers"},
                "properties": {"language": ["en", "no"], "tags": ["vision"]},
            })
        );
        assert_eq!(
            Value::Object(told.unmapped),
            json!({"card.metrics": ["accuracy"], "card.thumbnail": "t.png"})
        );
        assert_eq!(told.remarks, [""; 0]);
    }

    #[test]
    fn another_licence_has_its_link() {
        let told = told(
            "---\nlicense: other\nlicense_name: acme-internal\n\
             license_link: https://acme.example/license\n---\n",
        );
        assert_eq!(told.model["license"], "LicenseRef-acme-internal");
        assert_eq!(
            told.version["links"],
            json!([{"title": "acme-internal", "url": "https://acme.example/license"}])
        );
        assert_eq!(told.unmapped, Map::new());
    }

    #[test]
    fn what_can_not_be_a_field_stays_as_it_was_said() {
        let told = told(
            "---\nlicense: [mit, apache-2.0]\npipeline_tag: 3\ndatasets: {a: 1}\n\
             base_model: ''\nmodel-index: none\nbase_model_relation: copied\nlicense_link: LICENSE\n---\n",
        );
        assert_eq!(told.model, Map::new());
        assert_eq!(told.version, Map::new());
        assert_eq!(
            Value::Object(told.unmapped),
            json!({
                "card.license": ["mit", "apache-2.0"],
                "card.pipeline_tag": 3,
                "card.datasets": {"a": 1},
                "card.model-index": "none",
                "card.base_model_relation": "copied",
                "card.license_link": "LICENSE",
            })
        );
    }

    #[test]
    fn what_an_export_wrote_is_heard_over_the_rest_but_not_what_files_tell() {
        let told = told(
            "---\nlicense: mit\nlibrary_name: timm\nmodelyard:\n  model: {license: null, visibility: private}\n\
             \x20 version: {framework: {name: timm, version: '1.0'}, format: {name: onnx, code: []}, lifecycle: released}\n\
             \x20 labels: {line: '3'}\n---\n",
        );
        assert_eq!(Value::Object(told.model), json!({"visibility": "private"}));
        assert_eq!(
            Value::Object(told.version),
            json!({"framework": {"name": "timm", "version": "1.0"}})
        );
        assert_eq!(
            Value::Object(told.unmapped),
            json!({"card.modelyard": {
                "version": {"format": {"name": "onnx", "code": []}, "lifecycle": "released"},
                "labels": {"line": "3"},
            }})
        );
        assert_eq!(
            told.remarks,
            ["its card says for Modelyard: model.visibility, model.license, version.framework"]
        );
    }
}
