//! Graphs of v1: from a tree of units to a line of models with what stands before and behind.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::import::manifest::{Bytes, Fields, Manifest, Unit, pinned, say};

/// Servers that Seldon brings: what they are called, and the word for what they serve.
pub(in crate::import) const SERVERS: [(&str, &str); 7] = [
    ("SKLEARN_SERVER", "sklearn"),
    ("XGBOOST_SERVER", "xgboost"),
    ("MLFLOW_SERVER", "mlflow"),
    ("TENSORFLOW_SERVER", "tensorflow"),
    ("TRITON_SERVER", "triton"),
    ("HUGGINGFACE_SERVER", "huggingface"),
    ("TEMPO_SERVER", "tempo"),
];

/// The router that sends a share of all requests to the first of its two children.
const AB_TEST: &str = "RANDOM_ABTEST";

/// What a predictor's graph becomes.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// Coprocessors before the model.
    pub before: Vec<Value>,
    /// What serves: each with its share of the traffic.
    pub mains: Vec<(String, u64)>,
    /// Coprocessors behind the model.
    pub after: Vec<Value>,
}

/// What a predictor's graph is read with.
pub(super) struct Reading<'a> {
    pub manifest: &'a Manifest,
    /// What references and names begin with: the predictor, where there are several.
    pub predictor: &'a str,
    /// How many units have a model.
    pub alone: bool,
    /// Whether requests are those of the Open Inference Protocol.
    pub open: bool,
    /// What annotations of ours say of its units: `<unit>.model` and `<unit>.version`.
    pub said: BTreeMap<String, String>,
    /// Containers by their names, which are units' names.
    pub containers: &'a mut BTreeMap<String, Fields>,
    pub units: &'a mut Vec<Unit>,
    pub unmapped: &'a mut Map<String, Value>,
    pub remarks: &'a mut Vec<String>,
    /// The name of the unit that serves, whose container tells of resources.
    pub main: Option<String>,
}

/// How many units of `graph` have a model.
pub(super) fn count(graph: &Value) -> usize {
    let children = graph["children"].as_array().into_iter().flatten();
    let own = match graph["type"].as_str() {
        Some("ROUTER" | "COMBINER") => false,
        Some("TRANSFORMER" | "OUTPUT_TRANSFORMER") => graph["modelUri"].is_string(),
        _ => graph["implementation"] != AB_TEST,
    };
    usize::from(own) + children.map(count).sum::<usize>()
}

