//! A version that is in use can't be retired.

use std::collections::{BTreeMap, BTreeSet};

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
}

/// A version that is used, and is one that can't be.
struct Refused<'a> {
    document: &'a Document,
    version: &'a ModelVersion,
    /// Where it is used. An alias of a retired version is told at the alias.
    places: Vec<Named<'a>>,
}

/// How many of the places where a version is used are told with it; nobody reads more.
const MAX_TOLD: usize = 20;

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    let mut open: Vec<(&Document, &ModelVersion)> = Vec::new();
    let mut refused: BTreeMap<&str, Refused<'_>> = BTreeMap::new();
    for (document, deployment) in records.deployments() {
        for used in uses(records, deployment) {
            let place = Named {
                by: document,
                pointer: format!("{}/version", used.pointer),
            };
            open.extend(note(&mut refused, &used.resolved, used.selector, place));
        }
    }
    // What a version in use needs is in use, too.
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    while let Some((document, record)) = open.pop() {
        if !seen.insert(&document.path) {
            continue;
        }
        let dependencies = record.spec.dependencies.iter();
        let models = dependencies.flat_map(|dependencies| &dependencies.models);
        for (index, dependency) in models.enumerate() {
            let producer = &dependency.produced_by;
            let selector = producer.version.as_ref();
            let resolved = records.resolve(&producer.model, selector);
            let place = Named {
                by: document,
                pointer: format!("/spec/dependencies/models/{index}/producedBy/version"),
            };
            open.extend(note(&mut refused, &resolved, selector, place));
        }
    }
    for mut one in refused.into_values() {
        let place = |named: &Named<'_>| (named.by.path.clone(), named.pointer.clone());
        one.places.sort_by_key(place);
        if records.is_changed(&one.document.path) {
            found.push(at_the_version(&one));
        } else {
            found.extend(one.places.iter().map(|place| at_the_use(&one, place)));
        }
    }
}

/// Notes a use of a version that can't be used, and gives the version that is in use thereby.
fn note<'a>(
    refused: &mut BTreeMap<&'a str, Refused<'a>>,
    resolved: &Resolved<'a>,
    selector: Option<&Selector>,
    place: Named<'a>,
) -> Option<(&'a Document, &'a ModelVersion)> {
    let Resolved::Found(document, version) = resolved else {
        return None;
    };
    if !version.spec.lifecycle.can_serve() && !matches!(selector, Some(Selector::Alias(_))) {
        let one = refused.entry(&document.path).or_insert(Refused {
            document,
            version,
            places: Vec::new(),
        });
        one.places.push(place);
    }
    Some((document, version))
}

const LIFECYCLE: &str = "/spec/lifecycle";

/// What was changed is what is wrong.
fn at_the_version(one: &Refused<'_>) -> Diagnostic {
    let Refused {
        document,
        version,
        places,
    } = one;
    let name = format!("{} {}", version.model_name(), version.metadata.version);
    let stage = version.spec.lifecycle;
    let message = format!("{name} can't be {stage}, because it is in use");
    let diagnostic = document
        .error(&codes::VERSION_IN_USE, LIFECYCLE, message)
        .help("let the deployment use another version first");
    let places = places.iter().take(MAX_TOLD);
    places.fold(diagnostic, |diagnostic, Named { by, pointer }| {
        diagnostic.related(&by.path, by.value_at(pointer), "it is used here")
    })
}

/// What uses it is wrong.
fn at_the_use(one: &Refused<'_>, Named { by, pointer }: &Named<'_>) -> Diagnostic {
    let Refused {
        document, version, ..
    } = one;
    let name = format!("{} {}", version.model_name(), version.metadata.version);
    let stage = version.spec.lifecycle;
    let message = format!("{name} can't be used, because it is {stage}");
    by.error(&codes::VERSION_IN_USE, pointer, message)
        .help("use another version")
        .related(
            &document.path,
            document.value_at(LIFECYCLE),
            format!("it is {stage} here"),
        )
}
