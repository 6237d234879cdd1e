//! The yard's own record: it is there, its keys are, and somebody vouches for something.

use crate::check::closest::closest;
use crate::check::codes;
use crate::check::diagnostic::{Diagnostic, Severity};
use crate::check::layout::Seat;
use crate::check::records::Records;
use crate::record::kind::Signer;

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    if !records.holds(&Seat::Yard) {
        return;
    }
    if records.yard.is_none() {
        let message = "the yard has no modelyard.yaml";
        found.push(
            Diagnostic::error(&codes::NO_YARD_RECORD, "modelyard.yaml", message)
                .help("make one with `modelyard init`"),
        );
    }
    let Some((document, yard)) = records.yard() else {
        return;
    };
    let rules = &yard.spec.trust.rules;
    if rules.is_empty() {
        let message = "nobody vouches for this yard's bytes: it has no trust rule";
        let mut note = Diagnostic::error(&codes::NO_TRUST_RULE, &document.path, message);
        note.place = document.key_at("/spec/trust");
        found.push(
            note.weighing(Severity::Note)
                .help("`modelyard keys generate` makes a key and a rule that requires it"),
        );
    }
    for (rule, accept) in rules.iter().map(|rule| &rule.accept).enumerate() {
        for (index, signer) in accept.iter().enumerate() {
            let Signer::Key(signer) = signer else {
                continue;
            };
            let path = signer.key.as_str();
            if records.contains(path) {
                continue;
            }
            let pointer = format!("/spec/trust/rules/{rule}/accept/{index}/key");
            let message = format!("there is no key {path} in this yard");
            let keys = records.below("keys");
            let help = match closest(path, keys.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "put the public key there, or delete the line".to_owned(),
            };
            found.push(
                document
                    .error(&codes::UNKNOWN_KEY, &pointer, message)
                    .help(help),
            );
        }
    }
}
