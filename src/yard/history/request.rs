//! Which pull or merge request a commit came by, read from messages as forges write them.
//!
//! | forge | message |
//! | --- | --- |
//! | GitHub | `Merge pull request #12 from …`; squashed: `Title (#12)` |
//! | Gitea, Forgejo | `Merge pull request 'Title' (#12) from …` |
//! | GitLab | `See merge request acme/models!12` |

/// The pull or merge request that a message names.
pub(super) fn request(message: &str) -> Option<String> {
    let title = message.lines().next().unwrap_or_default().trim();
    let number = |text: &str| {
        let end = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        (end > 0).then(|| text[..end].to_owned())
    };
    if let Some(rest) = title.strip_prefix("Merge pull request #") {
        return number(rest).map(|number| format!("#{number}"));
    }
    if let Some(rest) = title.strip_prefix("Merge pull request '") {
        let (_, rest) = rest.rsplit_once("' (#")?;
        return number(rest).map(|number| format!("#{number}"));
    }
    let gitlab = message
        .lines()
        .find_map(|line| line.trim().strip_prefix("See merge request "));
    if let Some((_, rest)) = gitlab.and_then(|rest| rest.rsplit_once('!')) {
        return number(rest).map(|number| format!("!{number}"));
    }
    let (_, squashed) = title.strip_suffix(')')?.rsplit_once(" (#")?;
    number(squashed)
        .filter(|number| number.len() == squashed.len())
        .map(|number| format!("#{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_forges_write_them() {
        for (message, wanted) in [
            (
                "Merge pull request #12 from acme/publish\n\nDigits",
                Some("#12"),
            ),
            (
                "Merge pull request 'Digits (new)' (#7) from publish into main",
                Some("#7"),
            ),
            (
                "Merge branch 'publish' into 'main'\n\nDigits\n\nSee merge request acme/yard!31",
                Some("!31"),
            ),
            ("Publish vision/digits 1.0.0 (#45)", Some("#45")),
            ("Publish vision/digits 1.0.0", None),
            ("Fix (#12b)", None),
            ("Merge pull request # from", None),
        ] {
            assert_eq!(request(message).as_deref(), wanted, "{message}");
        }
    }
}
