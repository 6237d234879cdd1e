//! From the types to the schemas: whatever the types can say, the schemas take.

use std::collections::BTreeSet;

use jsonschema::Validator;
use modelyard::record::Kind;
use proptest::prelude::*;

use super::sample::{Choices, record};
use super::walk::{schema_fields, used_fields};
use super::{cases, schema, survives, validator};

fn validators() -> Vec<(Kind, Validator)> {
    Kind::ALL
        .iter()
        .map(|&kind| (kind, validator(&schema(kind))))
        .collect()
}

#[test]
fn whatever_the_types_say_is_valid() {
    let validators = validators();
    let bytes = proptest::collection::vec(any::<u8>(), 0..600);
    proptest!(cases(256), |(bytes in bytes, which in 0..validators.len())| {
        let (kind, validator) = &validators[which];
        let made = record(*kind, &mut Choices::Bytes(&bytes));
        let read = survives(*kind, validator, &made.to_value());
        prop_assert_eq!(read, made);
    });
}

#[test]
fn the_types_can_say_every_field_of_the_schemas() {
    for (kind, validator) in validators() {
        let known = schema_fields(&schema(kind));
        let mut used = BTreeSet::new();
        let nothing = record(kind, &mut Choices::Nothing);
        survives(kind, &validator, &nothing.to_value());
        for seed in 0..32 {
            let everything = record(kind, &mut Choices::Everything(seed));
            let document = everything.to_value();
            survives(kind, &validator, &document);
            used_fields(&document, &known, &mut used);
        }
        let unsaid: Vec<_> = known.difference(&used).collect();
        assert!(unsaid.is_empty(), "{kind}: {unsaid:#?}");
    }
}
