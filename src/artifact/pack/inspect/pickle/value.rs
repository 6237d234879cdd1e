//! What stands on a pickle's stack, as far as it is followed.
//!
//! Names, keys and sizes are followed; all else is only counted. Everything here is small and
//! shallow, whatever the pickle says.

use std::rc::Rc;

/// The longest text that is followed: a module, a class, a key, a version.
const MAX_TEXT_BYTES: usize = 256;
/// The most values of a tuple that is followed.
const MAX_TUPLE: usize = 64;
/// The most entries of a dictionary that are followed.
const MAX_ENTRIES: usize = 64;
/// How deep values may lie in one another: dropping deeper ones would use up the stack.
const MAX_DEPTH: u8 = 16;

/// A module and a name in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::artifact::pack::inspect) struct Global {
    pub(in crate::artifact::pack::inspect) module: String,
    pub(in crate::artifact::pack::inspect) name: String,
}

impl Global {
    pub(super) fn is(&self, module: &str, name: &str) -> bool {
        self.module == module && self.name == name
    }
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Mark,
    Int(i64),
    Text(Rc<str>),
    Global(Rc<Global>),
    Tuple(Rc<Nested<Vec<Value>>>),
    Dict(Rc<Nested<Entries>>),
    Object(Rc<Nested<Object>>),
    /// What is not followed.
    Other,
}

pub(super) type Entries = Vec<(Rc<str>, Value)>;

/// What a class or function makes of its arguments.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) class: Rc<Global>,
    pub(super) arguments: Value,
}

/// A value with values in it, and how deep they go.
#[derive(Debug)]
pub(super) struct Nested<T> {
    pub(super) inner: T,
    depth: u8,
}

impl Value {
    pub(super) fn text(bytes: &[u8]) -> Self {
        if bytes.len() > MAX_TEXT_BYTES {
            return Self::Other;
        }
        std::str::from_utf8(bytes).map_or(Self::Other, |text| Self::Text(text.into()))
    }

    pub(super) fn tuple(values: Vec<Self>) -> Self {
        let depth = values.iter().map(Self::depth).max().unwrap_or_default();
        if values.len() > MAX_TUPLE || depth >= MAX_DEPTH {
            return Self::Other;
        }
        Self::Tuple(Rc::new(Nested {
            inner: values,
            depth: depth + 1,
        }))
    }

    pub(super) fn object(class: Rc<Global>, arguments: Self) -> Self {
        let arguments = if arguments.depth() >= MAX_DEPTH {
            Self::Other
        } else {
            arguments
        };
        Self::Object(Rc::new(Nested {
            depth: arguments.depth() + 1,
            inner: Object { class, arguments },
        }))
    }

    /// A dictionary of what this one has and `pairs`, keys and values in turn.
    pub(super) fn with(&self, pairs: &[Self]) -> Self {
        let mut entries = match self {
            Self::Dict(entries) => entries.inner.clone(),
            _ => return Self::Other,
        };
        for pair in pairs.chunks_exact(2) {
            if entries.len() >= MAX_ENTRIES {
                break;
            }
            if let Self::Text(key) = &pair[0]
                && pair[1].depth() < MAX_DEPTH
            {
                entries.push((Rc::clone(key), pair[1].clone()));
            }
        }
        Self::dict(entries)
    }

    pub(super) fn dict(entries: Entries) -> Self {
        let depths = entries.iter().map(|(_, value)| value.depth());
        Self::Dict(Rc::new(Nested {
            depth: depths.max().unwrap_or_default() + 1,
            inner: entries,
        }))
    }

    /// The last value that a dictionary has for `key`.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Dict(entries) = self else {
            return None;
        };
        let mut entries = entries.inner.iter().rev();
        entries.find(|(name, _)| &**name == key).map(|(_, v)| v)
    }

    pub(super) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_tuple(&self) -> Option<&[Self]> {
        match self {
            Self::Tuple(values) => Some(&values.inner),
            _ => None,
        }
    }

    pub(super) fn as_global(&self) -> Option<&Rc<Global>> {
        match self {
            Self::Global(global) => Some(global),
            _ => None,
        }
    }

    pub(super) fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(&object.inner),
            _ => None,
        }
    }

    fn depth(&self) -> u8 {
        match self {
            Self::Tuple(nested) => nested.depth,
            Self::Dict(nested) => nested.depth,
            Self::Object(nested) => nested.depth,
            _ => 0,
        }
    }
}
