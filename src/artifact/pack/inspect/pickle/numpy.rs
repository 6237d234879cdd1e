//! How large the array is that joblib puts behind its stand-in (`joblib/numpy_pickle.py`,
//! `NumpyArrayWrapper`).

use std::io;

use super::value::Value;

/// What lies there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Array {
    /// Its elements, one behind another.
    Plain { size_bytes: u64 },
    /// A pickle of its own.
    Objects,
}

/// What lies behind a stand-in of the state `state`.
///
/// # Errors
/// If the state doesn't tell its size.
pub(super) fn array(state: &Value) -> io::Result<Array> {
    let untold = || io::Error::other("an array of untold size is in it");
    let shape = state.get("shape").and_then(Value::as_tuple);
    let dtype = state.get("dtype").and_then(Value::as_object);
    let (shape, dtype) = shape.zip(dtype).ok_or_else(untold)?;
    let code = dtype.arguments.as_tuple().and_then(<[_]>::first);
    let code = code.and_then(Value::as_text).ok_or_else(untold)?;
    let code = code.trim_start_matches(['<', '>', '|', '=']);
    if code.starts_with('O') {
        return Ok(Array::Objects);
    }
    let element_bytes = element_bytes(code).ok_or_else(untold)?;
    let mut sizes = shape.iter().map(|size| size.as_int()?.try_into().ok());
    let count = sizes.try_fold(1_u64, |count, size: Option<u64>| count.checked_mul(size?));
    let size_bytes = count.and_then(|count| count.checked_mul(element_bytes));
    let size_bytes = size_bytes.ok_or_else(untold)?;
    Ok(Array::Plain { size_bytes })
}

/// The size of an element of the type that NumPy calls `code`, such as `f8` or `U5`.
fn element_bytes(code: &str) -> Option<u64> {
    let (kind, size) = code.split_at_checked(1)?;
    let size: u64 = size.parse().ok()?;
    match kind {
        "U" => size.checked_mul(4),
        "b" | "i" | "u" | "f" | "c" | "S" | "a" | "V" | "m" | "M" => Some(size),
        _ => None,
    }
}
