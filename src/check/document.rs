//! One record's file, from bytes to a typed record.

use std::sync::OnceLock;

use bytes::Bytes;

use super::diagnostic::{Diagnostic, Place};
use super::files::File;
use super::layout::Seat;
use super::yaml::{self, Problem, Span, Tree};
use super::{codes, schema, secrets};
use crate::record::kind::{
    Deployment, Environment, Kind, Model, ModelVersion, Policy, Record, Yard,
};

/// A record's file.
///
/// The parsed tree is not kept, because of ten thousand records nearly none has anything to be
/// pointed at; it is made again when a place is asked for.
#[derive(Debug)]
pub struct Document {
    /// Where it lies.
    pub seat: Seat,
    /// The same as text.
    pub path: String,
    /// What it says, if it can be read and its schema holds.
    pub record: Option<Record>,
    source: Bytes,
    tree: OnceLock<Option<Tree>>,
}

impl Document {
    /// Reads `file`, which lies at `seat`: YAML, then the schema of the kind that belongs there,
    /// then the types, then its names against its path.
    pub fn read(seat: Seat, file: &File) -> (Self, Vec<Diagnostic>) {
        let path = seat.path();
        let mut document = Self {
            seat,
            path,
            record: None,
            source: Bytes::new(),
            tree: OnceLock::new(),
        };
        let problem = match file {
            File::Text(bytes) => {
                document.source = bytes.clone();
                return document.parsed();
            }
            File::TooLarge { size_bytes } => {
                let problem = yaml::too_large(*size_bytes);
                Diagnostic::error(problem.code, &document.path, problem.message).help(problem.help)
            }
            File::Link => {
                let message = "this is a symbolic link, and links are not followed";
                Diagnostic::error(&codes::RECORD_IS_LINK, &document.path, message)
                    .help("put the record itself here")
            }
            File::Unread => {
                let message = "this file could not be read";
                Diagnostic::error(&codes::RECORD_UNREAD, &document.path, message)
                    .help("check that it is an ordinary file, and that you may read it")
            }
        };
        (document, vec![problem])
    }

    fn parsed(mut self) -> (Self, Vec<Diagnostic>) {
        let (tree, problems) = yaml::read(&self.source);
        let mut diagnostics: Vec<_> = problems.into_iter().map(|p| self.of_problem(p)).collect();
        let Some(tree) = tree else {
            return (self, diagnostics);
        };
        let found = self.typed(&tree);
        diagnostics.extend(found);
        diagnostics.extend(secrets::search(&self, &tree));
        (self, diagnostics)
    }

    fn of_problem(&self, problem: Problem) -> Diagnostic {
        let diagnostic = Diagnostic::error(problem.code, &self.path, problem.message)
            .at(self.place(problem.span))
            .help(problem.help);
        match problem.related {
            None => diagnostic,
            Some((span, message)) => {
                diagnostic.related(&self.path, Some(self.place(span)), message)
            }
        }
    }

    /// From the tree to the record, and what stands against it.
    fn typed(&mut self, tree: &Tree) -> Vec<Diagnostic> {
        let expected = self.seat.kind();
        if let Some(diagnostic) = self.other_kind(tree, expected) {
            return vec![diagnostic];
        }
        if !schema::holds(expected, tree.value()) {
            return schema::explain(expected, self, tree);
        }
        match Record::from_value(expected, tree.value()) {
            Ok(record) => {
                let mismatches = self.names(tree, &record);
                // A record that says to be another one than its path does speaks for neither.
                self.record = Some(record).filter(|_| mismatches.is_empty());
                mismatches
            }
            Err(error) => {
                let message = format!("the record can't be read: {error}");
                let place = self.place(tree.nearest_key("/spec"));
                vec![Diagnostic::error(&codes::WRONG_VALUE, &self.path, message).at(place)]
            }
        }
    }

    fn other_kind(&self, tree: &Tree, expected: Kind) -> Option<Diagnostic> {
        let said: Kind = tree.value().get("kind")?.as_str()?.parse().ok()?;
        if said == expected {
            return None;
        }
        let message = format!("this says to be of kind {said}, but its path is one of {expected}");
        Some(
            Diagnostic::error(&codes::WRONG_KIND, &self.path, message)
                .at(self.place(tree.nearest_value("/kind")))
                .help("move the file to where that kind lies, or correct `kind`"),
        )
    }

