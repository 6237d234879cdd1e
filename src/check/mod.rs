//! From a yard's files to diagnostics: YAML with positions, then the schema, then what no schema
//! can tell.
//!
//! [`check`] is handed the files of a yard, those it is compared with, and what was found out
//! about artifacts; it gives every problem in one run, in the order of the files. It reads no
//! file, asks no store and knows no time.

pub mod diagnostic;
pub mod evidence;
pub mod files;
pub mod yaml;

pub use diagnostic::{Diagnostic, Severity};
pub use evidence::Evidence;
pub use files::{File, Files};

/// What a check came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// All there is to say, in the order of the files, and in each from its beginning.
    pub diagnostics: Vec<Diagnostic>,
    /// How many records were read.
    pub records: usize,
}

impl Report {
    /// How many diagnostics weigh `severity`.
    pub fn count(&self, severity: Severity) -> usize {
        let weighing = |diagnostic: &&Diagnostic| diagnostic.severity == severity;
        self.diagnostics.iter().filter(weighing).count()
    }

    /// Whether nothing stands against a merge: no errors.
    pub fn passes(&self) -> bool {
        self.count(Severity::Error) == 0
    }
}

/// The codes of this room.
pub mod codes {
    crate::codes! {
        YAML_SYNTAX = "yaml-syntax";
        DUPLICATE_KEY = "duplicate-key";
        YAML_ANCHOR = "yaml-anchor";
        YAML_MERGE_KEY = "yaml-merge-key";
        YAML_TAG = "yaml-tag";
        YAML_KEY = "yaml-key";
        YAML_NUMBER = "yaml-number";
        YAML_DOCUMENTS = "yaml-documents";
        NOT_UTF8 = "not-utf8";
        CONTROL_CHARACTER = "control-character";
        RECORD_EMPTY = "record-empty";
        RECORD_TOO_LARGE = "record-too-large";
        RECORD_TOO_DEEP = "record-too-deep";
    }
}
