//! XGBoost's models: JSON, the same in UBJSON, and the binary form that came before.
//!
//! ```text
//! {"learner": {"feature_names": […], "learner_model_param": {"num_feature": "4", …},
//!              "objective": {"name": "binary:logistic", …}, …}, "version": [3, 1, 0]}
//! ```

mod binary;
mod ubjson;

use std::io::{self, Read, Seek};

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::element::Element;
use super::json;
use super::port::{MAX_PORTS, Port};
use super::told::{Told, by};

/// The most bytes of a model that are read: its trees are passed over, but stand first.
const MAX_MODEL_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// What is asked of a model.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct Model {
    learner: Learner,
    #[serde(default)]
    version: Vec<u32>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct Learner {
    #[serde(default, deserialize_with = "names")]
    feature_names: Vec<String>,
    #[serde(default)]
    learner_model_param: Params,
    #[serde(default)]
    objective: Objective,
    #[serde(default)]
    gradient_booster: Booster,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct Params {
    #[serde(default)]
    num_feature: String,
    #[serde(default)]
    num_class: String,
    #[serde(default)]
    num_target: String,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct Objective {
    #[serde(default)]
    name: String,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct Booster {
    #[serde(default)]
    name: String,
}

/// What the JSON or UBJSON in `file` says of itself.
///
/// # Errors
/// If it is no such model.
pub(super) fn tell(mut file: impl Read + Seek) -> io::Result<Told> {
    let mut head = [0; 2];
    file.rewind()?;
    file.read_exact(&mut head)?;
    file.rewind()?;
    let model = match head {
        // UBJSON's keys have lengths, JSON's have quotes.
        [b'{', b'L' | b'l' | b'I' | b'i' | b'U' | b'$' | b'#'] => ubjson::read(file)?,
        _ => json::first(file, MAX_MODEL_BYTES)?,
    };
    Ok(told(&model))
}

/// What a file in the older binary form says of itself, if it is one.
///
/// # Errors
/// If it can't be read.
pub(super) fn tell_binary(file: impl Read + Seek) -> io::Result<Option<Told>> {
    Ok(binary::read(file)?.map(|model| told(&model)))
}

fn told(model: &Model) -> Told {
    let mut told = by("xgboost", "xgboost");
    let Learner {
        feature_names,
        learner_model_param: params,
        objective,
        gradient_booster: booster,
    } = &model.learner;
    if model.version.iter().any(|part| *part > 0) {
        let parts: Vec<_> = model.version.iter().map(u32::to_string).collect();
        told.framework = Some(("xgboost".to_owned(), Some(parts.join("."))));
    }
    for (key, value) in [("objective", &objective.name), ("booster", &booster.name)] {
        if !value.is_empty() {
            told.metadata.insert(key.to_owned(), value.clone());
        }
    }
    let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
    if let Some(count) = number(&params.num_feature) {
        told.inputs = vec![Port::features(Element::Float, count, feature_names)];
    }
    let width = |text| number(text).filter(|count| *count > 1);
    let width = match objective.name.as_str() {
        "" => return told,
        // The class itself, and not the probability of each.
        "multi:softmax" => None,
        "multi:softprob" => width(&params.num_class),
        _ => width(&params.num_target),
    };
    told.outputs = vec![match width.and_then(|count| i64::try_from(count).ok()) {
        Some(count) => Port::tensor("predict", Element::Float, vec![-1, count]),
        None => Port::column("predict", Element::Float),
    }];
    told
}

/// As many names as are told; the rest is passed over.
fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Names;
    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("names")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Vec<String>, A::Error> {
            let mut names = Vec::new();
            while names.len() < MAX_PORTS {
                match values.next_element()? {
                    Some(name) => names.push(name),
                    None => return Ok(names),
                }
            }
            while values.next_element::<IgnoredAny>()?.is_some() {}
            Ok(names)
        }
    }
    deserializer.deserialize_seq(Names)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const JSON: &str = r#"{"learner":{"attributes":{},"feature_names":["a","b"],
        "gradient_booster":{"model":{"trees":[[1,2],{"x":"y"}]},"name":"gbtree"},
        "learner_model_param":{"base_score":"5E-1","num_class":"3","num_feature":"2","num_target":"1"},
        "objective":{"name":"multi:softprob","softmax_multiclass_param":{"num_class":"3"}}},
        "version":[3,1,0]}"#;

    #[test]
    fn the_learner_tells_its_tensors() {
        let told = tell(Cursor::new(JSON)).unwrap();
        assert_eq!(
            told.framework,
            Some(("xgboost".to_owned(), Some("3.1.0".to_owned())))
        );
        assert_eq!(told.inputs[0].shape, Some(vec![-1, 2]));
        assert_eq!(told.inputs[0].description.as_deref(), Some("a, b"));
        assert_eq!(told.outputs[0].shape, Some(vec![-1, 3]));
        assert_eq!(told.metadata["objective"], "multi:softprob");
    }

    #[test]
    fn a_list_of_classes_is_one_column() {
        let told = tell(Cursor::new(JSON.replace("softprob", "softmax"))).unwrap();
        assert_eq!(told.outputs, [Port::column("predict", Element::Float)]);
    }
}
