//! The schemas, as a check asks them.
//!
//! Nearly every record holds, so a record is first only asked whether it does; what is wrong is
//! collected when it does not. Each schema is compiled once a process.

mod branch;
mod fields;
mod finding;
mod words;

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

use super::diagnostic::Diagnostic;
use super::document::Document;
use super::yaml::{MAX_PROBLEMS, Tree};
use crate::record::kind::{FORMATS, Kind};
use finding::{Finding, Target};

/// A kind's schema, as JSON and ready to be asked.
struct Compiled {
    json: Value,
    validator: Validator,
}

/// The most errors that are looked at of one record.
const MAX_ERRORS: usize = 200;

fn compiled(kind: Kind) -> &'static Compiled {
    static ALL: [OnceLock<Compiled>; 6] = [const { OnceLock::new() }; 6];
    ALL[kind as usize].get_or_init(|| {
        let json: Value = serde_json::from_str(kind.schema()).expect("the schemas are JSON");
        let mut options = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .with_pattern_options(jsonschema::PatternOptions::regex());
        for format in FORMATS {
            options = options.with_format(format.name, |text: &str| (format.check)(text).is_ok());
        }
        let validator = options
            .build(&json)
            .expect("the schemas are JSON Schema 2020-12");
        Compiled { json, validator }
    })
}

/// Whether `value` is as the schema of `kind` asks.
pub(super) fn holds(kind: Kind, value: &Value) -> bool {
    compiled(kind).validator.is_valid(value)
}

/// What is wrong with a record that does not hold, one diagnostic for each root cause.
pub(super) fn explain(kind: Kind, document: &Document, tree: &Tree) -> Vec<Diagnostic> {
    let Compiled { json, validator } = compiled(kind);
    let errors = validator.iter_errors(tree.value()).take(MAX_ERRORS);
    let mut findings: Vec<Finding> = Vec::new();
    for error in errors {
        branch::flatten(json, &error, &mut findings);
    }
    finding::reduce(&mut findings);
    findings
        .into_iter()
        .take(MAX_PROBLEMS)
        .map(|finding| {
            let span = match &finding.target {
                Target::Value => tree.nearest_value(&finding.pointer),
                Target::Missing(_) => tree.nearest_key(&finding.pointer),
                Target::Key(_) => tree.nearest_key(&finding.place()),
            };
            let diagnostic = Diagnostic::error(finding.code, &document.path, finding.message)
                .at(document.place(span));
            match finding.help {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            }
        })
        .collect()
}
