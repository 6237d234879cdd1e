//! Lists of which items stay, change, move, come and go: what stays keeps every byte, and what is its
//! own comes with it and goes with it.

use modelyard::check::yaml;
use modelyard::yard::edit;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::corpus::MANNERS;

/// Sets the list `spec.it` of a record, in any manner.
#[track_caller]
fn becomes(before: &str, items: &Value, after: &str) {
    for (manner, change) in MANNERS {
        let (before, wanted) = (change(before), change(after));
        let edited = edit::set(before.as_bytes(), "/spec/it", items).unwrap();
        let edited = String::from_utf8(edited).unwrap();
        assert_eq!(edited, wanted, "{manner}");
        let parsed = yaml::parse(edited.as_bytes()).unwrap();
        assert_eq!(parsed.value().pointer("/spec/it"), Some(items), "{manner}");
    }
}

const SCALARS: &str = "\
kind: It
spec:
  it: # the list
    # About the list.

    # Above a.
    - a # behind a
      # in a
    # Above b.
    # And once more.
    - b
    - c   # behind c

    -
      d
      # in d
    # About no item.
  last: x
";

#[test]
fn an_item_comes_and_goes_with_what_is_its_own() {
    for (items, gone, come) in [
        (
            json!(["b", "c", "d"]),
            "    # Above a.\n    - a # behind a\n      # in a\n",
            "",
        ),
        (
            json!(["a", "c", "d"]),
            "    # Above b.\n    # And once more.\n    - b\n",
            "",
        ),
        (json!(["a", "b", "d"]), "    - c   # behind c\n\n", ""),
        (
            json!(["a", "b", "c"]),
            "\n    -\n      d\n      # in d\n",
            "",
        ),
        (
            json!(["a", "b", "x", "c", "d"]),
            "    - c   # behind c\n",
            "    - x\n    - c   # behind c\n",
        ),
        (
            json!(["a", "b", "c", "d", "x: y"]),
            "      # in d\n",
            "      # in d\n    - \"x: y\"\n",
        ),
    ] {
        assert!(SCALARS.contains(gone));
        becomes(SCALARS, &items, &SCALARS.replacen(gone, come, 1));
    }
}

#[test]
fn items_that_change_their_order_take_along_what_is_their_own() {
    becomes(
        SCALARS,
        &json!(["d", "a", "c", "x"]),
        "\
kind: It
spec:
  it: # the list
    # About the list.

    -
      d
      # in d
    # Above a.
    - a # behind a
      # in a
    - c   # behind c

    - x
    # About no item.
  last: x
",
    );
}

#[test]
fn a_mapping_is_known_by_its_key_and_changes_where_it_stands() {
    becomes(
        "\
kind: It
spec:
  it:
  # Above the first.
  - name: accuracy # the name
    # Above its value.
    value: 0.97 # measured
    dataset: test # of May
  # Above the second.
  - {name: f1, value: 0.9} # in brackets
  - # on its own
    value: 12
    name: latency
",
        &json!([
            {"name": "latency", "value": 11},
            {"name": "accuracy", "value": 0.98, "unit": "1"},
            {"name": "f1", "value": 0.91, "dataset": "test"},
        ]),
        "\
kind: It
spec:
  it:
  - # on its own
    value: 11
    name: latency
  # Above the first.
  - name: accuracy # the name
    # Above its value.
    value: 0.98 # measured
    unit: \"1\"
  # Above the second.
  - {name: f1, value: 0.91, dataset: test} # in brackets
",
    );
}

