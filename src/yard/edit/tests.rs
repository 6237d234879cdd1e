//! Edits keep what they don't change, whatever the YAML.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const MODEL: &str = "\
# The model that reads digits.
apiVersion: modelyard.dev/v1
kind: Model
metadata: {namespace: vision, name: digits}   # as in its path

spec:
  title: 'Digits'   # in single quotes
  owners:
  - team: vision   # the first
    contact: vision@example.com

  # Who may use what.
  aliases:
    champion: 1.0.0     # since May
  classification: {task: image-classification}
  license:
  description: |
    Reads digits.

    From images.
";

fn edited(source: &str, edit: impl Fn(&[u8]) -> Result<Vec<u8>, EditError>) -> String {
    for source in [source.to_owned(), source.replace('\n', "\r\n")] {
        let edited = edit(source.as_bytes()).unwrap();
        let edited = String::from_utf8(edited).unwrap();
        if source.contains('\r') {
            assert!(!edited.replace("\r\n", "").contains('\n'), "{edited:?}");
        }
    }
    String::from_utf8(edit(source.as_bytes()).unwrap()).unwrap()
}

/// The lines that differ, as `- before` and `+ after`.
fn difference(source: &str, pointer: &str, value: &Value) -> String {
    let edited = edited(source, |source| set(source, pointer, value));
    let (before, after): (Vec<_>, Vec<_>) = (source.lines().collect(), edited.lines().collect());
    let same = before
        .iter()
        .zip(&after)
        .take_while(|(a, b)| a == b)
        .count();
    let (rest_before, rest_after) = (&before[same..], &after[same..]);
    let tail = rest_before.iter().rev().zip(rest_after.iter().rev());
    let tail = tail.take_while(|(a, b)| a == b).count();
    let removed = rest_before[..rest_before.len() - tail]
        .iter()
        .map(|line| format!("- {line}\n"));
    let added = rest_after[..rest_after.len() - tail]
        .iter()
        .map(|line| format!("+ {line}\n"));
    removed.chain(added).collect()
}

#[test]
fn a_value_changes_and_nothing_around_it() {
    for (pointer, value, wanted) in [
        (
            "/spec/aliases/champion",
            json!("1.1.0"),
            "-     champion: 1.0.0     # since May\n+     champion: 1.1.0     # since May\n",
        ),
        (
            "/spec/title",
            json!("Digits: new"),
            "-   title: 'Digits'   # in single quotes\n+   title: 'Digits: new'   # in single quotes\n",
        ),
        (
            "/metadata/name",
            json!("numbers"),
            "- metadata: {namespace: vision, name: digits}   # as in its path\n+ metadata: {namespace: vision, name: numbers}   # as in its path\n",
        ),
        (
            "/spec/license",
            json!("MIT"),
            "-   license:\n+   license: MIT\n",
        ),
        (
            "/spec/classification/task",
            json!("yes, no"),
            "-   classification: {task: image-classification}\n+   classification: {task: \"yes, no\"}\n",
        ),
        (
            "/spec/owners/0/team",
            json!("true"),
            "-   - team: vision   # the first\n+   - team: \"true\"   # the first\n",
        ),
    ] {
        assert_eq!(difference(MODEL, pointer, &value), wanted, "{pointer}");
    }
}

#[test]
fn what_is_missing_is_put_behind_its_siblings() {
    for (pointer, value, wanted) in [
        (
            "/spec/aliases/challenger",
            json!("1.1.0"),
            "+     challenger: 1.1.0\n",
        ),
        (
            "/metadata/labels/line",
            json!("3"),
            "- metadata: {namespace: vision, name: digits}   # as in its path\n+ metadata: {namespace: vision, name: digits, labels: {line: \"3\"}}   # as in its path\n",
        ),
        (
            "/spec/citation/doi",
            json!("10.5281/zenodo.1"),
            "+   citation:\n+     doi: 10.5281/zenodo.1\n",
        ),
        (
            "/spec/classification/category",
            json!("classification"),
            "-   classification: {task: image-classification}\n+   classification: {task: image-classification, category: classification}\n",
        ),
        (
            "/spec/owners/0/pager",
            json!(["a", {"b": 1}]),
            "+     pager:\n+       - a\n+       - b: 1\n",
        ),
    ] {
        assert_eq!(difference(MODEL, pointer, &value), wanted, "{pointer}");
    }
}

#[test]
fn keys_that_say_so_are_set_as_others_are() {
    for (spec, wanted) in [
        ("  ? a # is: one\n  : 1\n", "  ? a # is: one\n  : 2\n"),
        ("  ? a # none\n  b: 1\n", "  ? a # none\n  : 2\n  b: 1\n"),
        ("  ? b\n  : 1 # one\n", "  ? b\n  : 1 # one\n  a: 2\n"),
        ("  {a, b: 1}\n", "  {a: 2, b: 1}\n"),
        ("  {? b : 1}\n", "  {? b : 1, a: 2}\n"),
    ] {
        let source = format!("kind: It\nspec:\n{spec}");
        let edited = edited(&source, |source| set(source, "/spec/a", &json!(2)));
        assert_eq!(edited, format!("kind: It\nspec:\n{wanted}"));
    }
}

#[test]
fn a_key_that_would_mean_something_else_has_quotes() {
    let merged = difference(MODEL, "/spec/aliases/<<", &json!("1.0.0"));
    assert_eq!(merged, "+     \"<<\": 1.0.0\n");
}

