//! Writing YAML that people review.
//!
//! Mappings and lists of mappings stand in block style, one field a line, so that a change of one
//! field is a change of one line. A list of short values stands on one line, `[-1, 3, 224, 224]`,
//! and long rows of numbers fill lines. Text of several lines is a literal block.
//!
//! A text stands without quotes only where every reader takes it for a text: those of YAML 1.2's
//! core schema and those of YAML 1.1, to which `yes` is true, `0777` is 511, `1:30` is 90 and
//! `2026-11-01` is a date. Everything else is in double quotes, with what can't be seen escaped.
//! Reading the result gives the value back.

use std::fmt::Write;

use serde_json::{Map, Number, Value};

/// How wide a list may be to stand on one line, and how wide rows of numbers get.
const WIDTH: usize = 100;
/// How far a block stands inside another.
const STEP: usize = 2;
/// The longest key that may stand before its colon on one line (YAML 1.2.2, 7.4.2: 1024), less
/// what quotes and escapes may add.
const MAX_PLAIN_KEY: usize = 128;

/// `value` as a YAML document, with a line break at its end.
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(fields) if !fields.is_empty() => mapping(&mut out, fields, 0),
        Value::Array(items) if !items.is_empty() && inline(value, 0, 0).is_none() => {
            sequence(&mut out, items, 0);
        }
        Value::String(text) => {
            out.push_str(&scalar(text, false));
            out.push('\n');
        }
        other => {
            out.push_str(&inline(other, 0, 0).unwrap_or_default());
            out.push('\n');
        }
    }
    out
}

/// The fields of a mapping. The first begins where the line already is.
fn mapping(out: &mut String, fields: &Map<String, Value>, indent: usize) {
    for (place, (key, value)) in fields.iter().enumerate() {
        if place > 0 {
            spaces(out, indent);
        }
        let key = scalar(key, false);
        if key.len() > MAX_PLAIN_KEY {
            let _ = write!(out, "? {key}\n{:indent$}:", "");
        } else {
            let _ = write!(out, "{key}:");
        }
        let column = indent + key.chars().count() + 2;
        if let Some(text) = inline(value, column, indent) {
            let _ = writeln!(out, " {text}");
            continue;
        }
        match value {
            Value::String(text) => literal(out, text, indent + STEP),
            other => {
                out.push('\n');
                spaces(out, indent + STEP);
                block(out, other, indent + STEP);
            }
        }
    }
}

/// The items of a list. The first begins where the line already is.
fn sequence(out: &mut String, items: &[Value], indent: usize) {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            spaces(out, indent);
        }
        out.push('-');
        if let Some(text) = inline(item, indent + STEP, indent) {
            let _ = writeln!(out, " {text}");
            continue;
        }
        match item {
            Value::String(text) => literal(out, text, indent + STEP),
            other => {
                out.push(' ');
                block(out, other, indent + STEP);
            }
        }
    }
}

fn block(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(fields) => mapping(out, fields, indent),
        Value::Array(items) => sequence(out, items, indent),
        _ => {}
    }
}

/// `value` as it stands behind a key or a dash, if it needs no block of its own.
///
/// `column` is where it begins, `indent` is that of the block around it.
fn inline(value: &Value, column: usize, indent: usize) -> Option<String> {
    match value {
        Value::String(text) if is_literal(text) => None,
        Value::Array(items) if !items.is_empty() => {
            let texts: Vec<_> = items.iter().map(flow).collect::<Option<_>>()?;
            let width = texts
                .iter()
                .map(|text| text.chars().count() + 2)
                .sum::<usize>();
            if column + width <= WIDTH {
                return Some(format!("[{}]", texts.join(", ")));
            }
            let numbers = items.iter().all(Value::is_number);
            numbers.then(|| rows(&texts, column, indent + STEP))
        }
        Value::Object(fields) if !fields.is_empty() => None,
        Value::Object(_) => Some("{}".to_owned()),
        Value::Array(_) => Some("[]".to_owned()),
        Value::String(text) => Some(scalar(text, false)),
        other => flow(other),
    }
}

/// A value inside `[…]`, if it may stand there.
fn flow(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("null".to_owned()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(value) => Some(number(value)),
        Value::String(text) => (!text.contains('\n')).then(|| scalar(text, true)),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// A list of numbers that fills lines.
fn rows(texts: &[String], column: usize, indent: usize) -> String {
    let mut out = "[".to_owned();
    let mut column = column + 1;
    for (place, text) in texts.iter().enumerate() {
        if place > 0 {
            out.push(',');
            if column + text.len() + 2 > WIDTH {
                out.push('\n');
                spaces(&mut out, indent);
                column = indent;
            } else {
                out.push(' ');
                column += 2;
            }
        }
        out.push_str(text);
        column += text.len();
    }
    out.push(']');
    out
}

/// A number as readers of YAML 1.1 and 1.2 take it: these want `1.0e+300`, those write `1e300`.
fn number(value: &Number) -> String {
    let text = value.to_string();
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return text;
    };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) {
        ""
    } else {
        "+"
    };
    format!("{mantissa}{point}e{sign}{exponent}")
}

/// Text of several lines as a literal block, behind a key or a dash.
fn literal(out: &mut String, text: &str, indent: usize) {
    let (body, chomping) = match text.strip_suffix('\n') {
        Some(body) => (body, "|"),
        None => (text, "|-"),
    };
    let _ = writeln!(out, " {chomping}");
    for line in body.split('\n') {
        if !line.is_empty() {
            spaces(out, indent);
            out.push_str(line);
        }
        out.push('\n');
    }
}

