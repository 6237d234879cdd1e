//! What a parameter is set to, by its default or by a golden test, is of its datatype.

use serde_json::Value;

use crate::check::codes;
use crate::check::diagnostic::Diagnostic;
use crate::check::document::Document;
use crate::check::records::Records;
use crate::check::yaml::escape;
use crate::record::kind::{Datatype, Parameter};

/// What rounds to more than half precision holds.
const FP16_LIMIT: f64 = 65_520.0;

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    for (document, record) in records.versions() {
        let parameters = &record.spec.parameters;
        for (index, parameter) in parameters.iter().enumerate() {
            if let Some(default) = &parameter.default {
                let pointer = format!("/spec/parameters/{index}/default");
                found.extend(misfit(document, &pointer, parameter, default));
            }
        }
        for (index, test) in record.spec.tests.iter().enumerate() {
            for (name, value) in &test.request.parameters {
                let parameter = parameters.iter().find(|parameter| parameter.name == *name);
                let name = escape(name);
                let pointer = format!("/spec/tests/{index}/request/parameters/{name}");
                found.extend(parameter.and_then(|one| misfit(document, &pointer, one, value)));
            }
        }
    }
}

fn misfit(
    document: &Document,
    pointer: &str,
    parameter: &Parameter,
    value: &Value,
) -> Option<Diagnostic> {
    let Parameter { name, datatype, .. } = parameter;
    let (reason, help) = against(*datatype, value)?;
    let message = format!("the parameter `{name}` is {datatype}, and this is {reason}");
    let diagnostic = document.error(&codes::PARAMETER_MISFIT, pointer, message);
    Some(diagnostic.help(format!("{help}, or choose another datatype")))
}

/// What `value` is that a parameter of `datatype` can't be, and what to write instead; `None` if
/// it fits.
fn against(datatype: Datatype, value: &Value) -> Option<(&'static str, String)> {
    let wanted = |what: &str| format!("write {what}");
    let number = match (datatype, value) {
        (Datatype::Bool, Value::Bool(_)) | (Datatype::Bytes, Value::String(_)) => return None,
        (Datatype::Bool, other) => return Some((noun(other), wanted("`true` or `false`"))),
        (Datatype::Bytes, other) => return Some((noun(other), "put it in quotes".to_owned())),
        (_, Value::Number(number)) => number,
        (_, other) => return Some((noun(other), wanted("a number"))),
    };
    let float = number.as_f64()?;
    let Some((least, most)) = whole_range(datatype) else {
        #[expect(clippy::cast_possible_truncation, reason = "that is what is asked")]
        let fits = match datatype {
            Datatype::Fp16 => float.abs() < FP16_LIMIT,
            Datatype::Fp32 => (float as f32).is_finite(),
            _ => true,
        };
        return (!fits).then(|| ("more than it holds", wanted("a smaller number")));
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float beyond is too large"
    )]
    let whole = match (number.as_i64(), number.as_u64()) {
        (Some(number), _) => i128::from(number),
        (None, Some(number)) => i128::from(number),
        (None, None) if float.fract() != 0.0 => {
            return Some(("a number with a fraction", wanted("a whole number")));
        }
        (None, None) => float as i128,
    };
    let help = || wanted(&format!("a whole number from {least} to {most}"));
    (!(least..=most).contains(&whole)).then(|| ("more than it holds", help()))
}

/// The least and the greatest of a datatype of whole numbers; `None` for any other.
fn whole_range(datatype: Datatype) -> Option<(i128, i128)> {
    let (bits, signed) = match datatype {
        Datatype::Uint8 => (8, false),
        Datatype::Uint16 => (16, false),
        Datatype::Uint32 => (32, false),
        Datatype::Uint64 => (64, false),
        Datatype::Int8 => (8, true),
        Datatype::Int16 => (16, true),
        Datatype::Int32 => (32, true),
        Datatype::Int64 => (64, true),
        Datatype::Bool | Datatype::Fp16 | Datatype::Fp32 | Datatype::Fp64 | Datatype::Bytes => {
            return None;
        }
    };
    Some(if signed {
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    } else {
        (0, (1 << bits) - 1)
    })
}

fn noun(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_fits_its_datatype_or_is_told_why_not() {
        use Datatype::{Bool, Bytes, Fp16, Fp32, Fp64, Int8, Int64, Uint8, Uint64};
        for (datatype, value) in [
            (Bool, json!(true)),
            (Bytes, json!("half")),
            (Bytes, json!("")),
            (Uint8, json!(255)),
            (Uint8, json!(5.0)),
            (Uint64, json!(u64::MAX)),
            (Int8, json!(-128)),
            (Int64, json!(i64::MIN)),
            (Fp16, json!(65504)),
            (Fp32, json!(0.1)),
            (Fp32, json!(f32::MAX)),
            (Fp64, json!(1e300)),
            (Fp64, json!(7)),
        ] {
            assert_eq!(against(datatype, &value), None, "{datatype} {value}");
        }
        for (datatype, value, reason, help) in [
            (Bool, json!(1), "a number", "write `true` or `false`"),
            (Bool, json!("true"), "a text", "write `true` or `false`"),
            (Bytes, json!(5), "a number", "put it in quotes"),
            (Fp32, json!("half"), "a text", "write a number"),
            (Fp32, json!(false), "true or false", "write a number"),
            (
                Uint8,
                json!(2.5),
                "a number with a fraction",
                "write a whole number",
            ),
            (
                Uint8,
                json!(256),
                "more than it holds",
                "write a whole number from 0 to 255",
            ),
            (
                Int8,
                json!(-129),
                "more than it holds",
                "write a whole number from -128 to 127",
            ),
            (
                Int64,
                json!(1e300),
                "more than it holds",
                "write a whole number from -9223372036854775808 to 9223372036854775807",
            ),
            (
                Fp16,
                json!(65520),
                "more than it holds",
                "write a smaller number",
            ),
            (
                Fp32,
                json!(-1e39),
                "more than it holds",
                "write a smaller number",
            ),
        ] {
            let told = against(datatype, &value);
            assert_eq!(told, Some((reason, help.to_owned())), "{datatype} {value}");
        }
    }
}
