//! What a tag of GTO's says: `churn@v1.2.0`, `churn#prod#3`, `churn@v1.2.0!#4`, `churn@deprecated`.
//!
//! ```text
//! [folder=]artifact  @vMAJOR.MINOR.PATCH[!]   a version is registered, or with ! taken back
//!                    #stage[!]                a stage is given to its commit's version, or taken
//!                    @deprecated              the artifact is out of use
//!                    …#N                      counts the tags of an artifact, where names repeat
//! ```
//!
//! Source: `gto.constants.tag_re` and `gto.tag` of GTO 1.10, and "GTO user guide" (dvc.org/doc/gto).

/// What is done to an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// A version is registered, by its name with `v`.
    Register(String),
    /// A version is taken back.
    Deregister(String),
    /// The version of the tag's commit is at a stage.
    Assign(String),
    /// It is there no more.
    Unassign(String),
    /// The artifact is out of use.
    Deprecate,
    /// The artifact begins; nobody does this any more.
    Create,
}

/// A tag of GTO's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    /// The artifact, as people write it: `churn`, or `team:churn` of the `artifacts.yaml` in `team`.
    pub artifact: String,
    /// What is done.
    pub action: Action,
    /// Which of the artifact's tags it is, where it says so.
    pub counter: u64,
}

impl Tag {
    /// The tag with this name; `None` if it is none of GTO's.
    pub(super) fn read(name: &str) -> Option<Self> {
        let (name, counter) = counted(name);
        let at = name.find(['@', '#'])?;
        let (artifact, rest) = name.split_at(at);
        let (rest, cancels) = match rest.strip_suffix('!') {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let word = &rest[1..];
        let action = match (&rest[..1], word, cancels) {
            ("@", "deprecated", false) => Action::Deprecate,
            ("@", "created", false) => Action::Create,
            ("@", version, cancels) => {
                version.strip_prefix('v').filter(|version| {
                    // Whether it is one is for who maps it to say.
                    version.starts_with(|c: char| c.is_ascii_digit()) && is_word(version)
                })?;
                match cancels {
                    false => Action::Register(version.to_owned()),
                    true => Action::Deregister(version.to_owned()),
                }
            }
            (_, stage, false) if is_name(stage) => Action::Assign(stage.to_owned()),
            (_, stage, true) if is_name(stage) => Action::Unassign(stage.to_owned()),
            _ => return None,
        };
        let is_artifact = match artifact.split_once('=') {
            Some((folder, name)) => !folder.is_empty() && is_word(folder) && is_name(name),
            None => is_name(artifact),
        };
        is_artifact.then(|| Self {
            artifact: artifact.replacen('=', ":", 1),
            action,
            counter,
        })
    }

    /// The folder of an artifact's `artifacts.yaml`, and its name there.
    pub(super) fn place(artifact: &str) -> (&str, &str) {
        artifact.split_once(':').unwrap_or(("", artifact))
    }
}

/// A name without the number behind it.
fn counted(name: &str) -> (&str, u64) {
    let found = name.rsplit_once('#').and_then(|(rest, number)| {
        let is_counted = rest.contains(['@', '#']);
        Some((rest, number.parse().ok().filter(|_| is_counted)?))
    });
    found.unwrap_or((name, 0))
}

/// Letters, digits, `-`, `_` and `/`, of which a letter or a digit stands at either end.
fn is_name(text: &str) -> bool {
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    end(text.chars().next())
        && end(text.chars().next_back())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte))
}

fn is_word(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_./+".contains(&byte))
}

#[cfg(test)]
mod tests {
    //! Names of tags.

    use super::*;

    #[test]
    fn a_tag_says_what_is_done_to_which_artifact() {
        let read = |name: &str| {
            let tag = Tag::read(name)?;
            Some((tag.artifact, format!("{:?}", tag.action), tag.counter))
        };
        let told = |artifact: &str, action: &str, counter| {
            Some((artifact.to_owned(), action.to_owned(), counter))
        };
        for (name, expected) in [
            ("churn@v1.2.0", told("churn", "Register(\"v1.2.0\")", 0)),
            (
                "churn@v1.2.0-rc.1",
                told("churn", "Register(\"v1.2.0-rc.1\")", 0),
            ),
            ("churn@v1.2.0#7", told("churn", "Register(\"v1.2.0\")", 7)),
            (
                "churn@v1.2.0!#8",
                told("churn", "Deregister(\"v1.2.0\")", 8),
            ),
            ("churn#prod#3", told("churn", "Assign(\"prod\")", 3)),
            ("churn#prod", told("churn", "Assign(\"prod\")", 0)),
            ("churn#1", told("churn", "Assign(\"1\")", 0)),
            ("churn#prod!", told("churn", "Unassign(\"prod\")", 0)),
            ("churn@deprecated", told("churn", "Deprecate", 0)),
            ("churn@deprecated#9", told("churn", "Deprecate", 9)),
            (
                "team/eu=churn@v1.0.0",
                told("team/eu:churn", "Register(\"v1.0.0\")", 0),
            ),
        ] {
            assert_eq!(read(name), expected, "{name}");
        }
        for name in [
            "v1.2.0",
            "churn",
            "churn@1.2.0",
            "churn@latest",
            "-churn@v1.0.0",
            "churn#",
            "churn@",
            "=churn@v1.0.0",
            "chürn#prod",
        ] {
            assert_eq!(read(name), None, "{name}");
        }
        assert_eq!(Tag::place("team/eu:churn"), ("team/eu", "churn"));
    }
}
