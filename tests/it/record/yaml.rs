//! What is written as YAML is read back as it was, by every reader.

use modelyard::record::yaml::to_yaml;
use proptest::prelude::*;
use serde_json::{Map, Number, Value, json};

use super::{cases, read_yaml};

/// Texts that look like something else, and any text at all.
pub(super) fn texts() -> impl Strategy<Value = String> {
    let parts = proptest::sample::select(vec![
        "",
        " ",
        "\n",
        "\t",
        "\r",
        ":",
        "#",
        "-",
        "?",
        ",",
        "[",
        "]",
        "{",
        "}",
        "&",
        "*",
        "!",
        "|",
        ">",
        "'",
        "\"",
        "%",
        "@",
        "`",
        "\\",
        "~",
        "=",
        "<<",
        ".",
        "_",
        "0",
        "1",
        "7",
        "e",
        "x",
        "o",
        "b",
        "yes",
        "no",
        "on",
        "off",
        "y",
        "n",
        "null",
        "true",
        "False",
        ".inf",
        ".nan",
        "---",
        "...",
        "a",
        "é",
        "🙂",
        "\u{0}",
        "\u{1b}",
        "\u{7f}",
        "\u{85}",
        "\u{a0}",
        "\u{2028}",
        "\u{202e}",
        "\u{feff}",
        "\u{fffe}",
        "2026-11-01",
        "T09:30:00Z",
        "1.4.0",
        "+",
        "12:30",
    ]);
    prop_oneof![
        4 => proptest::collection::vec(parts, 0..7).prop_map(|parts| parts.concat()),
        1 => any::<String>(),
    ]
}

fn numbers() -> impl Strategy<Value = Value> {
    let float = any::<f64>().prop_filter_map("finite", Number::from_f64);
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        float.prop_map(Value::Number),
    ]
}

pub(super) fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        2 => numbers(),
        5 => texts().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 40, 8, |inner| {
        let fields = proptest::collection::vec((texts(), inner.clone()), 0..6);
        prop_oneof![
            proptest::collection::vec(inner, 0..6).prop_map(Value::Array),
            proptest::collection::vec(numbers(), 0..60).prop_map(Value::Array),
            fields.prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

#[test]
fn every_value_comes_back() {
    proptest!(cases(3000), |(value in values())| {
        // Never nothing but null: that is a file with no record.
        let value = json!({ "value": value });
        let yaml = to_yaml(&value);
        prop_assert_eq!(&read_yaml(&yaml), &value, "{}", yaml);
        // A reader to whom `yes` is true, as it is to many outside.
        let other: Value = serde_saphyr::from_str(&yaml)
            .unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        prop_assert_eq!(&other, &value, "{}", yaml);
    });
}

#[test]
fn nothing_hides_from_a_reviewer() {
    proptest!(cases(1000), |(value in values())| {
        let yaml = to_yaml(&value);
        let hidden = |c: char| {
            (c.is_control() && c != '\n' && c != '\t')
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        };
        prop_assert!(!yaml.contains(hidden), "{:?}", yaml);
        prop_assert!(yaml.ends_with('\n'));
    });
}

#[test]
fn a_key_that_is_too_long_for_a_line_comes_back() {
    for length in [999, 1000, 1001, 3000] {
        let value = json!({"a": {"k".repeat(length): {"b": [1, 2]}, "\n".repeat(length): "c\nd"}});
        assert_eq!(read_yaml(&to_yaml(&value)), value);
    }
}
