//! What no schema can tell: one file a subject.

mod chains;
mod cycles;
mod dependencies;
mod deployments;
mod devices;
mod evidence;
mod golden;
mod history;
mod in_use;
mod models;
mod parameters;
mod policies;
mod quotas;
mod releases;
mod strategy;
pub(super) mod stray;
mod tensors;

mod versions;
mod yard;

use super::diagnostic::Diagnostic;
use super::reach::Reads;
use super::records::Records;

pub(super) use evidence::wanted;

/// A rule, and what it looks at.
struct Rule {
    /// What it looks at beside the record that it is about: when that changes, the record is held
    /// to it again.
    reads: &'static [Reads],
    hold: fn(&Records<'_>, &mut Vec<Diagnostic>),
}

/// Makes a [`Rule`].
const fn rule(hold: fn(&Records<'_>, &mut Vec<Diagnostic>), reads: &'static [Reads]) -> Rule {
    Rule { reads, hold }
}

/// Every rule. One that is held to what changed alone reads nothing else: a version's release, a
/// gate, the move of a version's life.
const RULES: [Rule; 17] = [
    rule(models::check, &[Reads::Line, Reads::Yard]),
    rule(versions::check, &[]),
    rule(parameters::check, &[]),
    rule(golden::check, &[]),
    rule(releases::check, &[]),
    rule(dependencies::check, &[Reads::Named]),
    rule(cycles::check, &[Reads::Named, Reads::Neighbours]),
    rule(
        deployments::check,
        &[Reads::Named, Reads::Environment, Reads::Neighbours],
    ),
    rule(strategy::check, &[]),
    rule(chains::check, &[Reads::Named]),
    rule(devices::check, &[Reads::Named, Reads::Environment]),
    rule(quotas::check, &[Reads::Deployments]),
    rule(in_use::check, &[Reads::Named]),
    rule(history::check, &[]),
    rule(policies::check, &[]),
    rule(yard::check, &[Reads::Keys]),
    rule(evidence::check, &[]),
];

/// Whether some rule reads that.
pub(super) fn some_rule_reads(what: Reads) -> bool {
    RULES.iter().any(|rule| rule.reads.contains(&what))
}

/// Holds every rule against the records.
pub(super) fn hold(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    for rule in &RULES {
        (rule.hold)(records, found);
    }
}

/// Tells of each item of a list that has the name of one before it.
fn duplicate_names<'n>(
    document: &super::document::Document,
    list: &str,
    names: impl Iterator<Item = &'n str>,
    found: &mut Vec<Diagnostic>,
) {
    let mut seen = std::collections::BTreeMap::new();
    for (index, name) in names.enumerate() {
        if let Some(first) = seen.get(name) {
            let message = format!("`{name}` stands here again");
            let pointer = format!("{list}/{index}/name");
            found.push(
                document
                    .error(&super::codes::DUPLICATE_NAME, &pointer, message)
                    .help("give each its own name, or delete one")
                    .related(
                        &document.path,
                        document.value_at(&format!("{list}/{first}/name")),
                        "it stood here first",
                    ),
            );
        } else {
            seen.insert(name, index);
        }
    }
}
