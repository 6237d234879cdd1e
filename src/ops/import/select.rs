//! Which versions of a source are meant: `--select name=fraud-*`.

use std::str::FromStr;

use crate::import::Listed;
use crate::import::mapping::fits;
use crate::ops::codes;
use crate::record::{Code, Fault};

/// Which versions are meant: those that every part fits; all where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection(Vec<Part>);

/// One part of a selection, such as `stage=Production`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    key: Key,
    pattern: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Name,
    Version,
    Alias,
    Stage,
    Tag(String),
}

/// What is no part of a selection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` selects nothing: {reason}", text.escape_debug())]
pub struct SelectionError {
    text: String,
    reason: &'static str,
}

impl Fault for SelectionError {
    fn code(&self) -> &'static Code {
        &codes::INVALID_SELECTION
    }

    fn help(&self) -> Option<String> {
        Some(
            "write name=fraud-*, version=12, alias=champion, stage=Production or \
             tag.team=vision; a `*` stands for any characters"
                .to_owned(),
        )
    }
}

impl FromStr for Part {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, SelectionError> {
        let refused = |reason| SelectionError {
            text: text.to_owned(),
            reason,
        };
        let (key, pattern) = text
            .split_once('=')
            .ok_or_else(|| refused("it has no `=`"))?;
        let key = match key {
            "name" => Key::Name,
            "version" => Key::Version,
            "alias" => Key::Alias,
            "stage" => Key::Stage,
            key => match key.strip_prefix("tag.") {
                Some(tag) if !tag.is_empty() => Key::Tag(tag.to_owned()),
                _ => return Err(refused("there is nothing of that name to select by")),
            },
        };
        Ok(Self {
            key,
            pattern: pattern.to_owned(),
        })
    }
}

impl From<Vec<Part>> for Selection {
    fn from(parts: Vec<Part>) -> Self {
        Self(parts)
    }
}

impl Selection {
    /// Whether `listed` is meant.
    pub(super) fn means(&self, listed: &Listed) -> bool {
        self.0.iter().all(|part| part.fits(listed))
    }
}

impl Part {
    fn fits(&self, listed: &Listed) -> bool {
        let is = |word: &str| fits(&self.pattern, word);
        match &self.key {
            Key::Name => is(&listed.model),
            Key::Version => is(&listed.label),
            Key::Alias => listed.aliases.iter().any(|alias| is(alias)),
            Key::Stage => is(listed.stage.as_deref().unwrap_or("None")),
            Key::Tag(tag) => listed.tags.get(tag).is_some_and(|value| is(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    //! What is selected.

    use super::*;

    #[test]
    fn every_part_has_to_fit() {
        let mut listed = Listed::new("fraud-eu", "12", "models:/fraud-eu/12".to_owned());
        listed.aliases = vec!["champion".to_owned()];
        listed.tags.insert("team".to_owned(), "risk".to_owned());
        let means = |parts: &[&str]| {
            let parts: Vec<Part> = parts.iter().map(|part| part.parse().unwrap()).collect();
            Selection::from(parts).means(&listed)
        };
        assert!(means(&[]));
        assert!(means(&[
            "name=fraud-*",
            "alias=champion",
            "tag.team=risk",
            "version=12"
        ]));
        assert!(means(&["stage=None"]));
        assert!(!means(&["name=fraud-*", "stage=Production"]));
        assert!(!means(&["tag.owner=*"]));
        for bad in ["fraud", "model=x", "tag.=x"] {
            assert!(bad.parse::<Part>().is_err(), "{bad}");
        }
    }
}
