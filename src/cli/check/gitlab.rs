//! GitLab's code quality report: what merge requests show at the lines of a change.
//!
//! Source: <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>.

use serde_json::{Value, json};

use super::fingerprints;
use crate::check::Severity;
use crate::ops::check_change::Checked;

pub(super) fn write(checked: &Checked) -> String {
    let diagnostics = &checked.report.diagnostics;
    let issues: Vec<Value> = diagnostics
        .iter()
        .zip(fingerprints(diagnostics))
        .map(|(diagnostic, fingerprint)| {
            let severity = match diagnostic.severity {
                Severity::Error => "critical",
                Severity::Warning => "minor",
                Severity::Note => "info",
            };
            let line = diagnostic
                .place
                .as_ref()
                .map_or(1, |place| place.start.line);
            let description = match &diagnostic.help {
                Some(help) => format!("{}: {help}", diagnostic.message),
                None => diagnostic.message.clone(),
            };
            json!({
                "description": description,
                "check_name": diagnostic.code.id,
                "fingerprint": fingerprint,
                "severity": severity,
                "location": {"path": diagnostic.path, "lines": {"begin": line}},
            })
        })
        .collect();
    format!("{:#}\n", Value::Array(issues))
}
