//! Lengths of time, such as `10m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::grammar::{Grammar, ValueError};

/// The most digits of a span: with them even days fit into milliseconds.
const MAX_DIGITS: usize = 9;

/// A length of time: a whole number and its unit, `ms`, `s`, `m`, `h` or `d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    amount: u64,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Unit {
    Milliseconds,
    Seconds,
    Minutes,
    Hours,
    Days,
}

impl Unit {
    /// Each unit, its sign, and how many milliseconds it has. `ms` stands before `m` and `s`.
    const ALL: [(Self, &'static str, u64); 5] = [
        (Self::Milliseconds, "ms", 1),
        (Self::Seconds, "s", 1_000),
        (Self::Minutes, "m", 60_000),
        (Self::Hours, "h", 3_600_000),
        (Self::Days, "d", 86_400_000),
    ];

    fn entry(self) -> (&'static str, u64) {
        match self {
            Self::Milliseconds => (Self::ALL[0].1, Self::ALL[0].2),
            Self::Seconds => (Self::ALL[1].1, Self::ALL[1].2),
            Self::Minutes => (Self::ALL[2].1, Self::ALL[2].2),
            Self::Hours => (Self::ALL[3].1, Self::ALL[3].2),
            Self::Days => (Self::ALL[4].1, Self::ALL[4].2),
        }
    }
}

impl Span {
    /// How it is written.
    pub const GRAMMAR: Grammar = Grammar {
        noun: "a length of time",
        example: "10m",
    };

    /// `amount` milliseconds, at most 999999999.
    pub const fn milliseconds(amount: u32) -> Self {
        Self::of(amount, Unit::Milliseconds)
    }

    /// `amount` seconds, at most 999999999.
    pub const fn seconds(amount: u32) -> Self {
        Self::of(amount, Unit::Seconds)
    }

    /// `amount` minutes, at most 999999999.
    pub const fn minutes(amount: u32) -> Self {
        Self::of(amount, Unit::Minutes)
    }

    /// `amount` days, at most 999999999.
    pub const fn days(amount: u32) -> Self {
        Self::of(amount, Unit::Days)
    }

    const fn of(amount: u32, unit: Unit) -> Self {
        let amount = if amount > 999_999_999 {
            999_999_999
        } else {
            amount as u64
        };
        Self { amount, unit }
    }

    /// The same as a duration.
    pub fn to_duration(self) -> Duration {
        Duration::from_millis(self.amount * self.unit.entry().1)
    }
}

impl FromStr for Span {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let error = |reason| ValueError::new(&Self::GRAMMAR, text, reason);
        let (unit, digits) = Unit::ALL
            .iter()
            .find_map(|(unit, sign, _)| Some((*unit, text.strip_suffix(sign)?)))
            .ok_or_else(|| error("it has to end with `ms`, `s`, `m`, `h` or `d`"))?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error("before its unit a whole number has to stand"));
        }
        if digits.len() > MAX_DIGITS {
            return Err(error("its number has more than 9 digits"));
        }
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(error("its number begins with a zero"));
        }
        let amount = digits
            .parse()
            .map_err(|_| error("before its unit a whole number has to stand"))?;
        Ok(Self { amount, unit })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.amount, self.unit.entry().0)
    }
}

crate::record::text::conversions!(Span, ValueError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_unit() {
        for (text, seconds) in [
            ("0s", 0.0),
            ("250ms", 0.25),
            ("30s", 30.0),
            ("10m", 600.0),
            ("2h", 7200.0),
            ("30d", 2_592_000.0),
            ("999999999d", 86_399_999_913_600.0),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.to_string(), text);
            assert!((span.to_duration().as_secs_f64() - seconds).abs() < 1e-9);
        }
        for bad in [
            "",
            "s",
            "10",
            "10 m",
            "1.5h",
            "-1s",
            "+1s",
            "01s",
            "1w",
            "1M",
            "1000000000s",
            "१s",
        ] {
            assert!(bad.parse::<Span>().is_err(), "{bad:?} was taken");
        }
        assert_eq!(Span::days(30).to_string(), "30d");
    }
}
