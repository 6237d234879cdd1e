//! Models: their versions have one, aliases lead somewhere, the yard's vocabularies hold.

use crate::check::closest::suggest;
use crate::check::codes;
use crate::check::diagnostic::Diagnostic;
use crate::check::document::Document;
use crate::check::holdings::Line;
use crate::check::layout::Seat;
use crate::check::records::Records;
use crate::record::Lifecycle;
use crate::record::kind::Model;

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    for (name, line) in records.lines() {
        let Some(document) = line.document() else {
            if let Some(version) = line.numbers().next() {
                let path = Seat::Version(name.clone(), version.clone()).path();
                let message = format!("the model {name} has versions but no record");
                let diagnostic = Diagnostic::error(&codes::MODEL_WITHOUT_RECORD, &path, message);
                found.push(diagnostic.help(format!("write models/{name}/model.yaml")));
            }
            continue;
        };
        if let Some(model) = document.model() {
            aliases(document, model, line, found);
            vocabularies(records, document, model, found);
        }
    }
}

fn aliases(document: &Document, model: &Model, line: &Line, found: &mut Vec<Diagnostic>) {
    for (alias, version) in &model.spec.aliases {
        let pointer = format!("/spec/aliases/{alias}");
        let Some(target) = line.version(version) else {
            let names: Vec<_> = line.numbers().rev().map(ToString::to_string).collect();
            let message = format!("`{alias}` is version {version}, which does not exist");
            let mut diagnostic = document.error(&codes::UNKNOWN_VERSION, &pointer, message);
            diagnostic.help = suggest(&version.to_string(), names.iter().map(String::as_str))
                .or_else(|| Some("publish it first, or delete the alias".to_owned()));
            found.push(diagnostic);
            continue;
        };
        let stage = target.version().map(|record| record.spec.lifecycle);
        if let Some(stage @ (Lifecycle::Retired | Lifecycle::Recycled)) = stage {
            let message = format!("`{alias}` is version {version}, which is {stage}");
            found.push(
                document
                    .error(&codes::ALIAS_RETIRED, &pointer, message)
                    .help("give the alias to a version that is in use, or delete it")
                    .related(
                        &target.path,
                        target.value_at("/spec/lifecycle"),
                        "it is here",
                    ),
            );
        }
    }
}

fn vocabularies(
    records: &Records<'_>,
    document: &Document,
    model: &Model,
    found: &mut Vec<Diagnostic>,
) {
    let Some((yard_document, yard)) = records.yard() else {
        return;
    };
    let said = model.spec.classification.fields();
    let closed = yard.spec.classification.fields();
    for ((field, value), (_, vocabulary)) in said.into_iter().zip(closed) {
        let Some(value) = value else {
            continue;
        };
        if vocabulary.is_empty() || vocabulary.iter().any(|word| word == value) {
            continue;
        }
        let pointer = format!("/spec/classification/{field}");
        let message = format!("`{value}` is not in this yard's vocabulary of `{field}`");
        let mut diagnostic = document.error(&codes::OUTSIDE_VOCABULARY, &pointer, message);
        diagnostic.help = suggest(value, vocabulary.iter().map(String::as_str));
        found.push(diagnostic.related(
            &yard_document.path,
            yard_document.key_at(&pointer),
            "it is closed here",
        ));
    }
}