#[test]
fn texts_of_several_lines_stay_readable() {
    let value = json!("Reads digits.\n\nFrom scans: all of them.\n");
    insta::assert_snapshot!(difference(MODEL, "/spec/description", &value), @r"
    -     From images.
    +     From scans: all of them.
    ");
    insta::assert_snapshot!(difference(MODEL, "/spec/license", &json!("a\nb")), @r"
    -   license:
    +   license: |-
    +     a
    +     b
    ");
    insta::assert_snapshot!(difference(MODEL, "/spec/title", &json!(" a\nb \u{1b}")), @r#"
    -   title: 'Digits'   # in single quotes
    +   title: " a\nb \u001b"   # in single quotes
    "#);
}

#[test]
fn null_removes_a_field_and_what_it_leaves_empty() {
    for (pointer, wanted) in [
        ("/spec/license", "-   license:\n"),
        (
            "/spec/classification/task",
            "-   classification: {task: image-classification}\n",
        ),
        (
            "/spec/aliases/champion",
            "-   aliases:\n-     champion: 1.0.0     # since May\n",
        ),
        (
            "/spec/owners/0/contact",
            "-     contact: vision@example.com\n",
        ),
        (
            "/spec/owners/0/team",
            "-   - team: vision   # the first\n-     contact: vision@example.com\n+   - contact: vision@example.com\n",
        ),
        (
            "/spec/description",
            "-   description: |\n-     Reads digits.\n- \n-     From images.\n",
        ),
        ("/spec/nothing", ""),
    ] {
        assert_eq!(
            difference(MODEL, pointer, &Value::Null),
            wanted,
            "{pointer}"
        );
    }
}

#[test]
fn what_would_be_an_indicator_behind_a_dash_is_quoted() {
    let edited = edited("spec: {}\n", |source| {
        set(source, "/spec/one", &json!(["?"]))
    });
    assert!(edited.contains("\"?\""), "{edited}");
}

#[test]
fn the_only_field_in_brackets_goes_with_its_comma() {
    for source in [
        "spec: {rules: [{key: a}]}",
        "spec: {rules: [{key: a,}]}",
        "spec: {rules: [{key: a\n  ,}]}",
    ] {
        let edited = edited(source, |source| {
            set(source, "/spec/rules/0/key", &Value::Null)
        });
        assert_eq!(edited, "spec: {rules: [{}]}");
    }
}

#[test]
fn items_are_added_as_their_neighbours_are_written() {
    let owner = json!({"team": "nlp", "contact": "nlp@example.com"});
    let block = edited(MODEL, |source| add(source, "/spec/owners", &owner));
    assert!(
        block.contains(
            "    contact: vision@example.com\n  - team: nlp\n    contact: nlp@example.com\n\n"
        ),
        "{block}"
    );
    let again = edited(&block, |source| add(source, "/spec/owners", &owner));
    assert_eq!(again, block);
    let flow = edited("spec: {rules: [{key: a}]} # c", |source| {
        add(source, "/spec/rules", &json!({"key": "keys/b.pub"}))
    });
    assert_eq!(flow, "spec: {rules: [{key: a}, {key: keys/b.pub}]} # c");
    let missing = edited("spec:\n  a: 1", |source| {
        add(
            source,
            "/spec/trust/rules",
            &json!({"accept": [{"key": "k"}]}),
        )
    });
    assert_eq!(
        missing,
        "spec:\n  a: 1\n  trust:\n    rules:\n      - accept:\n          - key: k\n"
    );
    let empty = edited("spec:\n  rules: []   # none yet\n", |source| {
        add(source, "/spec/rules", &json!("a"))
    });
    assert_eq!(empty, "spec:\n  rules: [a]   # none yet\n");
}

#[test]
fn what_is_so_already_stays_byte_for_byte() {
    let edited = set(MODEL.as_bytes(), "/spec/title", &json!("Digits")).unwrap();
    assert_eq!(edited, MODEL.as_bytes());
}

#[test]
fn a_scalar_can_hold_no_field() {
    let error = set(MODEL.as_bytes(), "/spec/title/x", &json!(1)).unwrap_err();
    assert!(matches!(error, EditError::NoPlace { .. }), "{error:?}");
}

fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z]{1,8}",
        "\\PC{0,12}",
        "[ -~\n]{0,20}",
        Just("- a: b".to_owned()),
        Just("#".to_owned()),
        Just("1.0".to_owned()),
        Just("a # b".to_owned()),
        Just("a: b".to_owned()),
        Just("---".to_owned()),
    ];
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,5}|[ -~]{1,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                pointers(value, &format!("{at}/{}", yaml::escape(key)), out);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                pointers(value, &format!("{at}/{index}"), out);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn any_value_can_be_set_anywhere(
        old in values(),
        new in values(),
        pick in any::<prop::sample::Index>(),
        flow in any::<bool>(),
    ) {
        let record = json!({"kind": "Model", "spec": {"before": 1, "it": old, "after": "x"}});
        let source = if flow {
            format!("# one\n{} # two\n", render::flow(&record))
        } else {
            format!("# one{}\n# two\n", render::block(&record, 0, render::Context::Field, Texts::OnLines))
        };
        let parsed = yaml::parse(source.as_bytes()).unwrap();
        prop_assert_eq!(parsed.value(), &record, "{}", source);
        let mut all = Vec::new();
        pointers(&record["spec"]["it"], "/spec/it", &mut all);
        let pointer = pick.get(&all);
        let edited = set(source.as_bytes(), pointer, &new);
        prop_assert!(edited.is_ok(), "{pointer} {new}\n{source}\n{edited:?}");
        let edited = String::from_utf8(edited.unwrap()).unwrap();
        prop_assert!(edited.contains("# one") && edited.contains("# two"));
    }
}
