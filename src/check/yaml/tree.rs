//! The parsed record: its value, and where each part of it stands.

use serde_json::Value;

use super::Span;

/// A record's value with the place of everything in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    pub(super) value: Value,
    pub(super) root: Place,
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The value's bytes: quotes, brackets and a block scalar's header within, comments and line
    /// breaks behind it without; empty where nothing is written (`key:`).
    pub span: Span,
    /// How it is written.
    pub style: Style,
    /// What it consists of, in the order of the value's.
    pub children: Children,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A scalar without quotes.
    Plain,
    /// A scalar in `'…'`.
    SingleQuoted,
    /// A scalar in `"…"`.
    DoubleQuoted,
    /// A scalar behind `|`.
    Literal,
    /// A scalar behind `>`.
    Folded,
    /// A list or mapping told by indentation.
    Block,
    /// A list in `[…]` or a mapping in `{…}`.
    Flow,
}

/// The places of what a value consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Children {
    /// A scalar has none.
    None,
    /// A list's items.
    Items(Vec<Place>),
    /// A mapping's fields.
    Fields(Vec<Field>),
}

/// Where a mapping's field stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Where it begins: at its key, or at the `?` that says that this is one.
    pub start: usize,
    /// The key's bytes, its quotes within.
    pub key: Span,
    /// The value's place.
    pub value: Place,
}

impl Tree {
    /// The record as JSON knows it.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Gives the value away.
    pub fn into_value(self) -> Value {
        self.value
    }

    /// The whole record's place.
    pub fn root(&self) -> &Place {
        &self.root
    }

    /// The place of what JSON pointer `pointer` names (RFC 6901; the empty one is the whole).
    pub fn place(&self, pointer: &str) -> Option<&Place> {
        let (place, _, rest) = self.walk(pointer);
        rest.is_empty().then_some(place)
    }

    /// The bytes of the value that `pointer` names.
    pub fn value_span(&self, pointer: &str) -> Option<Span> {
        self.place(pointer).map(|place| place.span)
    }

    /// The bytes of the key under which the value that `pointer` names stands.
    pub fn key_span(&self, pointer: &str) -> Option<Span> {
        match self.walk(pointer) {
            (_, key, "") => key,
            _ => None,
        }
    }

    /// The key of what `pointer` names, or of the nearest thing around it that has one: where to
    /// say that something is missing.
    pub fn nearest_key(&self, pointer: &str) -> Span {
        let mut pointer = pointer;
        loop {
            if let Some(key) = self.key_span(pointer) {
                return key;
            }
            match pointer.rfind('/') {
                Some(slash) => pointer = &pointer[..slash],
                None => return self.first_key(),
            }
        }
    }

    /// The value that `pointer` names, or the nearest key around it.
    pub fn nearest_value(&self, pointer: &str) -> Span {
        match self.place(pointer) {
            Some(place) if place.span.start < place.span.end => place.span,
            _ => self.nearest_key(pointer),
        }
    }

    fn first_key(&self) -> Span {
        match &self.root.children {
            Children::Fields(fields) if !fields.is_empty() => fields[0].key,
            _ => self.root.span,
        }
    }

    /// Follows `pointer` as far as it goes: the last place, its key, and what is left to follow.
    fn walk<'p>(&self, pointer: &'p str) -> (&Place, Option<Span>, &'p str) {
        let (mut value, mut place, mut key) = (&self.value, &self.root, None);
        let mut rest = pointer;
        while let Some(tail) = rest.strip_prefix('/') {
            let (token, next) = match tail.find('/') {
                Some(slash) => tail.split_at(slash),
                None => (tail, ""),
            };
            let step = match (value, &place.children) {
                (Value::Array(items), Children::Items(places)) => token
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| Some((items.get(index)?, places.get(index)?, None))),
                (Value::Object(map), Children::Fields(fields)) => {
                    let name = token.replace("~1", "/").replace("~0", "~");
                    map.keys()
                        .position(|known| *known == name)
                        .and_then(|index| {
                            let field = fields.get(index)?;
                            Some((map.get(&name)?, &field.value, Some(field.key)))
                        })
                }
                _ => None,
            };
            let Some(step) = step else {
                break;
            };
            (value, place, key) = step;
            rest = next;
        }
        (place, key, rest)
    }
}

/// `token` as a part of a JSON pointer.
pub fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}