#[test]
fn lists_within_lists_begin_behind_a_dash_or_on_its_line() {
    let nested =
        |first: &str, second: &str| format!("kind: It\nspec:\n  it:\n{first}{second}  last: x\n");
    let inline = "  - - a # one\n    # above b\n    - b\n";
    let own = "  -\n    # above c\n    - c # three\n    - d\n";
    let before = nested(inline, own);
    becomes(&before, &json!([["a", "b"], ["c", "d"]]), &before);
    becomes(
        &before,
        &json!([["c", "d"], ["a", "b"]]),
        &nested(own, inline),
    );
    let lists = |first: &str, second: &str| -> Vec<(String, Value, String)> {
        let at = |pointer: &str| pointer.to_owned();
        vec![
            (at("/spec/it/0"), json!(["b"]), nested(first, own)),
            (at("/spec/it/1"), json!(["d", "c"]), nested(inline, second)),
        ]
    };
    let edits = lists(
        "  -\n    # above b\n    - b\n",
        "  -\n    - d\n    # above c\n    - c # three\n",
    );
    for (pointer, items, wanted) in edits {
        let edited = edit::set(before.as_bytes(), &pointer, &items).unwrap();
        assert_eq!(String::from_utf8(edited).unwrap(), wanted);
    }
    let swapped = edit::set(before.as_bytes(), "/spec/it/0", &json!(["x", "a"])).unwrap();
    let swapped = String::from_utf8(swapped).unwrap();
    assert_eq!(swapped, nested("  - - x\n    - a # one\n", own));
}

#[test]
fn blank_lines_that_a_text_holds_stay_with_it() {
    let list = |items: &str| format!("kind: It\nspec:\n  it:\n{items}  last: x\n");
    let (kept, b, c) = ("  - |+\n    kept\n\n", "  - b\n", "  - name: c # c\n");
    let (one, two, three) = (json!("kept\n\n"), json!("b"), json!({"name": "c"}));
    let first = list(&[kept, b, c].concat());
    becomes(
        &first,
        &json!([two, one, three]),
        &list(&[b, kept, c].concat()),
    );
    becomes(&first, &json!([three, one]), &list(&[c, kept].concat()));
    let last = list(&[c, b, kept].concat());
    becomes(&last, &json!([one, three]), &list(&[kept, c].concat()));
}

#[test]
fn items_in_brackets_come_and_go_with_their_commas() {
    let over_lines =
        |items: &str| format!("kind: It\nspec:\n  it: [ # the list\n{items}  ] # end\n");
    let (a, b, c) = (
        "    {name: a, value: 1}, # behind a\n",
        "    # Above b.\n    { name: b, value: 2 },\n",
        "    {name: c, value: 3}, # behind c\n",
    );
    let before = over_lines(&[a, b, c].concat());
    let (one, two, three) = (
        json!({"name": "a", "value": 1}),
        json!({"name": "b", "value": 2}),
        json!({"name": "c", "value": 3}),
    );
    for (items, after) in [
        (json!([two, three]), [b, c].concat()),
        (json!([one, three]), [a, c].concat()),
        (json!([one, two]), [a, b].concat()),
        (json!([three, one]), [c, a].concat()),
        (
            json!([two, {"name": "x"}, one]),
            [b, "    {name: x},\n", a].concat(),
        ),
        (
            json!([one, {"name": "c", "value": 4}]),
            [a, "    {name: c, value: 4}, # behind c\n"].concat(),
        ),
    ] {
        becomes(&before, &items, &over_lines(&after));
    }
    for (before, items, after) in [
        ("[a, b,c]", json!(["a", "c"]), "[a, c]"),
        ("[a, b,c]", json!(["a", "b", "x", "c"]), "[a, b, x, c]"),
        ("[ a, b ]", json!(["b", "a"]), "[ b, a ]"),
        ("[ a, b, ]", json!(["a", "b", "x"]), "[ a, b, x, ]"),
        ("[a, # one\n    b] # two", json!(["b"]), "[b] # two"),
        (
            "[a, # one\n    b] # two",
            json!(["a"]),
            "[a # one\n    ] # two",
        ),
        (
            "[a, # one\n    b] # two",
            json!(["b", "a", "x"]),
            "[b,\n    a, # one\n    x] # two",
        ),
        ("[\"a\" # one\n    , 'b']", json!(["b"]), "['b']"),
    ] {
        let record = |list: &str| format!("kind: It\nspec:\n  it: {list}\n  last: x\n");
        becomes(&record(before), &items, &record(after));
    }
}

