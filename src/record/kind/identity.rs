//! Who: authors, publications, teams and users, commits.

use super::grammar::text_type;

text_type! {
    /// A researcher's ORCID iD, four groups of four digits of which the last is a check digit
    /// (ISO 7064 MOD 11-2).
    Orcid, "an ORCID iD", as in "0000-0002-1825-0097", broken_orcid
}

text_type! {
    /// A Digital Object Identifier without `https://doi.org/` (ISO 26324).
    Doi, "a DOI", as in "10.5281/zenodo.123", broken_doi
}

text_type! {
    /// Who may do something: `user:NAME` or `team:NAME`, as the forge or the login calls them.
    Subject, "a user or a team", as in "team:vision", broken_subject
}

text_type! {
    /// The whole name of a git commit: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
    CommitId, "a git commit", as in "4f2c1e9b7a6d5c4b3a2918070605040302010f0e", broken_commit
}

fn broken_orcid(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    let form = "it has to be four groups of four digits with `-` between them";
    if bytes.len() != 19 || [4, 9, 14].iter().any(|&place| bytes[place] != b'-') {
        return Some(form);
    }
    let mut sum = 0;
    for (place, &byte) in bytes[..18].iter().enumerate() {
        match byte {
            b'-' if matches!(place, 4 | 9 | 14) => {}
            b'0'..=b'9' => sum = (sum + u32::from(byte - b'0')) * 2 % 11,
            _ => return Some(form),
        }
    }
    let check = match (12 - sum) % 11 {
        10 => b'X',
        digit => b'0' + u8::try_from(digit).unwrap_or_default(),
    };
    (bytes[18] != check).then_some("its last digit does not fit the others: one is mistyped")
}

fn broken_doi(text: &str) -> Option<&'static str> {
    if text.len() > 255 {
        return Some("it is longer than 255 characters");
    }
    let Some((prefix, suffix)) = text
        .strip_prefix("10.")
        .and_then(|rest| rest.split_once('/'))
    else {
        return Some("it has to begin with `10.`, digits and `/`");
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !prefix.split('.').all(digits) {
        return Some("it has to begin with `10.`, digits and `/`");
    }
    let printable = |c: char| !c.is_whitespace() && !c.is_control();
    if suffix.is_empty() || !suffix.chars().all(printable) {
        return Some("behind its `/` text without spaces has to stand");
    }
    None
}

fn broken_subject(text: &str) -> Option<&'static str> {
    if text.len() > 255 {
        return Some("it is longer than 255 characters");
    }
    let Some(name) = text
        .strip_prefix("user:")
        .or_else(|| text.strip_prefix("team:"))
    else {
        return Some("it has to begin with `user:` or `team:`");
    };
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"._@/+-".contains(&byte);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.bytes().all(valid) {
        return Some("a name has letters, digits, `.`, `_`, `@`, `/`, `+` and `-`");
    }
    None
}

fn broken_commit(text: &str) -> Option<&'static str> {
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if !matches!(text.len(), 40 | 64) || !text.bytes().all(hex) {
        return Some("it has to be 40 or 64 lower-case hexadecimal digits");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_orcid_is_found() {
        for good in [
            "0000-0002-1825-0097",
            "0000-0001-5109-3700",
            "0000-0002-1694-233X",
        ] {
            assert!(good.parse::<Orcid>().is_ok(), "{good:?} was refused");
        }
        for bad in [
            "",
            "0000-0002-1825-0098",
            "0000-0002-1825-009",
            "0000000218250097",
            "0000-0002-1694-233x",
            "0000-0002-1825-009é",
            "-000-0002-1825-0097",
        ] {
            assert!(bad.parse::<Orcid>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_doi_has_a_prefix_and_a_suffix() {
        for good in ["10.5281/zenodo.123", "10.1000.10/a/b(c)<d>"] {
            assert!(good.parse::<Doi>().is_ok(), "{good:?} was refused");
        }
        for bad in [
            "",
            "10.5281",
            "10.5281/",
            "10./a",
            "https://doi.org/10.1/a",
            "10.1/a b",
        ] {
            assert!(bad.parse::<Doi>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_subject_is_a_user_or_a_team() {
        for good in [
            "team:vision",
            "user:a.person@example.com",
            "team:acme/vision",
        ] {
            assert!(good.parse::<Subject>().is_ok(), "{good:?} was refused");
        }
        for bad in ["", "vision", "team:", "role:x", "team:-x", "team:a b"] {
            assert!(bad.parse::<Subject>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_commit_is_named_in_full() {
        assert!("a".repeat(40).parse::<CommitId>().is_ok());
        assert!("0".repeat(64).parse::<CommitId>().is_ok());
        for bad in ["", "4f2c1e9", &"A".repeat(40), &"a".repeat(41), "main"] {
            assert!(bad.parse::<CommitId>().is_err(), "{bad:?} was taken");
        }
    }
}
