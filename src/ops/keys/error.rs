//! What can be wrong with the user's keys.

use std::path::PathBuf;

use super::super::codes;
use crate::record::{Code, Fault, Name};

/// Why a key can't be made, found or accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// There is one by that name.
    #[error("there is a key `{name}` already: {}", path.display())]
    Exists {
        /// The name.
        name: Name,
        /// Its file.
        path: PathBuf,
    },
    /// There is none by that name, and no such file.
    #[error("there is no key `{}`", name.escape_debug())]
    NoSuchKey {
        /// The name, or the path.
        name: String,
        /// Those that are there.
        names: Vec<Name>,
    },
    /// There is none at all.
    #[error("there is no key to sign with")]
    NoKey,
    /// There are several, and none is the one that is used when nobody says which.
    #[error("there are {} keys, and nobody says which one signs", names.len())]
    WhichKey {
        /// Those that are there.
        names: Vec<Name>,
    },
    /// The yard has another key at that place.
    #[error("the yard has another key at {path}")]
    OtherKeyInYard {
        /// Where.
        path: String,
    },
}

impl Fault for KeysError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Exists { .. } => &codes::KEY_EXISTS,
            Self::NoSuchKey { .. } => &codes::NO_SUCH_KEY,
            Self::NoKey => &codes::NO_SIGNING_KEY,
            Self::WhichKey { .. } => &codes::WHICH_KEY,
            Self::OtherKeyInYard { .. } => &codes::OTHER_KEY_IN_YARD,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Exists { name, .. } => format!(
                "use it (`modelyard keys show {name}`, `modelyard keys accept {name}`), or give \
                 the new one another name"
            ),
            Self::NoSuchKey { names, .. } if names.is_empty() => {
                "make one with `modelyard keys generate`, or name a key's file or `env://NAME`"
                    .to_owned()
            }
            Self::NoSuchKey { names, .. } => format!(
                "there are {}; or name a key's file or `env://NAME`",
                list(names)
            ),
            Self::NoKey => {
                "make one with `modelyard keys generate`, or name one by `--key` or MODELYARD_KEY"
                    .to_owned()
            }
            Self::WhichKey { names } => {
                format!("name one by `--key` or MODELYARD_KEY: {}", list(names))
            }
            Self::OtherKeyInYard { .. } => {
                "give your key another name, for the one that is there may have signed".to_owned()
            }
        })
    }
}

fn list(names: &[Name]) -> String {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    names.join(", ")
}
