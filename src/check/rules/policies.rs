//! Policies: what came of their gates. What can't be evaluated does not hold.

use crate::check::codes;
use crate::check::diagnostic::{Diagnostic, Severity};
use crate::check::document::Document;
use crate::check::gates::{Answer, Gates, Held, held};
use crate::check::layout::Seat;
use crate::check::records::Records;
use crate::record::kind::{Gate, Severity as Weight};

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    let gates = records.gates;
    if let Gates::Answered(answers) = gates {
        for document in records
            .policies()
            .filter(|policy| records.holds(&policy.seat))
        {
            let policy = document.policy().into_iter();
            let gates = policy.flat_map(|policy| &policy.spec.gates);
            for (index, gate) in gates.enumerate() {
                let answer = answers.of(&document.path, index, None);
                if let Some(Answer::Invalid { why } | Answer::Missing { why }) = answer {
                    found.push(invalid(document, index, gate, why));
                }
            }
        }
    }
    if matches!(gates, Gates::Later) {
        return;
    }
    for Held {
        path,
        seat,
        policies,
    } in held(records)
    {
        for (document, policy) in policies {
            for (index, gate) in policy.spec.gates.iter().enumerate() {
                let answer = match gates {
                    Gates::Answered(answers) => answers.of(&document.path, index, Some(path)),
                    Gates::Unasked | Gates::Later => None,
                };
                let gate = (document, index, gate);
                found.extend(tell(records, gate, (path, &seat), answer));
            }
        }
    }
}

fn invalid(document: &Document, index: usize, gate: &Gate, why: &str) -> Diagnostic {
    let message = format!("the gate `{}` can't be evaluated: {why}", gate.name);
    document
        .error(
            &codes::GATE_INVALID,
            &format!("/spec/gates/{index}/expr"),
            message,
        )
        .help("write an expression of CEL that is true or false; `modelyard policy test` tries it")
}

/// What is told of one gate for one record.
fn tell(
    records: &Records<'_>,
    (document, index, gate): (&Document, usize, &Gate),
    (path, seat): (&str, &Seat),
    answer: Option<&Answer>,
) -> Option<Diagnostic> {
    let name = &gate.name;
    let (code, message, help) = match answer {
        Some(Answer::Holds) => return None,
        Some(Answer::Fails { message, values }) => {
            let values = values.join(", ");
            let reason = match (message, values.is_empty()) {
                (Some(message), true) => format!(": {message}"),
                (Some(message), false) => format!(": {message} ({values})"),
                (None, false) => format!(": {values}"),
                (None, true) => String::new(),
            };
            let message = format!("the gate `{name}` does not hold{reason}");
            (&codes::GATE_FAILED, message, None)
        }
        Some(Answer::Missing { why } | Answer::Invalid { why }) => {
            let message = format!("the gate `{name}` can't be evaluated: {why}");
            let help =
                "give what is missing, or guard it in the expression, as by `has(version.license)`";
            (&codes::GATE_NOT_EVALUATED, message, Some(help))
        }
        None => {
            let message = format!("the gate `{name}` is not evaluated here");
            let help = "propose the change on a branch: `modelyard check --base` evaluates it";
            (&codes::GATE_NOT_EVALUATED, message, Some(help))
        }
    };
    let severity = match gate.severity() {
        Weight::Error => Severity::Error,
        Weight::Warning => Severity::Warning,
    };
    let mut diagnostic = Diagnostic::error(code, path, message).weighing(severity);
    diagnostic.place = moved(records, seat);
    diagnostic.help = help.map(str::to_owned);
    let pointer = format!("/spec/gates/{index}/expr");
    let place = document.value_at(&pointer);
    Some(diagnostic.related(&document.path, place, "the gate is here"))
}

/// Where a version says where it is in its life.
fn moved(records: &Records<'_>, seat: &Seat) -> Option<crate::check::diagnostic::Place> {
    let Seat::Version(..) = seat else {
        return None;
    };
    records.document(seat)?.value_at("/spec/lifecycle")
}
