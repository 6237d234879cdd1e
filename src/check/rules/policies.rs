//! Policies: their gates can't be evaluated by this build, and what can't be evaluated fails.

use crate::check::codes;
use crate::check::diagnostic::{Diagnostic, Severity};
use crate::check::document::Document;
use crate::check::layout::{Seat, Use, use_of};
use crate::check::records::Records;
use crate::record::Lifecycle;
use crate::record::kind::{Kind, Policy, Severity as Weight};

/// With something to compare with, a gate fails each change that it is for; without, every policy
/// is told of.
pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    for document in &records.policies {
        let Some(policy) = document.policy() else {
            continue;
        };
        if records.base.is_none() {
            let message =
                "this build does not evaluate gates: nothing holds because of this policy";
            let mut diagnostic = document.error(&codes::GATE_NOT_EVALUATED, "/spec/gates", message);
            diagnostic.place = document.key_at("/spec/gates");
            found.push(diagnostic.weighing(Severity::Warning));
            continue;
        }
        for (path, _) in records
            .head
            .iter()
            .filter(|(path, _)| records.is_changed(path))
        {
            gates(records, document, policy, path, found);
        }
    }
}

fn gates(
    records: &Records<'_>,
    document: &Document,
    policy: &Policy,
    path: &str,
    found: &mut Vec<Diagnostic>,
) {
    let Use::Record(seat) = use_of(path) else {
        return;
    };
    let matching = &policy.spec.matching;
    let kind = seat.kind();
    let of_kind = matching.kinds.is_empty() || matching.kinds.contains(&kind);
    let moved = matching.transitions.is_empty()
        || (kind == Kind::ModelVersion
            && moved(records, &seat).is_some_and(|(from, to)| {
                let transitions = &matching.transitions;
                transitions
                    .iter()
                    .any(|one| (one.from(), one.to()) == (from, to))
            }));
    if !of_kind || !moved {
        return;
    }
    for (index, gate) in policy.spec.gates.iter().enumerate() {
        let message = format!("the gate `{}` can't be evaluated yet", gate.name);
        let severity = match gate.severity() {
            Weight::Error => Severity::Error,
            Weight::Warning => Severity::Warning,
        };
        found.push(
            Diagnostic::error(&codes::GATE_NOT_EVALUATED, path, message)
                .weighing(severity)
                .help("take the gate out of the policy until gates can be evaluated")
                .related(
                    &document.path,
                    document.value_at(&format!("/spec/gates/{index}/name")),
                    "the gate is here",
                ),
        );
    }
}

/// The move of the version at `seat`; a new one comes from `staged`.
fn moved(records: &Records<'_>, seat: &Seat) -> Option<(Lifecycle, Lifecycle)> {
    let Seat::Version(model, version) = seat else {
        return None;
    };
    let document = records.models.get(model)?.versions.get(version)?;
    let before = records.version_before(&document.path);
    let from = before.map_or(Lifecycle::Staged, |(_, record)| record.spec.lifecycle);
    Some((from, document.version()?.spec.lifecycle))
}