    /// Whether the names in the record are those of its path.
    fn names(&self, tree: &Tree, record: &Record) -> Vec<Diagnostic> {
        let pairs: Vec<(&str, String, String)> = match (record, &self.seat) {
            (Record::Model(record), Seat::Model(model)) => {
                let (said, meant) = (&record.metadata, model);
                vec![
                    (
                        "namespace",
                        said.namespace.to_string(),
                        meant.namespace().to_string(),
                    ),
                    ("name", said.name.to_string(), meant.name().to_string()),
                ]
            }
            (Record::ModelVersion(record), Seat::Version(model, version)) => {
                let said = &record.metadata;
                vec![
                    (
                        "namespace",
                        said.namespace.to_string(),
                        model.namespace().to_string(),
                    ),
                    ("name", said.name.to_string(), model.name().to_string()),
                    ("version", said.version.to_string(), version.to_string()),
                ]
            }
            (Record::Environment(record), Seat::Environment(name)) => {
                vec![("name", record.metadata.name.to_string(), name.to_string())]
            }
            (Record::Deployment(record), Seat::Deployment { environment, name }) => {
                let said = &record.metadata;
                vec![
                    ("name", said.name.to_string(), name.to_string()),
                    (
                        "environment",
                        said.environment.to_string(),
                        environment.to_string(),
                    ),
                ]
            }
            (Record::Policy(record), Seat::Policy(name)) => {
                vec![("name", record.metadata.name.to_string(), name.to_string())]
            }
            _ => Vec::new(),
        };
        let differ = pairs.into_iter().filter(|(_, said, meant)| said != meant);
        differ
            .map(|(field, said, meant)| {
                let message = format!("`{field}` is `{said}`, but the path says `{meant}`");
                let place = self.place(tree.nearest_value(&format!("/metadata/{field}")));
                let help = format!(
                    "write `{field}: {meant}`, or move the file to {}",
                    record.path()
                );
                Diagnostic::error(&codes::NAME_MISMATCH, &self.path, message)
                    .at(place)
                    .help(help)
            })
            .collect()
    }

    /// The parsed file, if it can be parsed.
    pub fn tree(&self) -> Option<&Tree> {
        self.tree
            .get_or_init(|| yaml::read(&self.source).0)
            .as_ref()
    }

    /// Its bytes.
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// The place of bytes `span`.
    pub fn place(&self, span: Span) -> Place {
        Place::of(&self.source, span)
    }

    /// The place of the value at JSON pointer `pointer`, or of the nearest key around it.
    pub fn value_at(&self, pointer: &str) -> Option<Place> {
        Some(self.place(self.tree()?.nearest_value(pointer)))
    }

    /// The place of the key at JSON pointer `pointer`, or of the nearest one around it.
    pub fn key_at(&self, pointer: &str) -> Option<Place> {
        Some(self.place(self.tree()?.nearest_key(pointer)))
    }

    /// An error at the value at `pointer`.
    pub fn error(
        &self,
        code: &'static crate::record::Code,
        pointer: &str,
        message: impl Into<String>,
    ) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(code, &self.path, message);
        diagnostic.place = self.value_at(pointer);
        diagnostic
    }
}

/// Makes a method for each kind that gives the record if it is of that kind.
macro_rules! kinds {
    ($($method:ident: $kind:ident, $doc:literal;)+) => {
        impl Document {
            $(
                #[doc = $doc]
                pub fn $method(&self) -> Option<&$kind> {
                    match &self.record {
                        Some(Record::$kind(record)) => Some(record),
                        _ => None,
                    }
                }
            )+
        }
    };
}

kinds! {
    yard: Yard, "The yard's record, if it is one and can be read.";
    model: Model, "The model, if it is one and can be read.";
    version: ModelVersion, "The version, if it is one and can be read.";
    environment: Environment, "The environment, if it is one and can be read.";
    deployment: Deployment, "The deployment, if it is one and can be read.";
    policy: Policy, "The policy, if it is one and can be read.";
}
