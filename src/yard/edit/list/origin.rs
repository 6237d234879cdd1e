//! Which item of a list was which before.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// For each item of `new` the place in `old` of what it was; none is two.
///
/// Equal items are the same; then mappings whose natural key is the same; and where mappings have
/// none, they are the same in their order.
pub(in super::super) fn origins(old: &[Value], new: &[Value]) -> Vec<Option<usize>> {
    let mut origins = vec![None; new.len()];
    let mut alike: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (place, item) in old.iter().enumerate() {
        alike.entry(item.to_string()).or_default().insert(place);
    }
    let mut left: BTreeSet<usize> = (0..old.len()).collect();
    let mut behind = 0;
    for (origin, item) in origins.iter_mut().zip(new) {
        let Some(same) = alike.get_mut(&item.to_string()) else {
            continue;
        };
        // Of equal ones the next, so that they stay in their order.
        let next = same.range(behind..).next().or(same.first()).copied();
        if let Some(place) = next {
            same.remove(&place);
            left.remove(&place);
            (*origin, behind) = (Some(place), place);
        }
    }
    let others = origins.iter_mut().zip(new);
    let others = others.filter(|(origin, item)| origin.is_none() && item.is_object());
    match natural_key(old, new) {
        Some(key) => {
            let keyed = left
                .into_iter()
                .map(|place| (old[place][key].to_string(), place));
            let keyed: BTreeMap<String, usize> = keyed.collect();
            for (origin, item) in others {
                *origin = keyed.get(&item[key].to_string()).copied();
            }
        }
        None => {
            let mappings = left.into_iter().filter(|place| old[*place].is_object());
            for ((origin, _), place) in others.zip(mappings) {
                *origin = Some(place);
            }
        }
    }
    origins
}

/// The first field that tells the items of each of two lists apart: all have it, as a text, no two
/// the same.
fn natural_key<'v>(old: &'v [Value], new: &[Value]) -> Option<&'v str> {
    let tells_apart = |key: &&String, items: &[Value]| {
        let mut known = BTreeSet::new();
        let mut texts = items.iter().map(|item| item.get(key.as_str())?.as_str());
        texts.all(|text| text.is_some_and(|text| known.insert(text)))
    };
    let mut fields = old.first()?.as_object()?.keys();
    let key = fields.find(|key| tells_apart(key, old) && tells_apart(key, new));
    key.map(String::as_str)
}

#[cfg(test)]
mod tests {
    //! Which item stays, changes, comes and goes.

    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_is_known_by_itself_by_its_key_or_by_its_place() {
        for (old, new, wanted) in [
            (
                json!(["a", "b"]),
                json!(["b", "c", "a"]),
                json!([1, null, 0]),
            ),
            // One of equal ones goes, and the others stay in their order.
            (json!(["a", "b", "a"]), json!(["b", "a"]), json!([1, 2])),
            (json!(["a"]), json!(["a", "a"]), json!([0, null])),
            (
                json!([{"v": 1, "name": "a"}, {"v": 2, "name": "b"}]),
                json!([{"v": 1, "name": "b"}, {"v": 2, "name": "c"}]),
                json!([1, null]),
            ),
            // Two of one name are told apart by what else they have.
            (
                json!([{"name": "a", "set": "x"}, {"name": "a", "set": "y"}]),
                json!([{"name": "a", "set": "y", "v": 1}]),
                json!([1]),
            ),
            (
                json!([{"v": 1}, {"v": 1}]),
                json!([{"v": 1}, {"v": 2}]),
                json!([0, 1]),
            ),
            (json!([[1], {"v": [1]}]), json!([{"v": [2]}]), json!([1])),
        ] {
            let (old, new) = (old.as_array().unwrap(), new.as_array().unwrap());
            assert_eq!(json!(origins(old, new)), wanted, "{old:?} {new:?}");
        }
    }
}
