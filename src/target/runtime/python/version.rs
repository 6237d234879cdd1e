//! Which Python is asked for, and whether one is it.

use std::fmt;
use std::str::FromStr;

use super::PythonError;

/// The oldest Python that the runtime's program runs on.
pub(super) const OLDEST: Wanted = Wanted {
    major: 3,
    minor: Some(9),
};

/// What is asked of an interpreter: `3`, `3.12` or `3.12.4`.
///
/// Whoever asks for 3.12.4 is given any 3.12: the packages of one are those of the other, and
/// hosts seldom have a patch release that somebody trained with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    major: u32,
    minor: Option<u32>,
}

impl FromStr for Wanted {
    type Err = PythonError;

    fn from_str(said: &str) -> Result<Self, PythonError> {
        let unclear = || PythonError::Version {
            said: said.to_owned(),
        };
        let parts: Result<Vec<u32>, _> = said.split('.').map(str::parse).collect();
        let (major, minor) = match parts.map_err(|_| unclear())?[..] {
            [major] => (major, None),
            [major, minor] | [major, minor, _] => (major, Some(minor)),
            _ => return Err(unclear()),
        };
        let wanted = Self { major, minor };
        if (major, minor.or(OLDEST.minor)) < (OLDEST.major, OLDEST.minor) {
            return Err(PythonError::TooOld {
                wanted: wanted.to_string(),
            });
        }
        Ok(wanted)
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            Some(minor) => write!(formatter, "{}.{minor}", self.major),
            None => write!(formatter, "{}", self.major),
        }
    }
}

impl Wanted {
    /// Any that the runtime's program runs on.
    pub(super) const fn any() -> Self {
        Self {
            major: OLDEST.major,
            minor: None,
        }
    }

    /// What the programs are called that may be it, the surest first.
    pub(super) fn names(self) -> Vec<String> {
        let mut names = vec!["python3".to_owned(), "python".to_owned()];
        if self.minor.is_some() {
            names.insert(0, format!("python{self}"));
        }
        names
    }

    /// Whether an interpreter of `version` is one.
    pub(super) fn is(self, version: &str) -> bool {
        let found = version.parse::<Self>();
        found.is_ok_and(|found| {
            found.major == self.major && (self.minor.is_none() || found.minor == self.minor)
        })
    }
}

/// Whether the runtime's program runs on an interpreter of `version`.
pub(super) fn is_usable(version: &str) -> bool {
    version.parse::<Wanted>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_told_in_one_two_or_three_numbers() {
        let wanted = |said: &str| said.parse::<Wanted>();
        assert_eq!(wanted("3.12").unwrap(), wanted("3.12.4").unwrap());
        assert!(wanted("3.12").unwrap().is("3.12.1"));
        assert!(!wanted("3.12").unwrap().is("3.1.2"));
        assert!(wanted("3").unwrap().is("3.11.7") && !wanted("3").unwrap().is("2.7.18"));
        for said in ["", "3.x", ">=3.10", "3.12.4.1", "three", "-3"] {
            let unclear = matches!(wanted(said), Err(PythonError::Version { .. }));
            assert!(unclear, "{said}");
        }
    }

    #[test]
    fn what_is_too_old_for_the_program_is_none() {
        assert!(!Wanted::any().is("3.8.18") && Wanted::any().is("3.9.0"));
        assert!(!Wanted::any().is("nonsense") && !is_usable("2.7.18"));
        for said in ["3.8", "2"] {
            let too_old = matches!(said.parse::<Wanted>(), Err(PythonError::TooOld { .. }));
            assert!(too_old, "{said}");
        }
    }
}
