//! From a yard's files to diagnostics: YAML with positions, then the schema, then what no schema
//! can tell.
//!
//! Everything can be checked, or only what a change can affect: each rule declares what it reads
//! beside the record that it is about, and so whom a change reaches.
//!
//! [`check`] is handed the files of a yard, those it is compared with, and what was found out
//! about artifacts; it gives every problem in one run, in the order of the files. It reads no
//! file, asks no store and knows no time.

pub mod closest;
pub mod diagnostic;
pub mod document;
pub mod evidence;
pub mod files;
pub mod gates;
mod holdings;
pub mod layout;
mod reach;
mod reading;
mod records;
mod referrers;
mod rules;
mod schema;
mod secrets;
pub mod source;
pub mod spread;
pub mod yaml;

pub use diagnostic::{Diagnostic, Severity};
pub use evidence::Evidence;
pub use files::{File, Files};
pub use reading::{Reading, Side};
pub use referrers::Referrers;
pub use secrets::looks_like_secret;
pub use source::{Listing, Source};

/// What a check came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// All there is to say, in the order of the files, and in each from its beginning.
    pub diagnostics: Vec<Diagnostic>,
    /// How many records were held to the rules.
    pub records: usize,
    /// Whether these were only what a change affects.
    pub of_change: bool,
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

/// Checks the yard `head`: alone, or as a change of `base`; with what was found out about its
/// artifacts, if something was.
///
/// Whoever has to know first what is to be found out, evaluates gates, or has threads, makes the
/// [`Reading`] itself.
pub fn check(head: Files, base: Option<Files>, evidence: Option<&Evidence>) -> Report {
    Reading::new(head, base, &spread::InTurn).report(evidence, gates::Gates::Unasked)
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
        RECORD_IS_LINK = "record-is-link";
        RECORD_UNREAD = "record-unread";
        UNEXPECTED_FILE = "unexpected-file";
        NO_YARD_RECORD = "no-yard-record";
        WRONG_KIND = "wrong-kind";
        NAME_MISMATCH = "name-mismatch";
        UNKNOWN_FIELD = "unknown-field";
        MISSING_FIELD = "missing-field";
        FIELDS_CONFLICT = "fields-conflict";
        WRONG_TYPE = "wrong-type";
        WRONG_VALUE = "wrong-value";
        PLAIN_SECRET = "plain-secret";
        DUPLICATE_NAME = "duplicate-name";
        MODEL_WITHOUT_RECORD = "model-without-record";
        UNKNOWN_MODEL = "unknown-model";
        UNKNOWN_VERSION = "unknown-version";
        UNKNOWN_ALIAS = "unknown-alias";
        UNKNOWN_ENVIRONMENT = "unknown-environment";
        UNKNOWN_POOL = "unknown-pool";
        UNKNOWN_DEPLOYMENT = "unknown-deployment";
        UNKNOWN_INPUT = "unknown-input";
        UNKNOWN_OUTPUT = "unknown-output";
        UNKNOWN_PARAMETER = "unknown-parameter";
        PARAMETER_MISFIT = "parameter-misfit";
        UNKNOWN_TEST = "unknown-test";
        UNKNOWN_ANALYSIS = "unknown-analysis";
        UNMEASURED_ANALYSIS = "unmeasured-analysis";
        UNKNOWN_FILE = "unknown-file";
        UNKNOWN_KEY = "unknown-key";
        ALIAS_RETIRED = "alias-retired";
        OUTSIDE_VOCABULARY = "outside-vocabulary";
        SECOND_SCORE = "second-score";
        TENSOR_MISMATCH = "tensor-mismatch";
        RELEASE_INCOMPLETE = "release-incomplete";
        DEPENDENCY_CYCLE = "dependency-cycle";
        SPLIT_WEIGHTS = "split-weights";
        ROUTE_RESERVED = "route-reserved";
        STRATEGY_STEPS = "strategy-steps";
        ENVIRONMENT_REFUSES = "environment-refuses";
        DEVICE_MISSING = "device-missing";
        QUOTA_EXCEEDED = "quota-exceeded";
        VERSION_IN_USE = "version-in-use";
        VERSION_CHANGED = "version-changed";
        DIGEST_CHANGED = "digest-changed";
        VERSION_DELETED = "version-deleted";
        GATE_FAILED = "gate-failed";
        GATE_INVALID = "gate-invalid";
        GATE_NOT_EVALUATED = "gate-not-evaluated";
        NO_TRUST_RULE = "no-trust-rule";
        DIGEST_MISSING = "digest-missing";
        SIZE_DIFFERS = "size-differs";
        EVIDENCE_MISSING = "evidence-missing";
    }
}
