//! What stores and signatures say of the artifacts.

use std::collections::BTreeMap;

use crate::check::codes;
use crate::check::diagnostic::Diagnostic;
use crate::check::document::Document;
use crate::check::evidence::{Artifact, Present, Shortfall, Wanted};
use crate::check::records::{Records, Resolved};
use crate::record::Lifecycle;
use crate::record::kind::{ModelVersion, Product, RelativePath};

/// The versions whose artifacts are to be looked at: with something to compare with, those that
/// are new or changed, and without, all; and the versions whose files these need. Of what is
/// recycled the bytes may be gone.
pub(in crate::check) fn wanted(records: &Records<'_>) -> Vec<Wanted> {
    let mut wanted: BTreeMap<String, Wanted> = BTreeMap::new();
    let mut want = |document: &Document, record: &ModelVersion| {
        if record.spec.lifecycle != Lifecycle::Recycled {
            let path = document.path.clone();
            let version = record.clone();
            wanted
                .entry(path.clone())
                .or_insert(Wanted { path, version });
        }
    };
    for (document, record) in looked_at(records) {
        want(document, record);
        for (_, _, source, produces) in needed_files(records, record) {
            want(source, produces);
        }
    }
    wanted.into_values().collect()
}

fn looked_at<'a, 'r>(
    records: &'r Records<'a>,
) -> impl Iterator<Item = (&'a Document, &'a ModelVersion)> + use<'a, 'r> {
    let all = records.changes.is_none();
    records
        .versions()
        .into_iter()
        .filter(move |(document, record)| {
            record.spec.lifecycle != Lifecycle::Recycled
                && (all || records.is_changed(&document.path))
        })
}

/// The files of other models that `record` needs: each with the place of its dependency and whose
/// it is.
fn needed_files<'a>(
    records: &Records<'a>,
    record: &'a ModelVersion,
) -> Vec<(usize, &'a RelativePath, &'a Document, &'a ModelVersion)> {
    let dependencies = record.spec.dependencies.iter();
    let models = dependencies.flat_map(|dependencies| &dependencies.models);
    let files = models.enumerate().filter_map(|(index, dependency)| {
        let producer = &dependency.produced_by;
        let Product::File(file) = &producer.product else {
            return None;
        };
        match records.resolve(&producer.model, producer.version.as_ref()) {
            Resolved::Found(source, produces) => Some((index, file, source, produces)),
            _ => None,
        }
    });
    files.collect()
}

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    let Some(evidence) = records.evidence else {
        return;
    };
    for (document, record) in looked_at(records) {
        match evidence.of(&document.path) {
            Some(Artifact::Present(present)) => {
                held(document, record, present, found);
                for (index, file, source, produces) in needed_files(records, record) {
                    if let Some(Artifact::Present(theirs)) = evidence.of(&source.path)
                        && !has(theirs, file)
                    {
                        let pointer = format!("/spec/dependencies/models/{index}/producedBy/file");
                        let whose =
                            format!("{} {}", produces.model_name(), produces.metadata.version);
                        found.push(no_file(document, &pointer, file, &whose));
                    }
                }
            }
            Some(Artifact::Unusable(shortfall)) => found.push(short(document, shortfall)),
            Some(Artifact::Missing) => {
                let artifact = &record.spec.artifact;
                let message = format!(
                    "the store has no {} in {}",
                    artifact.digest, artifact.repository
                );
                found.push(
                    document
                        .error(&codes::DIGEST_MISSING, "/spec/artifact/digest", message)
                        .help("push the artifact first, or correct the digest"),
                );
            }
            Some(Artifact::Unknown { reason, help }) => {
                unknown(document, reason, help.as_deref(), found);
            }
            None => unknown(document, "nothing was found out about it", None, found),
        }
    }
}

fn unknown(document: &Document, reason: &str, help: Option<&str>, found: &mut Vec<Diagnostic>) {
    let message = format!("the artifact could not be looked at: {reason}");
    let mut diagnostic = document.error(&codes::EVIDENCE_MISSING, "/spec/artifact/digest", message);
    diagnostic.help = help.map(str::to_owned);
    found.push(diagnostic);
}

fn held(
    document: &Document,
    record: &ModelVersion,
    present: &Present,
    found: &mut Vec<Diagnostic>,
) {
    let spec = &record.spec;
    if let Some(size) = spec
        .artifact
        .size
        .filter(|size| *size != present.size_bytes)
    {
        let message = format!("the artifact has {} bytes, not {size}", present.size_bytes);
        found.push(
            document
                .error(&codes::SIZE_DIFFERS, "/spec/artifact/size", message)
                .help(format!("write `size: {}`", present.size_bytes)),
        );
    }
    let mut files: Vec<(String, &RelativePath)> = Vec::new();
    if let Some(entrypoint) = &spec.entrypoint {
        files.push(("/spec/entrypoint/file".to_owned(), &entrypoint.file));
    }
    if let Some(requirements) = spec
        .environment
        .as_ref()
        .and_then(|own| own.requirements.as_ref())
    {
        files.push(("/spec/environment/requirements".to_owned(), requirements));
    }
    for (test, golden) in spec.tests.iter().enumerate() {
        for (index, input) in golden.request.inputs.iter().enumerate() {
            let pointer = format!("/spec/tests/{test}/request/inputs/{index}/file");
            files.extend(input.file.as_ref().map(|file| (pointer, file)));
        }
        for (index, output) in golden.expect.outputs.iter().enumerate() {
            let pointer = format!("/spec/tests/{test}/expect/outputs/{index}/file");
            files.extend(output.file.as_ref().map(|file| (pointer, file)));
        }
    }
    for (pointer, file) in files {
        if !has(present, file) {
            found.push(no_file(document, &pointer, file, "the artifact"));
        }
    }
    found.extend(
        present
            .shortfalls
            .iter()
            .map(|shortfall| short(document, shortfall)),
    );
}

fn short(document: &Document, shortfall: &Shortfall) -> Diagnostic {
    let message = match shortfall.rule {
        Some(rule) => format!("rule {rule} of the trust policy: {}", shortfall.message),
        None => shortfall.message.clone(),
    };
    let mut diagnostic = document.error(shortfall.code, "/spec/artifact/digest", message);
    diagnostic.help.clone_from(&shortfall.help);
    diagnostic
}

fn has(present: &Present, file: &RelativePath) -> bool {
    present.files.iter().any(|known| known == file.as_str())
}

fn no_file(document: &Document, pointer: &str, file: &RelativePath, whose: &str) -> Diagnostic {
    let message = format!("there is no file {file} in {whose}");
    document
        .error(&codes::UNKNOWN_FILE, pointer, message)
        .help("publish it with the model, or correct the path")
}