/// Whether a text can stand as a literal block and come back as it was.
fn is_literal(text: &str) -> bool {
    let Some(body) = text
        .contains('\n')
        .then(|| text.strip_suffix('\n').unwrap_or(text))
    else {
        return false;
    };
    let visible = |line: &str| line.is_empty() || !line.trim_matches([' ', '\t']).is_empty();
    !body.starts_with([' ', '\t', '\n'])
        && !body.is_empty()
        && !body.ends_with('\n')
        && body.split('\n').all(visible)
        && body
            .chars()
            .all(|c| c == '\n' || c == '\t' || is_visible(c))
}

/// Whether a character is seen, and is no break or mark to any reader.
fn is_visible(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
        && !is_reordering(c)
}

/// Whether a character changes the order in which others are shown, so that a review would see
/// another text than the one that counts.
fn is_reordering(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text on one line, in quotes where it needs them; `in_flow` inside `[…]`.
fn scalar(text: &str, in_flow: bool) -> String {
    if is_plain(text, in_flow) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_visible(c) => out.push(c),
            c => {
                let _ = match u32::from(c) {
                    code @ 0..=0xff => write!(out, "\\x{code:02x}"),
                    code @ 0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    code => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push('"');
    out
}

/// Whether a text needs no quotes.
fn is_plain(text: &str, in_flow: bool) -> bool {
    let indicator = |c: char| "-?:,[]{}#&*!|>'\"%@`".contains(c);
    !text.is_empty()
        && !text.starts_with(indicator)
        && !text.starts_with(char::is_whitespace)
        && !text.ends_with(char::is_whitespace)
        && !text.ends_with(':')
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(is_visible)
        && !(in_flow && text.contains([',', '[', ']', '{', '}']))
        && !reads_as_word(text)
        && !reads_as_number(text)
        && !reads_as_date(text)
}

/// Whether some reader takes a text for null, true, false, infinity, a merge or a default.
fn reads_as_word(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "=", "<<",
    ];
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        || [".inf", ".nan"]
            .iter()
            .any(|word| unsigned.eq_ignore_ascii_case(word))
}

/// Whether some reader takes a text for a number. Two points make it none: `1.4.0` is a text.
fn reads_as_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let prefix = unsigned.get(..2).unwrap_or_default();
    if ["0x", "0o", "0b"]
        .iter()
        .any(|radix| prefix.eq_ignore_ascii_case(radix))
    {
        return true;
    }
    let mut before = ' ';
    let mut points = 0;
    for c in unsigned.chars() {
        match c {
            '0'..='9' | '_' | ':' => {}
            'e' | 'E' if before != ' ' => {}
            '.' => points += 1,
            '+' | '-' if matches!(before, 'e' | 'E') => {}
            _ => return false,
        }
        before = c;
    }
    points < 2
}

/// Whether a reader of YAML 1.1 takes a text for a date.
fn reads_as_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let digits = |part: Option<&str>, most: usize| {
        part.is_some_and(|part| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    digits(parts.next(), 4)
        && digits(parts.next(), 2)
        && parts
            .next()
            .is_some_and(|day| day.starts_with(|c: char| c.is_ascii_digit()))
}

fn spaces(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reviewer_sees() {
        let value = serde_json::json!({
            "version": "1.4.0",
            "opset": "17",
            "createdAt": "2026-11-01T09:30:00Z",
            "digest": "sha256:00",
            "models": ["vision/*", "team:vision", ">=1.20", "a, b"],
            "shape": [-1, 3, 224, 224],
            "notes": "First line.\n\n  - second\n",
            "code": [],
            "rules": [{"match": {"models": "*"}, "require": {}}, {"small": 1e-7}],
            "rows": [[0, 1], [2, 3]],
            "pixels": (0..64).collect::<Vec<_>>(),
        });
        insta::assert_snapshot!(to_yaml(&value), @r#"
        version: 1.4.0
        opset: "17"
        createdAt: "2026-11-01T09:30:00Z"
        digest: sha256:00
        models: [vision/*, team:vision, ">=1.20", "a, b"]
        shape: [-1, 3, 224, 224]
        notes: |
          First line.

            - second
        code: []
        rules:
          - match:
              models: "*"
            require: {}
          - small: 1.0e-7
        rows:
          - [0, 1]
          - [2, 3]
        pixels: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
          25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49,
          50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63]
        "#);
    }

    #[test]
    fn a_text_without_quotes_is_a_text_to_every_reader() {
        for plain in [
            "1.4.0",
            "127.0.0.1",
            "0000-0002-1825-0097",
            "^2.0",
            "vision/*",
            "4f2c1e9",
            "a:b",
            "https://example.com/a?b#c",
            "é",
            "10m",
            "v1",
            "nothing",
            "true story",
        ] {
            assert_eq!(scalar(plain, false), plain);
        }
        for quoted in [
            "",
            " a",
            "a ",
            "yes",
            "No",
            "NULL",
            "~",
            "1",
            "1.0",
            "-1",
            "+1",
            "1_000",
            "0x10",
            "0o17",
            "017",
            "1e3",
            "1.5E-3",
            ".5",
            ".inf",
            "1:30",
            "2026-11-01",
            "a: b",
            "a #b",
            "a:",
            "- a",
            "#a",
            "*a",
            "&a",
            "!a",
            "@a",
            "%a",
            "---",
            "...",
            "<<",
            "=",
            "a\tb\u{7}",
            "\u{feff}",
            "\u{202e}a",
            "\u{85}",
        ] {
            assert_ne!(scalar(quoted, false), quoted, "{quoted:?}");
        }
        assert_eq!(scalar("a, b", true), "\"a, b\"");
    }
}
