//! What a scalar without quotes is, by YAML 1.2.2's core schema (section 10.3.2).

use serde_json::{Number, Value};

/// A number that records can't hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unheld {
    /// `.inf` or `.nan`.
    NotFinite,
    /// Beyond 64 bits, or beyond what a float reaches.
    TooLarge,
}

/// The value of plain scalar `text`; `None` if it is a text.
pub(super) fn resolve(text: &str) -> Result<Option<Value>, Unheld> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Some(Value::Null)),
        "true" | "True" | "TRUE" => return Ok(Some(Value::Bool(true))),
        "false" | "False" | "FALSE" => return Ok(Some(Value::Bool(false))),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Ok(None);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(Unheld::NotFinite);
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_digit(radix))
        {
            let number = u64::from_str_radix(digits, radix).map_err(|_| Unheld::TooLarge)?;
            return Ok(Some(number.into()));
        }
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return integer(text).map(Some);
    }
    if is_float(unsigned) {
        let float = text.parse().ok().filter(|float: &f64| float.is_finite());
        let number = float.and_then(Number::from_f64).ok_or(Unheld::TooLarge)?;
        return Ok(Some(Value::Number(number)));
    }
    Ok(None)
}

fn integer(text: &str) -> Result<Value, Unheld> {
    if let Ok(number) = text.parse::<i64>() {
        return Ok(number.into());
    }
    let number = text.parse::<u64>().map_err(|_| Unheld::TooLarge)?;
    Ok(number.into())
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent = exponent.is_none_or(|text| {
        let text = text.strip_prefix(['+', '-']).unwrap_or(text);
        !text.is_empty() && digits(text)
    });
    mantissa && exponent
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_follow_the_core_schema() {
        for (text, value) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("NULL", json!(null)),
            ("True", json!(true)),
            ("0", json!(0)),
            ("-7", json!(-7)),
            ("+7", json!(7)),
            ("007", json!(7)),
            ("0o17", json!(15)),
            ("0xfF", json!(255)),
            ("18446744073709551615", json!(u64::MAX)),
            ("1.5", json!(1.5)),
            ("1.", json!(1.0)),
            (".5", json!(0.5)),
            ("-1e-3", json!(-0.001)),
            ("6E+2", json!(600.0)),
        ] {
            assert_eq!(resolve(text), Ok(Some(value)), "{text:?}");
        }
        for text in [
            "yes",
            "no",
            "on",
            "nULL",
            "tRUE",
            "1.4.0",
            "^1.2",
            "2026-11-01",
            "0b1",
            "0o8",
            "0x",
            "-",
            "+",
            ".",
            "1e",
            "1_000",
            "e5",
            "-.",
            "--1",
            "0x1p3",
            "1:30",
            ".e1",
        ] {
            assert_eq!(resolve(text), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn numbers_that_json_lacks_are_told() {
        for text in [".inf", "-.Inf", "+.INF", ".nan", ".NaN"] {
            assert_eq!(resolve(text), Err(Unheld::NotFinite), "{text:?}");
        }
        for text in ["18446744073709551616", "-9223372036854775809", "1e999"] {
            assert_eq!(resolve(text), Err(Unheld::TooLarge), "{text:?}");
        }
    }
}