/// A list's item as it is written: what is above it and it itself, and what follows before the next.
#[derive(Debug, Clone)]
struct Item {
    value: Value,
    text: String,
    behind: &'static str,
}

/// Writes items of one kind, each in another style.
fn items(count: usize, are_mappings: bool, margin: &str, choices: &[u8]) -> Vec<Item> {
    let mut choices = choices.iter().cycle();
    let mut one_of = |count: u8| choices.next().unwrap() % count;
    let item = |at: usize| {
        let mut text = String::new();
        for line in 0..one_of(3) {
            text += &format!("{margin}# above {at} {line}\n");
        }
        let comment = ["", " # behind", "   # {}[], - x: y"][usize::from(one_of(3))];
        let value = match are_mappings {
            true => json!({"name": format!("n{at}"), "value": at}),
            false => json!(format!("n{at}")),
        };
        text += &match (are_mappings, one_of(3)) {
            (true, 0) => format!("{margin}- {{name: n{at}, value: {at}}}{comment}\n"),
            (true, 1) => {
                format!("{margin}- name: n{at}{comment}\n{margin}  # in\n{margin}  value: {at}\n")
            }
            (true, _) => format!(
                "{margin}-{comment}\n{margin}   value: {at}{comment}\n{margin}   'name': n{at}\n"
            ),
            (_, 0) => format!("{margin}- 'n{at}'{comment}\n"),
            (_, 1) => format!("{margin}- >-{comment}\n{margin}  n{at}\n"),
            _ => format!("{margin}-{comment}\n{margin}   n{at}{comment}\n"),
        };
        // Behind a text in lines it would be part of that.
        if one_of(3) == 0 && !text.contains(">-") {
            text += &format!("{margin}   # deeper\n");
        }
        let behind = ["", "", "\n", " \n\n"][usize::from(one_of(4))];
        Item {
            value,
            text,
            behind,
        }
    };
    (0..count).map(item).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(500)
    })]

    #[test]
    fn what_stays_of_a_list_keeps_every_byte(
        count in 1_usize..6,
        are_mappings in any::<bool>(),
        indent in 2_usize..5,
        choices in vec(any::<u8>(), 40..60),
        picks in vec((any::<Index>(), any::<bool>(), any::<bool>()), 1..7),
        manner in any::<Index>(),
    ) {
        let margin = " ".repeat(indent);
        let old = items(count, are_mappings, &margin, &choices);
        let list = |items: &[Item]| {
            let last = items.len() - 1;
            let lines = items.iter().enumerate().map(|(at, item)| {
                item.text.clone() + if at == last { "" } else { item.behind }
            });
            format!("kind: It\nspec:\n  first: x\n  it: # the list\n{}\n  last: x\n", lines.collect::<String>())
        };
        let mut left = old.clone();
        // Nothing stood between the last one and the next.
        left[count - 1].behind = "";
        let mut new = Vec::new();
        for (at, (pick, changes, is_new)) in picks.into_iter().enumerate() {
            if is_new && at > 0 || left.is_empty() {
                let (value, text) = match are_mappings {
                    true => (json!({"name": format!("x{at}")}), format!("{margin}- name: x{at}\n")),
                    false => (json!(format!("x{at}")), format!("{margin}- x{at}\n")),
                };
                new.push(Item { value, text, behind: "" });
                continue;
            }
            let mut item = left.remove(pick.index(left.len()));
            if changes && are_mappings {
                let was = item.value["value"].to_string();
                item.value["value"] = json!(77);
                item.text = item.text.replacen(&format!("value: {was}"), "value: 77", 1);
            }
            new.push(item);
        }
        let change = MANNERS[manner.index(MANNERS.len())].1;
        let (before, wanted) = (change(&list(&old)), change(&list(&new)));
        let values: Value = new.iter().map(|item| item.value.clone()).collect();
        let edited = edit::set(before.as_bytes(), "/spec/it", &values);
        prop_assert!(edited.is_ok(), "{before}\n{values}: {edited:?}");
        let edited = String::from_utf8(edited.unwrap()).unwrap();
        prop_assert_eq!(edited, wanted, "{}\n{}", before, values);
    }
}
