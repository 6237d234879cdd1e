//! What a change may do to a version that is merged.

use serde_json::{Map, Value};

use crate::check::codes;
use crate::check::diagnostic::Diagnostic;
use crate::check::document::Document;
use crate::check::layout::Seat;
use crate::check::records::Records;
use crate::check::yaml::escape;
use crate::record::kind::{ModelVersion, Record};
use crate::record::{Fault, Lifecycle};

/// What may change in a merged version.
const MUTABLE: [&str; 3] = ["lifecycle", "notes", "links"];

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    if records.changes.is_none() {
        return;
    }
    for (document, record) in records.versions() {
        if !records.is_changed(&document.path) {
            continue;
        }
        let before = records.version_before(&document.path);
        moved(document, record, before.map(|(_, before)| before), found);
        if let Some((_, before)) = before {
            changed(document, record, before, found);
        }
    }
    for (path, before) in records.before {
        if !records.contains(path) {
            deleted(path, before, found);
        }
    }
}

/// A new record counts as a move from `staged`; what was imported goes on where it was.
fn moved(
    document: &Document,
    record: &ModelVersion,
    before: Option<&ModelVersion>,
    found: &mut Vec<Diagnostic>,
) {
    let from = before.map_or(Lifecycle::Staged, |before| before.spec.lifecycle);
    let goes_on = before.is_none() && record.spec.imported.is_some();
    if goes_on && record.spec.lifecycle != Lifecycle::Recycled {
        return;
    }
    if let Err(illegal) = from.move_to(record.spec.lifecycle) {
        let message = match before {
            Some(_) => illegal.to_string(),
            None => format!("a new version can't be {}: it begins as staged", illegal.to),
        };
        let mut diagnostic = document.error(illegal.code(), "/spec/lifecycle", message);
        diagnostic.help = illegal.help();
        found.push(diagnostic);
    }
}

fn changed(
    document: &Document,
    record: &ModelVersion,
    before: &ModelVersion,
    found: &mut Vec<Diagnostic>,
) {
    let (now, then) = (spec(record), spec(before));
    let fields = then
        .keys()
        .chain(now.keys().filter(|field| !then.contains_key(*field)));
    for field in fields.filter(|field| !MUTABLE.contains(&field.as_str())) {
        let (now, then) = (now.get(field), then.get(field));
        if now == then || (field == "imported" && settled(now) == settled(then)) {
            continue;
        }
        let root = format!("/spec/{}", escape(field));
        let pointer = first_difference(&root, now, then);
        if record.spec.artifact.digest != before.spec.artifact.digest && field == "artifact" {
            let message = format!(
                "the digest of a merged version changed: it was {}",
                before.spec.artifact.digest
            );
            found.push(
                document
                    .error(&codes::DIGEST_CHANGED, "/spec/artifact/digest", message)
                    .help("publish other bytes as another version"),
            );
            continue;
        }
        let was = match then.and_then(|then| then.pointer(&pointer[root.len()..])) {
            Some(Value::Array(_) | Value::Object(_)) => String::new(),
            Some(Value::String(text)) if text.len() > 60 || text.contains('\n') => String::new(),
            Some(value) => format!(": it was {value}"),
            None => ": it was not there".to_owned(),
        };
        let message = format!("`{}` of a merged version changed{was}", dotted(&pointer));
        let mut diagnostic = document.error(&codes::VERSION_CHANGED, &pointer, message);
        if now.is_none() {
            diagnostic.message = format!("`{field}` of a merged version is gone");
        }
        found.push(
            diagnostic
                .help("only `lifecycle`, `notes` and `links` may change; publish another version"),
        );
    }
}

/// `imported` without what its source may still say otherwise of it after the merge.
fn settled(imported: Option<&Value>) -> Option<Value> {
    let mut imported = imported?.clone();
    if let Value::Object(fields) = &mut imported {
        fields.retain(|field, _| !matches!(field.as_str(), "stage" | "aliases"));
    }
    Some(imported)
}

fn spec(record: &ModelVersion) -> Map<String, Value> {
    match Record::from(record.clone()).to_value() {
        Value::Object(mut map) => match map.remove("spec") {
            Some(Value::Object(spec)) => spec,
            _ => Map::new(),
        },
        _ => Map::new(),
    }
}

/// The field at `pointer` as people write it: `metrics[0].value`.
fn dotted(pointer: &str) -> String {
    let tokens = pointer.trim_start_matches("/spec/").split('/');
    tokens.fold(String::new(), |path, token| {
        let token = token.replace("~1", "/").replace("~0", "~");
        match token.parse::<usize>() {
            Ok(index) => format!("{path}[{index}]"),
            Err(_) if path.is_empty() => token,
            Err(_) => format!("{path}.{token}"),
        }
    })
}

/// The pointer of the first place at which `now` is not `then`.
fn first_difference(pointer: &str, now: Option<&Value>, then: Option<&Value>) -> String {
    match (now, then) {
        (Some(Value::Object(now)), Some(Value::Object(then))) => {
            let keys = now.keys().chain(then.keys());
            let mut differing = keys.filter(|key| now.get(*key) != then.get(*key));
            differing.next().map_or(pointer.to_owned(), |key| {
                let below = format!("{pointer}/{}", escape(key));
                first_difference(&below, now.get(key), then.get(key))
            })
        }
        (Some(Value::Array(now)), Some(Value::Array(then))) => {
            let index = now.iter().zip(then).position(|(now, then)| now != then);
            index.map_or(pointer.to_owned(), |index| {
                let below = format!("{pointer}/{index}");
                first_difference(&below, now.get(index), then.get(index))
            })
        }
        _ => pointer.to_owned(),
    }
}

fn deleted(path: &str, before: &Document, found: &mut Vec<Diagnostic>) {
    let (Seat::Version(model, version), Some(record)) = (&before.seat, before.version()) else {
        return;
    };
    let stage = record.spec.lifecycle;
    if stage == Lifecycle::Recycled {
        return;
    }
    let message = format!("{model} {version} was deleted, but it was {stage}, not recycled");
    found.push(
        Diagnostic::error(&codes::VERSION_DELETED, path, message)
            .help("restore the file; a version goes by `retired` and `recycled`"),
    );
}
