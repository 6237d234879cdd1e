//! What is not packed, and why.
//!
//! A `.modelyardignore` speaks gitignore's language for its folder and those below it; the one
//! nearest to a file counts, and in it the last line that fits. What none of them speaks of is
//! left out if it is hidden or a leftover of editors and systems; `!NAME` brings it back.

use std::fmt;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use serde::Serialize;

use super::error::PackError;
use crate::platform::atomic::{FileError, read_at_most};

/// The name of the files that say what is left out.
pub const IGNORE_FILE: &str = ".modelyardignore";

/// The largest [`IGNORE_FILE`]: thousands of patterns.
const MAX_IGNORE_BYTES: u64 = 1024 * 1024;

/// A file or folder that is not packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its path below the folder; a folder's ends with a slash and stands for all that is in it.
    pub path: String,
    /// What left it out.
    #[serde(flatten)]
    pub why: Why,
}

/// What leaves a file out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Why {
    /// Its name begins with a dot.
    Hidden,
    /// An editor, an interpreter or a system left it there.
    Leftover,
    /// A line of an [`IGNORE_FILE`].
    Pattern {
        /// The line.
        pattern: String,
        /// The file, below the folder.
        file: String,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hidden => formatter.write_str("hidden"),
            Self::Leftover => formatter.write_str("a leftover"),
            Self::Pattern { pattern, file } => write!(formatter, "`{pattern}` in {file}"),
        }
    }
}

/// The ignore files of the folders that lie above the entry at hand.
pub(super) struct Ignores {
    root: PathBuf,
    levels: Vec<Level>,
}

struct Level {
    depth: usize,
    file: String,
    patterns: Gitignore,
}

impl Ignores {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            levels: Vec::new(),
        }
    }

    /// Enters `folder`, at `depth` below the root (0 for the root itself), and leaves those at
    /// the same depth and below.
    pub(super) fn enter(&mut self, folder: &Path, depth: usize) -> Result<(), PackError> {
        self.leave(depth);
        let path = folder.join(IGNORE_FILE);
        let Some(patterns) = read(folder, &path)? else {
            return Ok(());
        };
        let below = path.strip_prefix(&self.root).unwrap_or(&path);
        self.levels.push(Level {
            depth,
            file: below.to_string_lossy().into_owned(),
            patterns,
        });
        Ok(())
    }

    /// Forgets the folders at `depth` and below.
    fn leave(&mut self, depth: usize) {
        self.levels.retain(|level| level.depth < depth);
    }

    /// Why the entry at `path`, `depth` below the root, is left out, if it is.
    pub(super) fn leaves_out(&mut self, path: &Path, depth: usize, folder: bool) -> Option<Why> {
        self.leave(depth);
        for level in self.levels.iter().rev() {
            match level.patterns.matched(path, folder) {
                Match::Ignore(glob) => {
                    return Some(Why::Pattern {
                        pattern: glob.original().to_owned(),
                        file: level.file.clone(),
                    });
                }
                Match::Whitelist(_) => return None,
                Match::None => {}
            }
        }
        by_default(&path.file_name()?.to_string_lossy())
    }
}

fn by_default(name: &str) -> Option<Why> {
    let leftover = name.ends_with('~')
        || name.starts_with(".#")
        || (name.starts_with('#') && name.ends_with('#') && name.len() > 1)
        || [".swp", ".swo", ".pyc", ".pyo"]
            .iter()
            .any(|end| name.ends_with(end))
        || matches!(
            name,
            ".DS_Store"
                | "Thumbs.db"
                | "desktop.ini"
                | "__MACOSX"
                | "__pycache__"
                | ".ipynb_checkpoints"
                | ".git"
        );
    if leftover {
        return Some(Why::Leftover);
    }
    name.starts_with('.').then_some(Why::Hidden)
}

/// The patterns of the ignore file at `path`, if there is one.
fn read(folder: &Path, path: &Path) -> Result<Option<Gitignore>, PackError> {
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => {}
        // To go on without it would publish what somebody wanted left out.
        Ok(_) => {
            return Err(PackError::IgnoreNotText {
                path: path.to_owned(),
            });
        }
        Err(_) if path.symlink_metadata().is_err() => return Ok(None),
        Err(error) => return Err(FileError::at("read", path)(error).into()),
    }
    let bytes = read_at_most(path, MAX_IGNORE_BYTES)?;
    let text = String::from_utf8(bytes).map_err(|_| PackError::IgnoreNotText {
        path: path.to_owned(),
    })?;
    let mut builder = GitignoreBuilder::new(folder);
    let lines = text.strip_prefix('\u{feff}').unwrap_or(&text).lines();
    for (index, line) in lines.enumerate() {
        let broken = |source| PackError::Ignore {
            path: path.to_owned(),
            line: index + 1,
            source,
        };
        builder.add_line(None, line).map_err(broken)?;
    }
    let patterns = builder.build().map_err(|source| PackError::Ignore {
        path: path.to_owned(),
        line: 1,
        source,
    })?;
    Ok(Some(patterns))
}
