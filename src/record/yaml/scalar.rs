//! Single values: what stands without quotes, and what stands in them.

use std::fmt::Write;

use serde_json::Number;

/// A number as readers of YAML 1.1 and 1.2 take it: these want `1.0e+300`, those write `1e300`.
pub(super) fn number(value: &Number) -> String {
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

/// Whether a text can stand as a literal block and come back as it was.
pub(super) fn is_literal(text: &str) -> bool {
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
pub(super) fn scalar(text: &str, in_flow: bool) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

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
