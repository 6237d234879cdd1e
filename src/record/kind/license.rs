//! Licences, as SPDX expressions.

use super::grammar::text_type;

/// The longest expression.
const MAX_LENGTH: usize = 1024;

text_type! {
    /// A licence, as an SPDX licence expression (SPDX 2.3, annex D): `Apache-2.0`,
    /// `MIT OR Apache-2.0`, `LicenseRef-acme-internal`.
    License, "an SPDX licence expression", as in "Apache-2.0", broken_rule
}

fn broken_rule(text: &str) -> Option<String> {
    if text.len() > MAX_LENGTH {
        return Some(format!("it is longer than {MAX_LENGTH} characters"));
    }
    let error = spdx::Expression::parse(text).err()?;
    Some(error.reason.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_spdx_and_nothing_else() {
        for good in [
            "Apache-2.0",
            "MIT OR Apache-2.0",
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "LicenseRef-acme-internal",
        ] {
            assert!(good.parse::<License>().is_ok(), "{good:?} was refused");
        }
        for bad in ["", "Apache 2.0", "apache-2", "MIT OR", "(MIT", "openrail++"] {
            assert!(bad.parse::<License>().is_err(), "{bad:?} was taken");
        }
    }
}
