//! A model's card: Markdown with front matter in YAML, and what both say in a record's words.
//!
//! ```text
//! ---
//! license: apache-2.0            front matter: licence, task, library, data, results, …
//! pipeline_tag: image-classification
//! modelyard: {version: {…}}      what we wrote when we exported it, and the hub has no word for
//! ---
//! # Surface defects              the body
//! ```
//!
//! Nothing of it is lost: a key that has no field in a record is told as `card.<key>`, and the card
//! itself becomes the model's card here, whole.
//!
//! Source: "Model cards" in the hub's documentation, and `REGEX_YAML_BLOCK` of `huggingface_hub`,
//! which says where the front matter ends.

mod tell;

use serde_json::{Map, Value};

pub(super) use tell::{PROPERTIES, Told, tell};

use crate::check::yaml;

/// The file.
pub(super) const FILE: &str = "README.md";

/// The largest card: what a yard takes as a file.
pub(super) const MAX_BYTES: u64 = 16 << 20;

/// The most metrics that a record has.
pub(super) const MAX_METRICS: usize = 4096;

/// The longest line of text that a record has, in characters.
const MAX_LINE: usize = 255;

/// A card, in its two parts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Card {
    /// What its front matter says.
    pub front: Map<String, Value>,
    /// All behind the front matter.
    pub body: String,
    /// Why the front matter can't be read, if it can't.
    pub broken: Option<String>,
}

impl Card {
    /// The card with this text.
    pub(super) fn read(text: &str) -> Self {
        let (front, body) = split(text);
        let mut card = Self {
            body: body.to_owned(),
            ..Self::default()
        };
        let Some(front) = front else { return card };
        match yaml::read(front.as_bytes()) {
            // A key that occurs twice counts as it does first, as for the hub.
            (Some(tree), _) => match tree.into_value() {
                Value::Object(front) => card.front = front,
                Value::Null => {}
                _ => card.broken = Some("it is no mapping".to_owned()),
            },
            (None, problems) => {
                let first = problems.first().map(|problem| problem.message.clone());
                card.broken = Some(first.unwrap_or_else(|| "it is no YAML".to_owned()));
            }
        }
        card
    }
}

/// The front matter of a card, without its marks, and the rest.
fn split(text: &str) -> (Option<&str>, &str) {
    let bare = text.trim_start_matches('\u{feff}');
    let begins = bare.trim_start().strip_prefix("---");
    let Some(inner) = begins.and_then(after_break) else {
        return (None, bare);
    };
    let mut at = 0;
    while let Some(found) = inner[at..].find("\n---") {
        let mark = at + found;
        let behind = inner[mark + 4..].trim_start_matches([' ', '\t']);
        if behind.is_empty() {
            return (Some(&inner[..mark]), "");
        }
        if let Some(body) = after_break(behind) {
            return (Some(&inner[..mark]), body);
        }
        at = mark + 4;
    }
    (None, bare)
}

fn after_break(text: &str) -> Option<&str> {
    text.strip_prefix("\r\n")
        .or_else(|| text.strip_prefix('\n'))
}

/// A text that can stand in a record as a line: not empty, not too long, no control characters.
pub(super) fn line(value: &Value) -> Option<&str> {
    let text = value.as_str()?;
    let fits = !text.trim().is_empty()
        && text.chars().count() <= MAX_LINE
        && !text.chars().any(char::is_control);
    fits.then_some(text)
}

/// One text, or a list of texts; nothing where one of them is none.
pub(super) fn lines(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::Array(items) => items.iter().map(line).collect(),
        one => line(one).map(|line| vec![line]),
    }
}

#[cfg(test)]
mod tests {
    //! Where the front matter ends.

    use super::*;

    #[test]
    fn front_matter_ends_where_the_hub_says() {
        for (text, front, body) in [
            ("---\na: 1\n---\n# T\n", Some("a: 1"), "# T\n"),
            (
                "\u{feff}\n---\r\na: 1\r\n---  \r\n# T",
                Some("a: 1\r"),
                "# T",
            ),
            ("---\na: 1\n---", Some("a: 1"), ""),
            (
                "---\na: |\n  x\n---more\n---\nb",
                Some("a: |\n  x\n---more"),
                "b",
            ),
            ("# T\n---\na: 1\n---\n", None, "# T\n---\na: 1\n---\n"),
            ("---\na: 1\n", None, "---\na: 1\n"),
            ("", None, ""),
        ] {
            assert_eq!(split(text), (front, body), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_yaml_is_told_and_the_body_stays() {
        let card = Card::read("---\na: [\n---\n# T\n");
        assert!(card.broken.is_some());
        assert_eq!(card.body, "# T\n");
        let card = Card::read("---\nlanguage: no\nlicense: mit\n---\n");
        assert_eq!(card.front["language"], "no");
        assert_eq!(card.broken, None);
    }
}
