//! A version that is in use can't be retired.

use std::collections::BTreeMap;

use super::deployments::uses;
use crate::check::codes;
use crate::check::diagnostic::Diagnostic;
use crate::check::document::Document;
use crate::check::records::{Records, Resolved};
use crate::record::Selector;
use crate::record::kind::ModelVersion;

/// Where a version is used: the record that names it, and the pointer at which it does.
struct Named<'a> {
    by: &'a Document,
    pointer: String,
    /// An alias of a retired version is told at the alias.
    by_alias: bool,
}

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    let mut open: Vec<(&Document, &ModelVersion)> = Vec::new();
    let mut named: BTreeMap<&str, (&Document, Named<'_>)> = BTreeMap::new();
    for (document, deployment) in records.deployments() {
        for used in uses(records, deployment) {
            if let Resolved::Found(target, version) = used.resolved {
                let by_alias = matches!(used.selector, Some(Selector::Alias(_)));
                let pointer = format!("{}/version", used.pointer);
                let place = Named {
                    by: document,
                    pointer,
                    by_alias,
                };
                named.entry(&target.path).or_insert((target, place));
                open.push((target, version));
            }
        }
    }
    // What a version in use needs is in use, too.
    while let Some((document, record)) = open.pop() {
        let dependencies = record.spec.dependencies.iter();
        let models = dependencies.flat_map(|dependencies| &dependencies.models);
        for (index, dependency) in models.enumerate() {
            let producer = &dependency.produced_by;
            let resolved = records.resolve(&producer.model, producer.version.as_ref());
            if let Resolved::Found(target, version) = resolved
                && !named.contains_key(target.path.as_str())
            {
                let place = Named {
                    by: document,
                    pointer: format!("/spec/dependencies/models/{index}/producedBy/version"),
                    by_alias: matches!(producer.version, Some(Selector::Alias(_))),
                };
                named.insert(&target.path, (target, place));
                open.push((target, version));
            }
        }
    }
    for (target, place) in named.into_values() {
        if let Some(version) = target.version()
            && !version.spec.lifecycle.can_serve()
            && !place.by_alias
        {
            found.push(tell(records, target, version, &place));
        }
    }
}

/// At the version if that is what was changed, otherwise at whatever uses it.
fn tell(
    records: &Records<'_>,
    target: &Document,
    version: &ModelVersion,
    place: &Named<'_>,
) -> Diagnostic {
    let name = format!("{} {}", version.model_name(), version.metadata.version);
    let stage = version.spec.lifecycle;
    let lifecycle = "/spec/lifecycle";
    if records.is_changed(&target.path) {
        let message = format!("{name} can't be {stage}, because it is in use");
        return target
            .error(&codes::VERSION_IN_USE, lifecycle, message)
            .help("let the deployment use another version first")
            .related(
                &place.by.path,
                place.by.value_at(&place.pointer),
                "it is used here",
            );
    }
    let message = format!("{name} can't be used, because it is {stage}");
    place
        .by
        .error(&codes::VERSION_IN_USE, &place.pointer, message)
        .help("use another version")
        .related(
            &target.path,
            target.value_at(lifecycle),
            format!("it is {stage} here"),
        )
}
