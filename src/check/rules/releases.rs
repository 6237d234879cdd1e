//! What this yard requires of a version that is released.

use crate::check::codes;
use crate::check::diagnostic::Diagnostic;
use crate::check::records::Records;
use crate::record::Lifecycle;
use crate::record::kind::{Model, ModelVersion, ReleaseRequirement};

/// A requirement holds for the move to `released`, as a version that was released once can't
/// change any more: with something to compare with, only versions that were not released before
/// are looked at.
pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    let Some((yard_document, yard)) = records.yard() else {
        return;
    };
    let required = &yard.spec.releases.require;
    if required.is_empty() {
        return;
    }
    for (document, record) in records.versions() {
        let before = records.version_before(&document.path);
        let unchanged = records.changes.is_some() && !records.is_changed(&document.path);
        let was_released =
            before.is_some_and(|(_, before)| before.spec.lifecycle != Lifecycle::Staged);
        if record.spec.lifecycle != Lifecycle::Released || unchanged || was_released {
            continue;
        }
        let line = records.line(&record.model_name());
        let model = line.and_then(|line| line.document()?.model());
        let lacks = required
            .iter()
            .filter(|item| !is_met(**item, record, model));
        let names: Vec<_> = lacks.map(|item| format!("`{item}`")).collect();
        if names.is_empty() {
            continue;
        }
        let message = format!(
            "version {} is released without {}",
            record.metadata.version,
            names.join(", ")
        );
        found.push(
            document
                .error(&codes::RELEASE_INCOMPLETE, "/spec/lifecycle", message)
                .help("add it, or keep the version staged")
                .related(
                    &yard_document.path,
                    yard_document.value_at("/spec/releases/require"),
                    "this yard requires it",
                ),
        );
    }
}

fn is_met(item: ReleaseRequirement, record: &ModelVersion, model: Option<&Model>) -> bool {
    let spec = &record.spec;
    let lineage = spec.lineage.as_ref();
    match item {
        ReleaseRequirement::Inputs => !spec.inputs.is_empty(),
        ReleaseRequirement::Outputs => !spec.outputs.is_empty(),
        // A model whose record can't be read is told where it stands.
        ReleaseRequirement::License => model.is_none_or(|model| model.spec.license.is_some()),
        ReleaseRequirement::Tests => !spec.tests.is_empty(),
        ReleaseRequirement::Metrics => !spec.metrics.is_empty(),
        ReleaseRequirement::LineageSource => {
            let source = lineage.and_then(|lineage| lineage.source.as_ref());
            source.is_some_and(|source| source.commit.is_some())
        }
        ReleaseRequirement::LineageDatasets => lineage.is_some_and(|lineage| {
            let datasets = &lineage.datasets;
            !datasets.is_empty() && datasets.iter().all(|dataset| dataset.digest.is_some())
        }),
    }
}
