//! SARIF 2.1.0: what code scanning keeps, and knows again from run to run.
//!
//! A fingerprint is made of the code, the file and the message, and not of lines: what only moves
//! within its file stays the same alert.
//!
//! Sources: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>, and for the limits
//! <https://docs.github.com/code-security/reference/code-scanning/sarif-files>.

use serde_json::{Value, json};
use url::Url;

use super::fingerprints;
use crate::check::diagnostic::Place;
use crate::check::{Diagnostic, Severity};
use crate::ops::check_change::Checked;
use crate::record::Code;

/// How many results a run may have; of more, GitHub takes none.
const RESULTS: usize = 25_000;

pub(in crate::cli) fn write(checked: &Checked) -> String {
    let diagnostics = &checked.report.diagnostics;
    let mut found: Vec<(&Diagnostic, String)> =
        diagnostics.iter().zip(fingerprints(diagnostics)).collect();
    // Errors first, should there be too many.
    found.sort_by_key(|(diagnostic, _)| diagnostic.severity);
    let left_out = found.len().saturating_sub(RESULTS);
    found.truncate(RESULTS);
    let mut codes: Vec<&'static Code> = found.iter().map(|(one, _)| one.code).collect();
    codes.sort_unstable_by_key(|code| code.id);
    codes.dedup();
    let results: Vec<Value> = found
        .iter()
        .map(|(diagnostic, fingerprint)| {
            let rule = codes.iter().position(|code| *code == diagnostic.code);
            result(diagnostic, rule.unwrap_or_default(), fingerprint)
        })
        .collect();
    let mut notifications = Vec::new();
    if left_out > 0 {
        let text = format!("{left_out} more results are left out: a run holds {RESULTS}");
        notifications.push(json!({"level": "warning", "message": {"text": text}}));
    }
    let run = json!({
        "tool": {"driver": {
            "name": env!("CARGO_PKG_NAME"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": codes.into_iter().map(rule).collect::<Vec<_>>(),
        }},
        "automationDetails": {"id": "modelyard/check/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"YARD": {"description": {"text": "The root of the yard."}}},
        "invocations": [{
            "executionSuccessful": true,
            "toolExecutionNotifications": notifications,
        }],
        "results": results,
    });
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    });
    format!("{log:#}\n")
}

fn rule(code: &'static Code) -> Value {
    json!({
        "id": code.id,
        "shortDescription": {"text": code.title()},
        "help": {"text": code.story, "markdown": code.story},
    })
}

fn result(diagnostic: &Diagnostic, rule: usize, fingerprint: &str) -> Value {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let text = match &diagnostic.help {
        Some(help) => format!("{}. {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let related: Vec<Value> = diagnostic
        .related
        .iter()
        .enumerate()
        .map(|(id, related)| {
            let mut location = location(&related.path, related.place.as_ref());
            location["id"] = id.into();
            location["message"] = json!({"text": related.message});
            location
        })
        .collect();
    json!({
        "ruleId": diagnostic.code.id,
        "ruleIndex": rule,
        "level": level,
        "message": {"text": text},
        "locations": [location(&diagnostic.path, diagnostic.place.as_ref())],
        "relatedLocations": related,
        "partialFingerprints": {"modelyardDiagnostic/v1": fingerprint},
    })
}

fn location(path: &str, place: Option<&Place>) -> Value {
    let mut physical = json!({"artifactLocation": {"uri": uri(path), "uriBaseId": "YARD"}});
    if let Some(Place { start, end, .. }) = place {
        physical["region"] = json!({
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        });
    }
    json!({"physicalLocation": physical})
}

/// A path as the relative URI that it is.
fn uri(path: &str) -> String {
    let mut url = Url::parse("file:///").expect("it is one");
    // A percent sign is one already to whom a path is set.
    url.set_path(&path.replace('%', "%25"));
    url.path().trim_start_matches('/').to_owned()
}
