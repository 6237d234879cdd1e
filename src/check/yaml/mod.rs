//! YAML with positions.
//!
//! A record is parsed once, into a [`Tree`]: its value, by YAML 1.2's core schema (so `yes` is a
//! text and `0o17` a number), beside the place of every key and every value in the bytes. The
//! schema, the Rust types and the references all read that one tree, and whoever edits a record's
//! text finds by it what to replace.
//!
//! Records are a strict part of YAML: one document, keys that are texts and occur once, no
//! anchors, aliases, merge keys or tags, and only numbers that JSON has. A BOM, CRLF and comments
//! are fine. What is more than [`MAX_RECORD_BYTES`], [`MAX_DEPTH`] or [`MAX_NODES`] is refused
//! before it costs anything.

mod build;
mod extent;
mod position;
mod problem;
mod scalar;
mod stream;
mod syntax;
mod text;
mod tree;

pub use position::{Position, Span};
pub(crate) use position::{line_end, line_start};
pub use problem::{Problem, Problems};
pub use stream::{BrokenStream, MAX_STREAM_BYTES, StreamDocument, documents};
pub(super) use text::too_large;
pub use tree::{Children, Field, Place, Style, Tree, escape};

/// The largest record. The largest that people write by hand have some kilobytes; what is larger
/// than this is no record but data that belongs into an artifact.
pub const MAX_RECORD_BYTES: usize = 1 << 20;

/// How deep lists and mappings may lie within each other; the schemas need less than ten, and
/// free-form properties little more.
pub const MAX_DEPTH: usize = 64;

/// How many keys and values a record may have.
pub const MAX_NODES: usize = 100_000;

/// The most problems that are told of one file: one that has more is broken as a whole.
pub const MAX_PROBLEMS: usize = 20;

/// Parses one record, or says all that is wrong with it as YAML.
///
/// # Errors
/// [`Problems`], with the place of each.
pub fn parse(source: &[u8]) -> Result<Tree, Problems> {
    let (tree, problems) = read(source);
    match tree {
        Some(tree) if problems.is_empty() => Ok(tree),
        _ => Err(Problems::new(source, problems)),
    }
}

