//! Which gates a change has to pass, and what each may look at.

use serde_json::{Map, Value, json};

use super::{MAX_EXPRESSION_BYTES, Question};
use crate::check::document::Document;
use crate::check::evidence::{Artifact, Evidence};
use crate::check::layout::{Seat, Use, use_of};
use crate::check::records::{Changes, Records};
use crate::record::kind::{Kind, Policy, PolicyMatch};
use crate::record::{Alias, Lifecycle, Version};

/// What a check knows beside the records.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Who wrote the change's commits, by their e-mail addresses; where it has commits.
    pub authors: Option<&'a [String]>,
    /// Who approved it, as the forge calls them; where that is known.
    pub approvals: Option<&'a [String]>,
    /// What stores and signatures said, where they were asked.
    pub evidence: Option<&'a Evidence>,
}

/// Every question of a check: whether each gate is an expression at all, and where there is a base
/// each gate for each changed record that its policy is for.
pub(in crate::check) fn asked(records: &Records<'_>, known: &Known<'_>) -> Vec<Question> {
    let mut questions = Vec::new();
    for document in records.policies().filter(|one| records.holds(&one.seat)) {
        if let Some(policy) = document.policy() {
            ask(document, policy, None, &Map::new(), &mut questions);
        }
    }
    for Held {
        path,
        seat,
        policies,
    } in held(records)
    {
        let variables = given(records, path, &seat, known);
        for (document, policy) in policies {
            ask(document, policy, Some(path), &variables, &mut questions);
        }
    }
    questions
}

fn ask(
    document: &Document,
    policy: &Policy,
    path: Option<&str>,
    variables: &Map<String, Value>,
    questions: &mut Vec<Question>,
) {
    for (gate, rule) in policy.spec.gates.iter().enumerate() {
        let message = rule.message.clone();
        questions.push(Question {
            policy: document.path.clone(),
            gate,
            path: path.map(str::to_owned),
            expression: rule.expr.clone(),
            message: message.filter(|message| message.len() <= MAX_EXPRESSION_BYTES),
            variables: variables.clone(),
        });
    }
}

/// A changed record that policies are for.
pub(in crate::check) struct Held<'a> {
    /// Its file.
    pub(in crate::check) path: &'a str,
    /// What it is.
    pub(in crate::check) seat: Seat,
    /// The policies, each with its document.
    pub(in crate::check) policies: Vec<(&'a Document, &'a Policy)>,
}

/// The changed records that policies are for; none where there is no base.
pub(in crate::check) fn held<'a>(records: &Records<'a>) -> Vec<Held<'a>> {
    let in_force = in_force(records);
    if in_force.is_empty() {
        return Vec::new();
    }
    let changed = records.changes.into_iter().flat_map(Changes::keys);
    let held = changed.filter_map(|path| {
        if !records.contains(path) {
            return None;
        }
        let Use::Record(seat) = use_of(path) else {
            return None;
        };
        let policies = in_force.iter().copied();
        let policies: Vec<_> = policies
            .filter(|(_, policy)| is_for(records, &policy.spec.matching, &seat))
            .collect();
        (!policies.is_empty()).then_some(Held {
            path,
            seat,
            policies,
        })
    });
    held.collect()
}

/// The policies that a change has to pass: those of the base as they are there, so that none
/// relaxes its own gate, and those that it adds.
fn in_force<'a>(records: &Records<'a>) -> Vec<(&'a Document, &'a Policy)> {
    let before = records.before;
    let here = records.policies();
    let here = here.map(|document| before.get(&document.path).unwrap_or(document));
    let gone = before.values().filter(|document| {
        matches!(document.seat, Seat::Policy(_)) && !records.contains(&document.path)
    });
    here.chain(gone)
        .filter_map(|document| Some((document, document.policy()?)))
        .collect()
}

