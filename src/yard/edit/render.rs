//! Values as the YAML that a person would write.

use serde_json::Value;

use crate::check::yaml::{self, Style};

/// What a value in block style stands behind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    /// `key:`, so that nested collections go on the next line.
    Field,
    /// `- `, so that nested collections begin on the same line.
    Item,
}

/// How a text of several lines is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    /// As lines below a `|`.
    OnLines,
    /// In quotes, on one line.
    OnOne,
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// `value` in block style, its own lines indented by `indent`; behind a key it begins with the
/// space or line break that follows the colon.
pub(super) fn block(value: &Value, indent: usize, context: Context, texts: Texts) -> String {
    let margin = " ".repeat(indent);
    let lines: Vec<String> = match value {
        Value::Object(map) if !map.is_empty() => map
            .iter()
            .map(|(name, value)| {
                let body = block(value, indent + 2, Context::Field, texts);
                format!("{}:{body}", key(name))
            })
            .collect(),
        Value::Array(items) if !items.is_empty() => items
            .iter()
            .map(|item| format!("- {}", block(item, indent + 2, Context::Item, texts)))
            .collect(),
        other => {
            let text = scalar(other, indent, Style::Plain, texts);
            return match context {
                Context::Field => format!(" {text}"),
                Context::Item => text,
            };
        }
    };
    let body = lines.join(&format!("\n{margin}"));
    match context {
        Context::Field => format!("\n{margin}{body}"),
        Context::Item => body,
    }
}

/// `value` on one line: `[a, b]`, `{a: 1}`, or a scalar.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let fields = map
                .iter()
                .map(|(name, value)| format!("{}: {}", key(name), flow(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => one_line(text, Style::Plain),
        other => other.to_string(),
    }
}

/// A scalar, or an empty collection, quoted as `style` was where that can hold it; several lines
/// become a literal block, its lines indented by `indent`.
pub(super) fn scalar(value: &Value, indent: usize, style: Style, texts: Texts) -> String {
    match value {
        Value::String(text) if text.contains('\n') && texts == Texts::OnLines => {
            literal(text, indent).unwrap_or_else(|| quoted(text))
        }
        Value::String(text) => one_line(text, style),
        other => flow(other),
    }
}

/// A field's name; what no key may be without quotes, as `<<`, has them.
pub(super) fn key(name: &str) -> String {
    let text = one_line(name, Style::Plain);
    match yaml::parse(format!("{text}: 0").as_bytes()) {
        Ok(_) => text,
        Err(_) => quoted(name),
    }
}

fn one_line(text: &str, style: Style) -> String {
    let printable = !text.chars().any(char::is_control);
    let single = || format!("'{}'", text.replace('\'', "''"));
    match style {
        Style::DoubleQuoted => quoted(text),
        Style::SingleQuoted if printable => single(),
        _ if is_plain(text) => text.to_owned(),
        _ => quoted(text),
    }
}

/// Whether `text` means itself without quotes, in brackets and behind a dash.
fn is_plain(text: &str) -> bool {
    let breaks = [
        '\n', '\r', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`',
    ];
    if text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
        return false;
    }
    // What only hurts at the beginning or behind a space is left to the parser to say.
    if text.contains(['\n', '\r', ',', '[', ']', '{', '}']) || text.starts_with(breaks) {
        return false;
    }
    let itself = Value::String(text.to_owned());
    let places = [
        (format!("[{{k: {text}}}]"), "/0/k"),
        (format!("- {text}"), "/0"),
    ];
    places.iter().all(|(line, pointer)| {
        let parsed = yaml::parse(line.as_bytes());
        parsed.is_ok_and(|tree| tree.value().pointer(pointer) == Some(&itself))
    })
}

/// In double quotes: JSON's strings are YAML's, but for characters that YAML doesn't print.
fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    for c in Value::String(text.to_owned()).to_string().chars() {
        match c {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                json.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => json.push(c),
        }
    }
    json
}

/// As `|` with its lines below; `None` for texts that it can't hold as they are.
fn literal(text: &str, indent: usize) -> Option<String> {
    let body = text.trim_end_matches('\n');
    let fits = |line: &str| {
        line.trim_end() == line && !line.chars().any(|c| c.is_control() || c == '\u{feff}')
    };
    if body.is_empty() || body.starts_with([' ', '\n']) || !body.split('\n').all(fits) {
        return None;
    }
    let header = match text.len() - body.len() {
        0 => "|-",
        1 => "|",
        _ => return None,
    };
    let margin = " ".repeat(indent.max(1));
    let lines = body.split('\n').map(|line| {
        if line.is_empty() {
            String::new()
        } else {
            format!("{margin}{line}")
        }
    });
    Some(format!(
        "{header}\n{}",
        lines.collect::<Vec<_>>().join("\n")
    ))
}
