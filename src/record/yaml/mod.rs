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

mod scalar;

use std::fmt::Write;

use serde_json::{Map, Value};

use self::scalar::{is_literal, number, scalar};

/// How wide a list may be to stand on one line, and how wide rows of numbers get.
const WIDTH: usize = 100;
/// How far a block stands inside another.
const STEP: usize = 2;
/// The longest key that stands before its colon: readers look no further than 1024 characters for
/// it (YAML 1.2.2, 7.4.2). A longer key gets a line of its own and a `?`.
const MAX_KEY_LENGTH: usize = 1000;

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
        if key.len() > MAX_KEY_LENGTH {
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
}
