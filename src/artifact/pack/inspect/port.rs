//! What goes into a model and comes out of it, as its file tells it.

use super::element::Element;

/// The most inputs, and outputs, that are told: what a record takes.
pub(super) const MAX_PORTS: usize = 10_000;
/// The most names that a description lists.
const MAX_LISTED: usize = 64;

/// One input or output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) kind: PortKind,
    /// The sizes where the rank is told; -1 is any size.
    pub(super) shape: Option<Vec<i64>>,
    /// What it means, for people.
    pub(super) description: Option<String>,
    /// What each class number means.
    pub(super) labels: Vec<String>,
}

/// What an input or output is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum PortKind {
    /// Nothing is said.
    #[default]
    Unknown,
    Tensor(Element),
    /// A list of values: what `ZipMap` gives.
    Sequence,
    Map,
    Sparse,
    Optional,
}

impl Port {
    /// A tensor.
    pub(super) fn tensor(name: impl Into<String>, element: Element, shape: Vec<i64>) -> Self {
        Self {
            name: name.into(),
            kind: PortKind::Tensor(element),
            shape: Some(shape),
            ..Self::default()
        }
    }

    /// A table's column.
    pub(super) fn column(name: impl Into<String>, element: Element) -> Self {
        Self::tensor(name, element, vec![-1])
    }

    /// Rows of `count` features, of which the file may tell the names.
    pub(super) fn features(element: Element, count: u64, names: &[String]) -> Self {
        let count = i64::try_from(count).unwrap_or(-1);
        let description = (!names.is_empty()).then(|| {
            let listed = names.iter().take(MAX_LISTED).map(String::as_str);
            let mut text = listed.collect::<Vec<_>>().join(", ");
            if names.len() > MAX_LISTED {
                text.push_str(", …");
            }
            text
        });
        Self {
            description,
            ..Self::tensor("features", element, vec![-1, count])
        }
    }
}
