//! Amounts of processor and memory, as Kubernetes writes them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::grammar::{Grammar, ValueError};

/// The most digits before the point, and behind it.
const MAX_DIGITS: usize = 15;

/// Each suffix with its worth in thousandths.
const SUFFIXES: [(&str, u128); 13] = [
    ("Ki", 1_000 << 10),
    ("Mi", 1_000 << 20),
    ("Gi", 1_000 << 30),
    ("Ti", 1_000 << 40),
    ("Pi", 1_000 << 50),
    ("Ei", 1_000 << 60),
    ("m", 1),
    ("k", 1_000 * 1_000),
    ("M", 1_000 * 1_000_000),
    ("G", 1_000 * 1_000_000_000),
    ("T", 1_000 * 1_000_000_000_000),
    ("P", 1_000 * 1_000_000_000_000_000),
    ("E", 1_000 * 1_000_000_000_000_000_000),
];

/// An amount of a resource: `2`, `500m`, `0.5`, `4Gi`.
///
/// Kubernetes' notation without exponents: a number of at most 15 digits before and behind its
/// point, then nothing, `m`, `k`, `M`, `G`, `T`, `P`, `E`, or `Ki`, `Mi`, `Gi`, `Ti`, `Pi`, `Ei`.
/// A whole number may be written without quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "String")]
pub struct Quantity {
    text: String,
    thousandths: u128,
}

/// A quantity as YAML gives it: text, or a whole number that nobody put in quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Whole(u64),
    /// With a point, as `5.0`: to JSON Schema it is an integer, too.
    Pointed(f64),
    Text(String),
}

impl Quantity {
    /// How it is written.
    pub const GRAMMAR: Grammar = Grammar {
        noun: "an amount of a resource",
        example: "500m",
    };

    /// The amount in thousandths of a core or a byte, rounded up.
    pub fn thousandths(&self) -> u128 {
        self.thousandths
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The worth of `digits` and `fraction`, each whole thousandth of which is worth `unit`; rounded
/// up, as Kubernetes does.
fn worth(digits: &str, fraction: &str, unit: u128) -> Option<u128> {
    let whole: u128 = digits.parse().ok()?;
    let part: u128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().ok()?
    };
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = part.checked_mul(unit)?.div_ceil(scale);
    whole.checked_mul(unit)?.checked_add(part)
}

impl FromStr for Quantity {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let error = |reason| ValueError::new(&Self::GRAMMAR, text, reason);
        let (number, unit) = SUFFIXES
            .iter()
            .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, *unit)))
            .unwrap_or((text, 1_000));
        let (digits, fraction) = match number.split_once('.') {
            Some((_, "")) => return Err(error("behind its point digits have to stand")),
            Some(parts) => parts,
            None => (number, ""),
        };
        let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if digits.is_empty() || !numeric(digits) || !numeric(fraction) {
            return Err(error(
                "it has to be a number, with or without a suffix such as `m`, `k` or `Gi`",
            ));
        }
        if digits.len() > MAX_DIGITS || fraction.len() > MAX_DIGITS {
            return Err(error("its number has more than 15 digits"));
        }
        let thousandths =
            worth(digits, fraction, unit).ok_or_else(|| error("its number is too large"))?;
        Ok(Self {
            text: text.to_owned(),
            thousandths,
        })
    }
}

impl TryFrom<Written> for Quantity {
    type Error = ValueError;

    fn try_from(written: Written) -> Result<Self, ValueError> {
        match written {
            Written::Whole(number) => number.to_string().parse(),
            // A whole one is shown without its point; a grammar of whole numbers refuses others.
            Written::Pointed(number) if number.fract() == 0.0 => number.to_string().parse(),
            Written::Pointed(number) => Err(ValueError::new(
                &Self::GRAMMAR,
                &number.to_string(),
                "a number with a fraction has to be put in quotes",
            )),
            Written::Text(text) => text.parse(),
        }
    }
}

impl From<Quantity> for String {
    fn from(quantity: Quantity) -> Self {
        quantity.text
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_compare_whatever_their_suffix() {
        for (text, thousandths) in [
            ("0", 0),
            ("2", 2_000),
            ("500m", 500),
            ("0.5", 500),
            ("1.0005", 1_001),
            ("4Gi", 4_294_967_296_000),
            ("1.5Ki", 1_536_000),
            ("64M", 64_000_000_000),
        ] {
            let quantity: Quantity = text.parse().unwrap();
            assert_eq!(quantity.thousandths(), thousandths, "{text}");
            assert_eq!(quantity.to_string(), text);
        }
        assert!(
            "999999999999999.999999999999999Ei"
                .parse::<Quantity>()
                .is_ok()
        );
        for bad in [
            "",
            "m",
            "-1",
            "+1",
            "1.",
            ".5",
            "1 Gi",
            "1gi",
            "1e3",
            "1KiB",
            "1.2.3",
            "1000000000000000",
            "١",
        ] {
            assert!(bad.parse::<Quantity>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_whole_number_needs_no_quotes() {
        let read = |json: &str| serde_json::from_str::<Quantity>(json);
        assert_eq!(read("16").unwrap(), read("\"16\"").unwrap());
        assert_eq!(read("16.0").unwrap(), read("16").unwrap());
        for bad in ["-1", "-1.0", "0.5", "true", "null", "[]", "1e30"] {
            assert!(read(bad).is_err(), "{bad} was taken");
        }
    }
}