impl Reading<'_> {
    /// Reads `graph`: its models go to `units`.
    ///
    /// # Errors
    /// Why it is no line; its models are read all the same.
    pub(super) fn read(&mut self, graph: Value) -> Result<Chain, String> {
        let mut chain = Chain::default();
        let mut next = Fields::of(graph);
        let mut broken = None;
        while let Some(mut unit) = next.take() {
            let children = unit.list("children");
            let name = unit.text("name").unwrap_or_default();
            let implementation = unit.look("implementation").unwrap_or_default().to_owned();
            let unit_type = unit.text("type").unwrap_or_default();
            if implementation == AB_TEST {
                unit.take("implementation");
                let split = self.split(&name, unit, children);
                return match broken {
                    Some(why) => Err(why),
                    None => split.map(|mains| Chain { mains, ..chain }),
                };
            }
            if matches!(unit_type.as_str(), "ROUTER" | "COMBINER") {
                self.rest(&name, unit);
                for child in children {
                    // What is wrong further down is no worse.
                    let _ = self.read(child);
                }
                return Err(format!(
                    "the {} {name} decides between models, which no deployment can",
                    unit_type.to_lowercase()
                ));
            }
            if children.len() > 1 {
                broken = Some(format!("the unit {name} has several children"));
            }
            let part = self.unit(&name, &unit_type, unit);
            let mut children = children.into_iter();
            next = children.next().and_then(Fields::of);
            for child in children {
                let _ = self.read(child);
            }
            match (unit_type.as_str(), part) {
                ("TRANSFORMER", part) => chain.before.extend(part.coprocessor()),
                ("OUTPUT_TRANSFORMER", part) => {
                    // Answers come back from the innermost.
                    if let Some(coprocessor) = part.coprocessor() {
                        chain.after.insert(0, coprocessor);
                    }
                }
                (_, Part::Model(reference)) => {
                    // A model with a child gives the child what it says.
                    if let Some((earlier, _)) = chain.mains.pop() {
                        chain.before.push(json!({ "model": earlier }));
                    }
                    self.main = Some(name);
                    chain.mains.push((reference, 100));
                }
                (_, _) => broken = Some(format!("the unit {name} has no model")),
            }
        }
        match broken {
            Some(why) => Err(why),
            None if chain.mains.is_empty() => Err("its graph has no model".to_owned()),
            None => Ok(chain),
        }
    }

    /// The two children of a random test, with their shares.
    fn split(
        &mut self,
        name: &str,
        mut unit: Fields,
        children: Vec<Value>,
    ) -> Result<Vec<(String, u64)>, String> {
        let ratio = |parameters: &Value| {
            let list = parameters.as_array()?;
            let [one] = list.as_slice() else { return None };
            let value = one["value"].as_str().map(str::parse::<f64>);
            (one["name"] == "ratioA").then_some(value?.ok()?)
        };
        let ratio = unit.take_if("parameters", ratio);
        self.rest(name, unit);
        let arms: Vec<_> = children.into_iter().map(|child| self.read(child)).collect();
        let ratio = ratio.filter(|ratio| (0.0..=1.0).contains(ratio));
        let ratio =
            ratio.ok_or_else(|| format!("{AB_TEST} {name} has no ratioA between 0 and 1"))?;
        let [Ok(first), Ok(second)] = arms.as_slice() else {
            return Err(format!(
                "{AB_TEST} {name} needs two children that are models"
            ));
        };
        let single = |chain: &Chain| match chain.mains.as_slice() {
            [(reference, _)] if chain.before.is_empty() && chain.after.is_empty() => {
                Some(reference.clone())
            }
            _ => None,
        };
        let why = || format!("behind {AB_TEST} {name} there is more than two models");
        let (first, second) = (
            single(first).ok_or_else(why)?,
            single(second).ok_or_else(why)?,
        );
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between 0 and 100"
        )]
        let percent = (ratio * 100.0).round() as u64;
        Ok(vec![(first, percent), (second, 100 - percent)])
    }

    /// What one unit is.
    fn unit(&mut self, name: &str, unit_type: &str, mut fields: Fields) -> Part {
        let image = self
            .containers
            .get(name)
            .and_then(|container| container.look("image"));
        let image = image.map(str::to_owned);
        let uri = fields.text("modelUri");
        let server = fields.look("implementation").unwrap_or_default().to_owned();
        let server = SERVERS.iter().find(|(known, _)| *known == server);
        if let ("TRANSFORMER" | "OUTPUT_TRANSFORMER", None, Some(image)) = (unit_type, &uri, &image)
        {
            self.rest(name, fields);
            return match pinned(image) {
                Some(pinned) => {
                    self.took_image(name);
                    Part::Container(json!({"container": {"image": pinned}}))
                }
                None => {
                    self.remarks.push(format!(
                        "the image {image} of {name} has no digest, so it can be moved, and is no \
                         coprocessor: name it by its digest"
                    ));
                    Part::Nothing
                }
            };
        }
        if uri.is_none() && image.is_none() {
            self.rest(name, fields);
            return Part::Nothing;
        }
        let reference = format!("{}/{}/{name}", self.manifest.reference(), self.predictor);
        let mut unit = Unit::of(self.manifest, reference.clone(), self.names(name));
        let whole = unit.said_version.take().filter(|_| self.alone);
        unit.said_version = self.said.get(&format!("{name}.version")).cloned().or(whole);
        if let Some((_, word)) = server {
            fields.take("implementation");
            let (said, _) = say(word, None, &mut unit.version);
            let runtime = match *word {
                "mlflow" => None,
                "tensorflow" => Some("tensorflow-serving"),
                "triton" => Some("triton"),
                _ if self.open => Some("mlserver"),
                _ => None,
            };
            if let Some(runtime) = runtime {
                unit.version
                    .insert("runtime".to_owned(), json!({ "name": runtime }));
            } else if !said {
                unit.unmapped
                    .insert("implementation".to_owned(), json!(word));
            }
        }
        if let Some(parameters) = fields.take("parameters") {
            unit.unmapped.insert("parameters".to_owned(), parameters);
        }
        unit.bytes = match (uri, image) {
            (Some(uri), _) => Bytes::At {
                uri,
                folder: self.manifest.folder.clone(),
            },
            (None, Some(image)) => {
                unit.served_by(&image);
                self.took_image(name);
                Bytes::Image(image)
            }
            (None, None) => Bytes::Unsaid,
        };
        self.rest(name, fields);
        self.units.push(unit);
        Part::Model(reference)
    }

    /// What the model of unit `name` may be called.
    fn names(&self, name: &str) -> Vec<String> {
        let whole = self.manifest.name();
        let namespace = self.manifest.namespace().unwrap_or("default");
        let predictor = self.predictor;
        let ours = self.manifest.ours("model").filter(|_| self.alone);
        let said = self.said.get(&format!("{name}.model")).cloned().or(ours);
        let short = if self.alone {
            whole.to_owned()
        } else {
            format!("{whole}-{name}")
        };
        let long = if self.alone {
            format!("{whole}-{predictor}")
        } else {
            format!("{whole}-{predictor}-{name}")
        };
        let names = [short.clone(), long.clone()];
        let longest = [
            format!("{namespace}/{short}"),
            format!("{namespace}/{long}"),
        ];
        said.into_iter().chain(names).chain(longest).collect()
    }

    fn took_image(&mut self, name: &str) {
        if let Some(container) = self.containers.get_mut(name) {
            container.take("image");
        }
    }

    fn rest(&mut self, name: &str, fields: Fields) {
        let prefix = format!("predictors.{}.graph.{name}.", self.predictor);
        fields.left(&prefix, self.unmapped);
    }
}

/// What a unit is.
enum Part {
    /// A model, by its reference.
    Model(String),
    /// A container, as a coprocessor.
    Container(Value),
    /// Nothing that has a place.
    Nothing,
}

impl Part {
    fn coprocessor(self) -> Option<Value> {
        match self {
            Self::Model(reference) => Some(json!({ "model": reference })),
            Self::Container(coprocessor) => Some(coprocessor),
            Self::Nothing => None,
        }
    }
}
