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
use super::evidence::Evidence;
use super::gates::Gates;
use super::records::Records;

pub(super) use evidence::wanted;

/// Holds every rule against the records.
pub(super) fn hold(
    records: &Records<'_>,
    evidence: Option<&Evidence>,
    gates: Gates<'_>,
    found: &mut Vec<Diagnostic>,
) {
    models::check(records, found);
    versions::check(records, found);
    parameters::check(records, found);
    golden::check(records, found);
    releases::check(records, found);
    dependencies::check(records, found);
    cycles::check(records, found);
    deployments::check(records, found);
    strategy::check(records, found);
    chains::check(records, found);
    devices::check(records, found);
    quotas::check(records, found);
    in_use::check(records, found);
    history::check(records, found);
    policies::check(records, gates, found);
    yard::check(records, found);
    if let Some(evidence) = evidence {
        evidence::check(records, evidence, found);
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
