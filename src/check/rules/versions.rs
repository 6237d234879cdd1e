//! Names within one version are each one's own.

use super::duplicate_names;
use crate::check::diagnostic::Diagnostic;
use crate::check::records::Records;

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    for (document, record) in records.versions() {
        let spec = &record.spec;
        let tensors = [
            ("/spec/inputs", &spec.inputs),
            ("/spec/outputs", &spec.outputs),
        ];
        for (list, tensors) in tensors {
            let names = tensors.iter().map(|tensor| tensor.name.as_str());
            duplicate_names(document, list, names, found);
        }
        let names = spec
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str());
        duplicate_names(document, "/spec/parameters", names, found);
        let names = spec.tests.iter().map(|test| test.name.as_str());
        duplicate_names(document, "/spec/tests", names, found);
    }
}
