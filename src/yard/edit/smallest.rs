//! From one value to another by changes of its parts, each as small as can be.

use serde_json::{Map, Value};

use super::list::{Slot, origins};
use super::place::Text;
use super::render::Texts;
use crate::check::yaml;

/// `source` with `value` at `pointer`: of a list or mapping that is one already, what it keeps
/// stays as it is. Nothing where a part can't be changed by itself.
pub(super) fn set(source: &[u8], pointer: &str, value: &Value, texts: Texts) -> Option<Vec<u8>> {
    let tree = yaml::parse(source).ok()?;
    match (tree.value().pointer(pointer), value) {
        (Some(old), new) if old == new => Some(source.to_vec()),
        (Some(Value::Object(old)), Value::Object(new)) if !old.is_empty() && !new.is_empty() => {
            fields(source, pointer, old, new, texts)
        }
        (Some(Value::Array(old)), Value::Array(new)) => {
            let origins = origins(old, new);
            match origins.iter().any(Option::is_some) {
                true => items(source, pointer, old, new, &origins, texts),
                false => whole(source, pointer, value, texts),
            }
        }
        _ => whole(source, pointer, value, texts),
    }
}

fn whole(source: &[u8], pointer: &str, value: &Value, texts: Texts) -> Option<Vec<u8>> {
    let tree = yaml::parse(source).ok()?;
    Text::new(source, &tree).with(texts).set(pointer, value)
}

/// What is new comes before what is gone goes, so that no mapping is empty in between.
fn fields(
    source: &[u8],
    pointer: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    texts: Texts,
) -> Option<Vec<u8>> {
    let at = |key: &str| format!("{pointer}/{}", yaml::escape(key));
    let mut source = source.to_vec();
    for (key, value) in new
        .iter()
        .filter(|(key, value)| old.get(*key) != Some(value))
    {
        source = set(&source, &at(key), value, texts)?;
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        let tree = yaml::parse(&source).ok()?;
        source = Text::new(&source, &tree).remove(&at(key))?;
    }
    Some(source)
}

/// Items change where they were, and then each comes to its place.
fn items(
    source: &[u8],
    pointer: &str,
    old: &[Value],
    new: &[Value],
    origins: &[Option<usize>],
    texts: Texts,
) -> Option<Vec<u8>> {
    let mut source = source.to_vec();
    let mut slots = Vec::with_capacity(new.len());
    for (value, origin) in new.iter().zip(origins) {
        slots.push(origin.map_or(Slot::New(value), Slot::Old));
        if let Some(place) = origin.filter(|place| old[*place] != *value) {
            source = set(&source, &format!("{pointer}/{place}"), value, texts)?;
        }
    }
    if slots.iter().copied().eq((0..old.len()).map(Slot::Old)) {
        return Some(source);
    }
    let tree = yaml::parse(&source).ok()?;
    Text::new(&source, &tree)
        .with(texts)
        .arrange(pointer, &slots)
}
