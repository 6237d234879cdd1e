//! Changes a record's text by its smallest piece, so that comments and layout stay.
//!
//! What to replace is told by the places of keys and values that the one YAML parser gives; the
//! result is parsed again and has to be what was meant, and nothing else, or the edit fails and
//! the text stays as it was.
//!
//! ```text
//! spec:                              spec:
//!   title: Digits   # for people       title: Digits   # for people
//!   aliases:                    ->     aliases:
//!     champion: 1.0.0 # since May        champion: 1.1.0 # since May
//! ```
//!
//! A list or a mapping that becomes another one is changed part by part: what it keeps stays byte
//! for byte, with its comments; what goes takes its own with it.

mod list;
mod place;
mod render;
mod smallest;

use serde_json::Value;

use super::codes;
use crate::check::yaml::{self, Problems};
use crate::record::{Code, Fault};
use place::Text;
use render::Texts;

/// Why a text could not be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is no YAML record to begin with.
    #[error(transparent)]
    Yaml(#[from] Problems),
    /// There is nothing that could hold what is to be written.
    #[error("`{pointer}` can't be set: what it is part of is no mapping")]
    NoPlace {
        /// The JSON pointer of the place.
        pointer: String,
    },
    /// The result would not have been what was meant.
    #[error("`{pointer}` can't be changed in place without changing more")]
    NotInPlace {
        /// The JSON pointer of the place.
        pointer: String,
    },
}

impl Fault for EditError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Yaml(problems) => problems.code(),
            _ => &codes::NOT_EDITED,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Yaml(problems) => problems.help(),
            _ => Some("change the file by hand, on a branch of your own".to_owned()),
        }
    }
}

/// `source` with `value` at JSON pointer `pointer`; mappings on the way are made where they are
/// missing, and `null` removes what is there. What is so already stays byte for byte.
///
/// Of lists, equal items are the same before and after, and so are mappings that a natural key
/// names: the first text that tells all of them apart.
///
/// # Errors
/// [`EditError`].
pub fn set(source: &[u8], pointer: &str, value: &Value) -> Result<Vec<u8>, EditError> {
    let tree = yaml::parse(source)?;
    let mut wanted = tree.value().clone();
    let no_place = || EditError::NoPlace {
        pointer: pointer.to_owned(),
    };
    if value.is_null() {
        if wanted.pointer(pointer).is_none() {
            return Ok(source.to_vec());
        }
        if let Some((list, items)) = without_item(&wanted, pointer) {
            return set(source, list, &Value::Array(items));
        }
        remove_value(&mut wanted, pointer);
        let edited = Text::new(source, &tree).remove(pointer);
        return checked(edited.ok_or_else(no_place)?, pointer, &wanted);
    }
    if wanted.pointer(pointer) == Some(value) {
        return Ok(source.to_vec());
    }
    set_value(&mut wanted, pointer, value).ok_or_else(no_place)?;
    let small = |texts| smallest::set(source, pointer, value, texts);
    let whole = |texts| Text::new(source, &tree).with(texts).set(pointer, value);
    first_that_is(&wanted, pointer, small).or_else(|_| first_that_is(&wanted, pointer, whole))
}

/// `source` with `item` at the end of the list at JSON pointer `pointer`, which is made where it
/// is missing. An equal item that is there already is not added again.
///
/// # Errors
/// [`EditError`].
pub fn add(source: &[u8], pointer: &str, item: &Value) -> Result<Vec<u8>, EditError> {
    let tree = yaml::parse(source)?;
    let mut items = match tree.value().pointer(pointer) {
        Some(Value::Array(items)) => items.clone(),
        None | Some(Value::Null) => Vec::new(),
        Some(_) => {
            return Err(EditError::NoPlace {
                pointer: pointer.to_owned(),
            });
        }
    };
    if items.contains(item) {
        return Ok(source.to_vec());
    }
    items.push(item.clone());
    set(source, pointer, &Value::Array(items))
}

/// The first edit that is what was meant, tried with texts of several lines as people write them
/// and then on one line: comments that stand behind would become part of the former.
fn first_that_is(
    wanted: &Value,
    pointer: &str,
    edit: impl Fn(Texts) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, EditError> {
    let edited = |texts| {
        let edited = edit(texts).ok_or_else(|| EditError::NoPlace {
            pointer: pointer.to_owned(),
        });
        edited.and_then(|edited| checked(edited, pointer, wanted))
    };
    edited(Texts::OnLines).or_else(|_| edited(Texts::OnOne))
}

/// `edited`, if it is what was meant.
fn checked(edited: Vec<u8>, pointer: &str, wanted: &Value) -> Result<Vec<u8>, EditError> {
    match yaml::parse(&edited) {
        Ok(tree) if tree.value() == wanted => Ok(edited),
        _ => Err(EditError::NotInPlace {
            pointer: pointer.to_owned(),
        }),
    }
}

/// The parent's pointer and the last token, unescaped.
fn split(pointer: &str) -> Option<(&str, String)> {
    let (parent, token) = pointer.rsplit_once('/')?;
    Some((parent, token.replace("~1", "/").replace("~0", "~")))
}

fn set_value(root: &mut Value, pointer: &str, value: &Value) -> Option<()> {
    if let Some(place) = root.pointer_mut(pointer) {
        *place = value.clone();
        return Some(());
    }
    let (parent, key) = split(pointer)?;
    if root.pointer(parent).is_none_or(Value::is_null) {
        set_value(root, parent, &Value::Object(serde_json::Map::new()))?;
    }
    let map = root.pointer_mut(parent)?.as_object_mut()?;
    map.insert(key, value.clone());
    Some(())
}

/// The list that has the item at `pointer`, if it is one's, and what is left without it.
fn without_item<'p>(root: &Value, pointer: &'p str) -> Option<(&'p str, Vec<Value>)> {
    let (parent, index) = split(pointer)?;
    let mut items = root.pointer(parent)?.as_array()?.clone();
    items.remove(index.parse().ok()?);
    Some((parent, items))
}

/// Removes a field, and the mappings that it leaves empty, but for the outermost.
fn remove_value(root: &mut Value, pointer: &str) {
    let Some((parent, key)) = split(pointer) else {
        return;
    };
    let Some(Value::Object(map)) = root.pointer_mut(parent) else {
        return;
    };
    map.shift_remove(&key);
    if map.is_empty() && parent.matches('/').count() > 1 {
        remove_value(root, parent);
    }
}

#[cfg(test)]
mod tests;
