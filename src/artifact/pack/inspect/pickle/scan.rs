//! What was told by walking a pickle.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::machine::{Arrays, Machine};
use super::value::{Global, Value};
use crate::artifact::pack::inspect::element::Element;
use crate::artifact::pack::inspect::stream::{Forward, Stream};

/// The most opcodes that are walked.
const MAX_OPERATIONS: u64 = 20_000_000;
/// The most names that are kept.
const MAX_GLOBALS: usize = 4096;
/// The most bytes of texts that are followed.
const MAX_HELD_BYTES: usize = 16 * 1024 * 1024;
/// The most of PyTorch's storages that are counted.
const MAX_STORAGES: usize = 1 << 16;
/// The most pickles, one behind another: PyTorch's older files have five.
const MAX_PICKLES: usize = 16;

/// What a walk told.
#[derive(Debug, Default)]
pub(in crate::artifact::pack::inspect) struct Scan {
    /// What it imports.
    pub(in crate::artifact::pack::inspect) globals: BTreeSet<Global>,
    /// The class of what it is.
    pub(in crate::artifact::pack::inspect) root: Option<Global>,
    /// Whether it imports something by a name that isn't told.
    pub(in crate::artifact::pack::inspect) unresolved: bool,
    /// Whether joblib's arrays are in it.
    pub(in crate::artifact::pack::inspect) has_arrays: bool,
    /// The version of scikit-learn that wrote it.
    pub(in crate::artifact::pack::inspect) sklearn_version: Option<String>,
    /// How many features scikit-learn's estimator was fitted with.
    pub(in crate::artifact::pack::inspect) feature_count: Option<i64>,
    /// PyTorch's storages by their keys, each with its type and how many elements it has.
    pub(in crate::artifact::pack::inspect) storages: BTreeMap<String, (Element, u64)>,
    /// Whether more than a model's own weights is among them.
    pub(in crate::artifact::pack::inspect) has_optimizer: bool,
    /// Why not all of it was walked.
    pub(in crate::artifact::pack::inspect) broken: Option<String>,
    operations: u64,
    held_bytes: usize,
    key: Option<Key>,
}

/// A key whose value is asked for.
#[derive(Debug, Clone, Copy)]
enum Key {
    SklearnVersion,
    FeatureCount,
}

impl Scan {
    /// Nothing, for the reason that is given.
    pub(super) fn unread(reason: String) -> Self {
        Self {
            broken: Some(reason),
            ..Self::default()
        }
    }

    /// Walks the pickles at the beginning of `stream`.
    pub(super) fn walk<S: Forward>(stream: &mut Stream<S>, arrays: Arrays) -> Self {
        let mut scan = Self::default();
        if let Err(error) = scan.walk_all(stream, arrays) {
            scan.broken = Some(error.to_string());
        }
        scan
    }

    fn walk_all<S: Forward>(&mut self, stream: &mut Stream<S>, arrays: Arrays) -> io::Result<()> {
        for _ in 0..MAX_PICKLES {
            self.key = None;
            let left = Machine::new(stream, self, arrays).run()?;
            if self.root.is_none() {
                self.root = left.as_object().map(|object| (*object.class).clone());
            }
            // Whoever puts several into one file says each protocol.
            if stream.peek()? != Some(0x80) {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn count(&mut self) -> io::Result<()> {
        self.operations += 1;
        if self.operations > MAX_OPERATIONS {
            let limit = format!("it has more than the {MAX_OPERATIONS} opcodes that are walked");
            return Err(io::Error::other(limit));
        }
        Ok(())
    }

    /// The text as a value, while there is room for it.
    pub(super) fn hold(&mut self, bytes: &[u8]) -> Value {
        if self.has_room(bytes.len()) {
            Value::text(bytes)
        } else {
            Value::Other
        }
    }

    /// Takes room for a text of `length` bytes, if there is some.
    pub(super) fn has_room(&mut self, length: usize) -> bool {
        self.held_bytes = self.held_bytes.saturating_add(length);
        self.held_bytes <= MAX_HELD_BYTES
    }

    pub(super) fn pushed(&mut self, value: &Value) {
        match self.key.take() {
            Some(Key::SklearnVersion) => {
                self.sklearn_version = value.as_text().map(str::to_owned);
            }
            // That of the outermost estimator's first step comes first.
            Some(Key::FeatureCount) if self.feature_count.is_none() => {
                self.feature_count = value.as_int();
            }
            _ => {}
        }
        if let Value::Text(text) = value {
            self.key = match &**text {
                "_sklearn_version" => Some(Key::SklearnVersion),
                "n_features_in_" => Some(Key::FeatureCount),
                text => {
                    self.has_optimizer |= text.contains("optimizer") && !text.contains('.');
                    None
                }
            };
        }
    }

    pub(super) fn imported(&mut self, global: &Global) {
        if self.globals.len() < MAX_GLOBALS {
            self.globals.insert(global.clone());
        } else if !self.globals.contains(global) {
            self.unresolved = true;
        }
    }

    /// PyTorch's name for a storage: `('storage', torch.FloatStorage, key, place, elements)`.
    pub(super) fn persistent(&mut self, id: &Value) {
        let Some([kind, class, key, _, count, ..]) = id.as_tuple() else {
            return;
        };
        if kind.as_text() != Some("storage") || self.storages.len() >= MAX_STORAGES {
            return;
        }
        let element = class
            .as_global()
            .and_then(|class| storage_element(&class.name));
        let count = count.as_int().and_then(|count| u64::try_from(count).ok());
        if let (Some(element), Some(key), Some(count)) = (element, key.as_text(), count) {
            self.storages.insert(key.to_owned(), (element, count));
        }
    }
}

/// What PyTorch's storages of a type are called.
fn storage_element(name: &str) -> Option<Element> {
    Some(match name.strip_suffix("Storage")? {
        "Float" => Element::Float,
        "Double" => Element::Double,
        "Half" => Element::Float16,
        "BFloat16" => Element::Bfloat16,
        "Long" => Element::Int64,
        "Int" => Element::Int32,
        "Short" => Element::Int16,
        "Char" | "QInt8" => Element::Int8,
        "Byte" | "QUInt8" => Element::Uint8,
        "Bool" => Element::Bool,
        _ => return None,
    })
}