/// Whether a policy is for the change of the record at `seat`.
fn is_for(records: &Records<'_>, matching: &PolicyMatch, seat: &Seat) -> bool {
    let kind = seat.kind();
    let of_kind = matching.kinds.is_empty() || matching.kinds.contains(&kind);
    let moved = matching.transitions.is_empty()
        || moved(records, seat).is_some_and(|(from, to)| {
            let transitions = &matching.transitions;
            transitions
                .iter()
                .any(|one| (one.from(), one.to()) == (from, to))
        });
    of_kind && moved
}

/// The move of the version at `seat`; a new one comes from `staged`.
fn moved(records: &Records<'_>, seat: &Seat) -> Option<(Lifecycle, Lifecycle)> {
    let Seat::Version(..) = seat else {
        return None;
    };
    let document = records.document(seat)?;
    let before = records.version_before(&document.path);
    let from = before.map_or(Lifecycle::Staged, |(_, record)| record.spec.lifecycle);
    Some((from, document.version()?.spec.lifecycle))
}

/// What an expression can name.
fn given(records: &Records<'_>, path: &str, seat: &Seat, known: &Known<'_>) -> Map<String, Value> {
    let kind = seat.kind();
    let mut variables = Map::new();
    let now = records.document(seat).and_then(flat);
    variables.insert(called(kind).to_owned(), now.unwrap_or_default());
    let before = records.before.get(path).and_then(flat);
    variables.insert("before".to_owned(), before.unwrap_or_default());
    variables.insert("champion".to_owned(), champion(records, seat));
    let mut change = json!({"kind": kind.to_string()});
    if let Some((from, to)) = moved(records, seat) {
        change["transition"] = json!(format!("{from} -> {to}"));
    }
    if let Some(authors) = known.authors {
        change["authors"] = json!(authors);
    }
    if let Some(approvals) = known.approvals {
        change["approvals"] = json!(approvals);
    }
    variables.insert("change".to_owned(), change);
    if let Some(artifact) = known.evidence.and_then(|evidence| evidence.of(path)) {
        variables.insert("evidence".to_owned(), evidence(artifact));
    }
    variables
}

/// What a record is called in expressions.
const fn called(kind: Kind) -> &'static str {
    match kind {
        Kind::Yard => "yard",
        Kind::Model => "model",
        Kind::ModelVersion => "version",
        Kind::Environment => "environment",
        Kind::Deployment => "deployment",
        Kind::Policy => "policy",
    }
}

/// A record as expressions see it: its spec, with its metadata beside it.
fn flat(document: &Document) -> Option<Value> {
    let value = document.tree()?.value();
    let mut all = value.get("metadata")?.as_object()?.clone();
    all.extend(value.get("spec")?.as_object()?.clone());
    Some(Value::Object(all))
}

/// The version that `champion` means on the base, of the model that a change is of.
fn champion(records: &Records<'_>, seat: &Seat) -> Value {
    let (Seat::Model(model) | Seat::Version(model, _)) = seat else {
        return Value::Null;
    };
    let Some(line) = records.line(model) else {
        return Value::Null;
    };
    let document = line.document().map(|document| {
        let before = records.before.get(&document.path);
        before.unwrap_or(document)
    });
    let Some(record) = document.and_then(Document::model) else {
        return Value::Null;
    };
    let alias: Alias = "champion".parse().expect("it is an alias");
    let version: Option<&Version> = record.spec.aliases.get(&alias);
    let document = version.and_then(|version| line.version(version));
    let document = document.map(|document| records.before.get(&document.path).unwrap_or(document));
    document.and_then(flat).unwrap_or_default()
}

fn evidence(artifact: &Artifact) -> Value {
    match artifact {
        Artifact::Present(present) => json!({
            "present": true,
            "sizeBytes": present.size_bytes,
            "files": present.files,
            "shortfalls": present.shortfalls.iter().map(|one| one.code.id).collect::<Vec<_>>(),
        }),
        Artifact::Missing => json!({"present": false}),
        Artifact::Unusable(shortfall) => {
            json!({"present": true, "shortfalls": [shortfall.code.id]})
        }
        Artifact::Unknown { .. } => json!({}),
    }
}
