//! Whatever a record says, reading it ends with a record or an error.

use modelyard::record::kind::FORMATS;
use modelyard::record::{Kind, Record};
use proptest::prelude::*;

use super::walk::places;
use super::yaml::{texts, values};
use super::{cases, schema};

#[test]
fn any_text_has_its_format_or_an_error_that_can_be_printed() {
    let examples: Vec<_> = FORMATS
        .iter()
        .map(|format| example_of(format.name))
        .collect();
    let almost = (0..examples.len(), any::<prop::sample::Index>(), texts());
    proptest!(cases(2000), |((which, place, text) in almost)| {
        let format = &FORMATS[which];
        let example = &examples[which];
        // What is almost right finds more than what is nothing.
        let cut = place.index(example.chars().count() + 1);
        let (head, tail) = (example.chars().take(cut), example.chars().skip(cut));
        let mixed: String = head.chain(text.chars()).chain(tail).collect();
        for text in [text, mixed] {
            if let Err(fault) = (format.check)(&text) {
                let said = format!("{fault}{}", fault.help().unwrap_or_default());
                prop_assert!(!said.contains(char::is_control), "{said:?}");
            }
        }
    });
}

/// The first example that a schema gives for a format.
fn example_of(format: &str) -> String {
    let mut found = None;
    for &kind in Kind::ALL {
        super::walk::each_schema(&schema(kind), &mut |_, node| {
            let example = node.get("examples").and_then(|examples| examples.get(0));
            if node.get("format").and_then(|name| name.as_str()) == Some(format) {
                found = found
                    .take()
                    .or(example.and_then(|text| text.as_str()).map(str::to_owned));
            }
        });
    }
    found.unwrap_or_else(|| panic!("{format} has no example"))
}

#[test]
fn any_value_anywhere_is_taken_or_refused() {
    let documents: Vec<_> = Kind::ALL
        .iter()
        .map(|&kind| {
            let root = schema(kind);
            let document = root["examples"][0].clone();
            let pointers: Vec<_> = places(&root, &document)
                .into_iter()
                .map(|(pointer, _)| pointer)
                .collect();
            (kind, document, pointers)
        })
        .collect();
    let choices = (0..documents.len(), any::<prop::sample::Index>(), values());
    proptest!(cases(3000), |((which, place, value) in choices)| {
        let (kind, document, pointers) = &documents[which];
        let mut document = document.clone();
        *document.pointer_mut(&pointers[place.index(pointers.len())]).unwrap() = value;
        if let Ok(record) = Record::from_value(*kind, &document) {
            // What was taken can be written, read again, and is the same.
            let again = Record::from_value(*kind, &record.to_value());
            prop_assert_eq!(again.ok(), Some(record));
        }
    });
}