/// Parses one record as far as it goes.
///
/// There is a tree whenever its values are what was written but for keys that occur twice, of
/// which the first is kept.
pub fn read(source: &[u8]) -> (Option<Tree>, Vec<Problem>) {
    build::read(source)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::*;

    fn codes(source: impl AsRef<[u8]>) -> Vec<&'static str> {
        let (_, problems) = read(source.as_ref());
        problems.iter().map(|problem| problem.code.id).collect()
    }

    fn first(source: impl AsRef<[u8]>) -> String {
        let problems = parse(source.as_ref()).unwrap_err();
        problems.to_string()
    }

    const RECORD: &str = "\
# A comment with | and >
kind: Model   # what it is
metadata: {name: \"a b\", labels: {'l/ine': 3}}
spec:
  title: Größe
  owners:
  - team: vision
  -
    team: nlp
  notes: |-  # kept as written

    Keep | the camera
      at 40 cm.

  folded: >
    one
    two
  empty:
  list: [1, two]
  last: multi
    line
# The end
";

    #[test]
    fn values_and_places_belong_together() {
        for source in [
            RECORD.to_owned(),
            RECORD.replace('\n', "\r\n"),
            format!("\u{feff}{RECORD}"),
        ] {
            let tree = parse(source.as_bytes()).unwrap();
            assert_eq!(
                *tree.value(),
                json!({
                    "kind": "Model",
                    "metadata": {"name": "a b", "labels": {"l/ine": 3}},
                    "spec": {
                        "title": "Größe",
                        "owners": [{"team": "vision"}, {"team": "nlp"}],
                        "notes": "\nKeep | the camera\n  at 40 cm.",
                        "folded": "one two\n",
                        "empty": null,
                        "list": [1, "two"],
                        "last": "multi line",
                    },
                })
            );
            let text = |span: Option<Span>| {
                let bytes = span.map(|span| span.of(source.as_bytes()).to_vec());
                bytes.map(|bytes| String::from_utf8(bytes).unwrap().replace('\r', ""))
            };
            for (pointer, key, value) in [
                ("/kind", "kind", "Model"),
                (
                    "/metadata",
                    "metadata",
                    "{name: \"a b\", labels: {'l/ine': 3}}",
                ),
                ("/metadata/name", "name", "\"a b\""),
                ("/metadata/labels/l~1ine", "'l/ine'", "3"),
                ("/spec/title", "title", "Größe"),
                (
                    "/spec/owners",
                    "owners",
                    "- team: vision\n  -\n    team: nlp",
                ),
                ("/spec/owners/1/team", "team", "nlp"),
                (
                    "/spec/notes",
                    "notes",
                    "|-  # kept as written\n\n    Keep | the camera\n      at 40 cm.",
                ),
                ("/spec/folded", "folded", ">\n    one\n    two"),
                ("/spec/empty", "empty", ""),
                ("/spec/list", "list", "[1, two]"),
                ("/spec/last", "last", "multi\n    line"),
            ] {
                assert_eq!(
                    text(tree.key_span(pointer)).as_deref(),
                    Some(key),
                    "{pointer}"
                );
                assert_eq!(
                    text(tree.value_span(pointer)).as_deref(),
                    Some(value),
                    "{pointer}"
                );
            }
            assert_eq!(
                text(tree.value_span("/spec/list/1")).as_deref(),
                Some("two")
            );
            assert_eq!(tree.key_span("/spec/list/1"), None);
            assert_eq!(tree.value_span("/spec/owners/2"), None);
            assert_eq!(
                text(Some(tree.nearest_key("/spec/owners/2/x"))).as_deref(),
                Some("owners")
            );
            assert_eq!(
                text(Some(tree.nearest_key("/nothing"))).as_deref(),
                Some("kind")
            );
            assert_eq!(
                text(Some(tree.nearest_value("/spec/empty"))).as_deref(),
                Some("empty")
            );
        }
    }

    #[test]
    fn a_key_that_says_so_begins_at_its_mark() {
        let source = "? a # one\n: 1\nb: {? c : 2, d?: 3}\nlist:\n- ? e\n  : 4\n?f: 5\n";
        for source in [source.to_owned(), format!("\u{feff}{source}")] {
            let tree = parse(source.as_bytes()).unwrap();
            let starts = |place: &Place| -> Vec<&str> {
                let Children::Fields(fields) = &place.children else {
                    return Vec::new();
                };
                let start = |field: &Field| &source[field.start..field.key.end];
                fields.iter().map(start).collect()
            };
            assert_eq!(starts(tree.root()), ["? a", "b", "list", "?f"]);
            assert_eq!(starts(tree.place("/b").unwrap()), ["? c", "d?"]);
            let item = tree.place("/list/0").unwrap();
            assert_eq!(starts(item), ["? e"]);
            assert_eq!(&source[item.span.start..item.span.end], "? e\n  : 4");
            assert!(source[tree.place("/list").unwrap().span.start..].starts_with("- ? e"));
        }
    }

    #[test]
    fn what_is_more_than_plain_data_is_refused_with_its_place() {
        for (source, code, place) in [
            ("a: 1\nb: {c: 2, c: 3}\n", "duplicate-key", "2:11"),
            ("a: &x 1\n", "yaml-anchor", "1:4"),
            ("a: *x\n", "yaml-anchor", "1:4"),
            ("<<: {a: 1}\n", "yaml-merge-key", "1:1"),
            ("a: !!str 1\n", "yaml-tag", "1:10"),
            ("a: !include x.yaml\n", "yaml-tag", "1:13"),
            ("1: a\n", "yaml-key", "1:1"),
            ("true: a\n", "yaml-key", "1:1"),
            ("~: a\n", "yaml-key", "1:1"),
            ("? [a, b]\n: c\n", "yaml-key", "1:3"),
            ("{{ a }}: b\n", "yaml-key", "1:2"),
            ("a: .nan\n", "yaml-number", "1:4"),
            ("a: 123456789012345678901234567890\n", "yaml-number", "1:4"),
            ("a: 1e400\n", "yaml-number", "1:4"),
            ("a: 1\n---\nb: 2\n", "yaml-documents", "2:1"),
            ("", "record-empty", "1:1"),
            ("# nothing\n", "record-empty", "1:1"),
            ("---\n...\n", "record-empty", "1:1"),
            ("a: \"b\n", "yaml-syntax", "2:1"),
            ("a:\n\tb: 1\n", "yaml-syntax", "2:2"),
            ("a: b: c\n", "yaml-syntax", "1:5"),
            ("a: [1, 2\n", "yaml-syntax", "1:4"),
            ("a: @b\n", "yaml-syntax", "1:4"),
        ] {
            assert_eq!(codes(source), [code], "{source:?}");
            assert!(
                first(source).starts_with(&format!("{place}: ")),
                "{source:?}: {}",
                first(source)
            );
        }
        assert!(parse(b"---\na: 1\n...\n").is_ok());
        assert!(parse(b"%YAML 1.2\n---\na: 1\n").is_ok());
        assert!(parse(b"'1': a\n\"\": b\n'<<': c\n").is_ok());
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert_eq!(codes(b"a: \xff\n"), ["not-utf8"]);
        assert_eq!(
            first(b"\xef\xbb\xbfa: b\nc: \xe9\n"),
            "2:4: the byte 0xe9 is not UTF-8"
        );
        assert_eq!(codes(b"\xff\xfea\0:\0"), ["not-utf8"]);
        assert_eq!(codes(b"a: b\x1b[2J\n"), ["control-character"]);
        assert_eq!(codes(b"a: b\0\n"), ["control-character"]);
    }

    #[test]
    fn all_that_is_wrong_is_told_in_one_run_but_no_flood() {
        let source = "a: 1\na: 2\nb: &x 1\nc: *x\nd: .inf\n";
        assert_eq!(
            codes(source),
            ["duplicate-key", "yaml-anchor", "yaml-anchor", "yaml-number"]
        );
        assert_eq!(codes("a: 1\n".repeat(1000)).len(), MAX_PROBLEMS);
        let (tree, _) = read(b"a: 1\na: 2\n");
        assert_eq!(*tree.unwrap().value(), json!({"a": 1}));
    }

    /// Hostile input is refused, and fast: the budget is a hundred times what it takes unoptimized.
    #[test]
    fn hostile_input_costs_little() {
        let full = MAX_RECORD_BYTES - 64;
        let bomb = (0..30).fold("a0: &a0 [x]\n".to_owned(), |text, level| {
            let alias = format!("*a{level}, ").repeat(9);
            format!("{text}a{}: &a{} [{alias}]\n", level + 1, level + 1)
        });
        let pairs = |text: &str| text.repeat(full / text.len());
        for (name, source, code) in [
            ("bomb", bomb, "yaml-anchor"),
            ("deep flow list", "[".repeat(20_000), "record-too-deep"),
            ("deep flow map", "{a: ".repeat(20_000), "record-too-deep"),
            ("deep block list", "- ".repeat(20_000), "record-too-deep"),
            (
                "deep block map",
                (0..1000).map(|n| " ".repeat(n) + "a:\n").collect(),
                "record-too-deep",
            ),
            ("complex keys", "? ".repeat(20_000), "record-too-deep"),
            ("100 MB", "garbage!".repeat(13_000_000), "record-too-large"),
            ("list", format!("[{}]", pairs("1,")), "record-too-large"),
            ("block list", pairs("- 1\n"), "record-too-large"),
            (
                "fields",
                (0..80_000).map(|n| format!("k{n}: 1\n")).collect(),
                "record-too-large",
            ),
            ("quotes", pairs("\""), "yaml-syntax"),
            ("one quote", format!("\"{}", pairs("a")), "yaml-syntax"),
            ("tags", pairs("!"), "yaml-syntax"),
            ("anchors", pairs("&a "), "yaml-anchor"),
            ("colons", pairs(": "), "yaml-key"),
            ("percent", pairs("%a\n"), "yaml-syntax"),
            ("comments", pairs("#\n"), "record-empty"),
            ("documents", pairs("---\n"), "yaml-documents"),
            ("block scalar", pairs("|\n"), "ok"),
            ("one key", pairs("a"), "ok"),
            ("one block scalar", format!("a: |\n{}", pairs(" b\n")), "ok"),
            (
                "blank block scalar",
                format!("a: |\n{}b", pairs(" \n")),
                "yaml-syntax",
            ),
            ("escapes", format!("\"{}\"", pairs("\\n")), "ok"),
            ("keys with lists", pairs("[a]: b\n"), "yaml-key"),
            ("blank", pairs("\n"), "record-empty"),
            ("spaces", pairs(" "), "record-empty"),
            ("commas", pairs(","), "yaml-syntax"),
        ] {
            let started = Instant::now();
            let found = codes(&source).first().copied().unwrap_or("ok");
            let took = started.elapsed();
            assert_eq!(found, code, "{name}");
            assert!(took < Duration::from_secs(20), "{name} took {took:?}");
        }
    }
}
