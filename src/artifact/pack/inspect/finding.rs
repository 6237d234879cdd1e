//! What a person should know of files before they are published.

use std::fmt;

use serde::Serialize;

use super::told::Remark;
use crate::artifact::pack::path::FilePath;
use crate::platform::redact::printable;

/// The most names that a finding lists.
const MAX_LISTED: usize = 8;

/// Something about a file that a person should know; it hinders nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum Finding {
    /// A file that is not what its name or first bytes say, or is damaged.
    Unreadable {
        /// The file.
        path: FilePath,
        /// What is wrong.
        reason: String,
    },
    /// Several files of one format, none of which stands out.
    Several {
        /// Their format.
        format: String,
        /// The files.
        paths: Vec<FilePath>,
    },
    /// Weights in another file, which is not there.
    MissingWeights {
        /// The model.
        path: FilePath,
        /// What the model calls the other file.
        location: String,
    },
    /// An input or output that a record can't describe.
    Undescribed {
        /// The model.
        path: FilePath,
        /// The input or output.
        tensor: String,
        /// Why.
        reason: String,
    },
    /// A pickle that imports what no model needs: whoever loads it may run a program.
    Dangerous {
        /// The file.
        path: FilePath,
        /// What it imports, as `posix.system`.
        imports: Vec<String>,
    },
    /// A graph that uses what reaches beyond the model.
    Reaching {
        /// The file.
        path: FilePath,
        /// The operations, as `PyFunc`.
        operations: Vec<String>,
    },
    /// A file that can run code, and was not looked at to its end.
    Unexamined {
        /// The file.
        path: FilePath,
        /// Why.
        reason: String,
    },
}

impl Finding {
    /// What `remark` means for the file at `path`.
    pub(super) fn of(path: &FilePath, remark: &Remark) -> Self {
        let path = path.clone();
        match remark {
            Remark::Dangerous(imports) => Self::Dangerous {
                path,
                imports: imports.clone(),
            },
            Remark::Operations(operations) => Self::Reaching {
                path,
                operations: operations.clone(),
            },
            Remark::Partly(reason) => Self::Unexamined {
                path,
                reason: reason.clone(),
            },
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, reason } => {
                write!(formatter, "`{path}` says nothing of itself: {reason}")
            }
            Self::Several { format, paths } => {
                let paths: Vec<_> = paths.iter().map(|path| format!("`{path}`")).collect();
                write!(
                    formatter,
                    "of several {format} files ({}) none is called `model`, so no inputs and \
                     outputs are told",
                    paths.join(", ")
                )
            }
            Self::MissingWeights { path, location } => write!(
                formatter,
                "`{path}` has weights in `{}`, which is not among the files",
                printable(location)
            ),
            Self::Undescribed {
                path,
                tensor,
                reason,
            } => write!(
                formatter,
                "`{}` of `{path}` is {reason}, which no request can carry",
                printable(tensor)
            ),
            Self::Dangerous { path, imports } => write!(
                formatter,
                "`{path}` imports {}: whoever loads it lets its maker do anything on that machine",
                listed(imports)
            ),
            Self::Reaching { path, operations } => write!(
                formatter,
                "`{path}` uses {}, which reach files and programs outside the model",
                listed(operations)
            ),
            Self::Unexamined { path, reason } => {
                write!(
                    formatter,
                    "`{path}` was not looked at to its end, and can run code: {}",
                    printable(reason)
                )
            }
        }
    }
}

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(MAX_LISTED);
    let mut text: Vec<_> = shown.map(|name| format!("`{}`", printable(name))).collect();
    if names.len() > MAX_LISTED {
        text.push(format!("{} more", names.len() - MAX_LISTED));
    }
    text.join(", ")
}
