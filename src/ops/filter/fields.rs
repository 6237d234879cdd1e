//! Which fields there are, and what they lead to.
//!
//! The fields are those of the kinds' schemas, so that a mistyped one is told and never just
//! finds nothing.

use std::sync::LazyLock;

use serde_json::Value;

use crate::check::closest::closest;
use crate::record::kind::Kind;

/// What a filter chooses among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Versions with what their models say: also models, by what their versions say.
    Versions,
    /// Deployments.
    Deployments,
}

/// What a row has beside its records' fields, or in other places than these: what it is, and
/// where it is told.
const OF_VERSIONS: [&str; 8] = [
    "model",
    "namespace",
    "name",
    "version",
    "labels",
    "alias",
    "score",
    "size",
];
const OF_DEPLOYMENTS: [&str; 2] = ["name", "environment"];

/// A field that there is not.
pub(super) struct Unknown {
    /// Which of its parts is unknown, from 0.
    pub(super) part: usize,
    /// The field up to that part.
    pub(super) path: String,
    pub(super) help: String,
}

static SCHEMAS: LazyLock<[(Kind, Value); 3]> = LazyLock::new(|| {
    [Kind::ModelVersion, Kind::Model, Kind::Deployment].map(|kind| {
        let schema = serde_json::from_str(kind.schema());
        (kind, schema.expect("our own schemas are JSON"))
    })
});

impl Subject {
    fn schemas(self) -> impl Iterator<Item = &'static Value> {
        let wanted = move |kind: Kind| (kind == Kind::Deployment) == (self == Self::Deployments);
        SCHEMAS
            .iter()
            .filter(move |(kind, _)| wanted(*kind))
            .map(|(_, schema)| schema)
    }

    fn own(self) -> &'static [&'static str] {
        match self {
            Self::Versions => &OF_VERSIONS,
            Self::Deployments => &OF_DEPLOYMENTS,
        }
    }
}

/// The names of all fields at the top, sorted, for help and completions.
pub fn known(subject: Subject) -> Vec<&'static str> {
    let specs = subject.schemas().flat_map(|schema| {
        let properties = schema.pointer("/properties/spec/properties");
        properties.and_then(Value::as_object).into_iter().flatten()
    });
    let mut names: Vec<&str> = specs.map(|(name, _)| name.as_str()).collect();
    names.extend(subject.own());
    names.sort_unstable();
    names.dedup();
    names
}

/// Makes sure that `field` is one that records of `subject` can have.
pub(super) fn check(subject: Subject, field: &[String]) -> Result<(), Unknown> {
    let (first, rest) = field.split_first().expect("a field has a name");
    if subject.own().contains(&first.as_str()) {
        return Ok(());
    }
    for schema in subject.schemas() {
        let pointer = format!("/properties/spec/properties/{first}");
        if let Some(node) = schema.pointer(&pointer) {
            return check_below(node, schema, rest, 1).map_err(|(part, known)| Unknown {
                part,
                path: field[..=part].join("."),
                help: hint(&field[part], &known, &field[..part]),
            });
        }
    }
    let known = known(subject);
    Err(Unknown {
        part: 0,
        path: first.clone(),
        help: hint(first, &known, &[]),
    })
}

/// The part that nothing stands for, and what could stand there.
type Stray<'a> = (usize, Vec<&'a str>);

fn check_below<'a>(
    node: &'a Value,
    schema: &'a Value,
    rest: &[String],
    part: usize,
) -> Result<(), Stray<'a>> {
    let Some((first, after)) = rest.split_first() else {
        return Ok(());
    };
    let node = followed(node, schema);
    let mut known = Vec::new();
    if let Some(items) = node.get("items") {
        let items = followed(items, schema);
        let named = items.pointer("/properties/name").is_some();
        if items.pointer(&format!("/properties/{first}")).is_some() || !named {
            return check_below(items, schema, rest, part);
        }
        // Any name may be that of an item.
        return check_below(items, schema, after, part + 1);
    }
    for variant in ["oneOf", "anyOf"] {
        let variants = node.get(variant).and_then(Value::as_array);
        for variant in variants.into_iter().flatten() {
            match check_below(variant, schema, rest, part) {
                Ok(()) => return Ok(()),
                Err((at, names)) if at == part => known.extend(names),
                Err(deeper) => return Err(deeper),
            }
        }
    }
    let properties = node.get("properties").and_then(Value::as_object);
    if let Some(below) = properties.and_then(|properties| properties.get(first)) {
        return check_below(below, schema, after, part + 1);
    }
    match node.get("additionalProperties") {
        Some(Value::Object(_)) => return Ok(()),
        Some(Value::Bool(true)) => return Ok(()),
        _ => {}
    }
    known.extend(
        properties
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str()),
    );
    Err((part, known))
}

fn followed<'a>(node: &'a Value, schema: &'a Value) -> &'a Value {
    let mut node = node;
    // A schema's references are few and lead on; a bound keeps a circle from being one.
    for _ in 0..16 {
        let target = node.get("$ref").and_then(Value::as_str);
        match target.and_then(|target| schema.pointer(target.trim_start_matches('#'))) {
            Some(next) => node = next,
            None => break,
        }
    }
    node
}

fn hint(wanted: &str, known: &[&str], above: &[String]) -> String {
    let place = |name: &str| {
        let mut parts: Vec<&str> = above.iter().map(String::as_str).collect();
        parts.push(name);
        parts.join(".")
    };
    match closest(wanted, known.iter().copied()) {
        Some(meant) => format!("did you mean `{}`?", place(meant)),
        None if known.is_empty() => format!("nothing lies below `{}`", above.join(".")),
        None => format!("there are {}", known.join(", ")),
    }
}

/// Whether `test` holds for any of the values that `field` leads to in `record`.
pub(super) fn any(record: &Value, field: &[String], test: &dyn Fn(&Value) -> bool) -> bool {
    let Some((first, rest)) = field.split_first() else {
        return leaf(record, test);
    };
    match record {
        Value::Object(object) => object
            .get(first)
            .is_some_and(|below| any(below, rest, test)),
        Value::Array(items) => items.iter().any(|item| {
            let named = item.get("name").and_then(Value::as_str) == Some(first);
            (named && any(item, rest, test))
                || (item.get(first).is_some() && any(item, field, test))
        }),
        _ => false,
    }
}

/// A list's items, and of an object what it is about.
fn leaf(value: &Value, test: &dyn Fn(&Value) -> bool) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => items.iter().any(|item| leaf(item, test)),
        Value::Object(object) => {
            let about = ["value", "version", "name", "team", "title"];
            let about = about.iter().find_map(|key| object.get(*key));
            match about {
                Some(about) => test(about),
                None => !object.is_empty() && test(value),
            }
        }
        scalar => test(scalar),
    }
}
