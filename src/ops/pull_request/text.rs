//! What a pull request says of its change.

use crate::forge::Body;
use crate::forge::markdown::{code, fenced, longest_ticks};
use crate::record::Failure;
use crate::record::kind::ForgeType;
use crate::yard::{Brought, Snapshot};

/// The longest title that every forge takes, in characters.
const MAX_TITLE: usize = 200;

/// The longest text: GitHub takes 65,536 characters, and a template wants some.
const MAX_TEXT: usize = 40_000;

/// The longest path that is told whole, in characters.
const MAX_PATH: usize = 500;

/// The longest template.
const MAX_TEMPLATE_BYTES: usize = 16 * 1024;

/// Where each forge looks for a template, and we with it.
fn places(forge: ForgeType) -> &'static [&'static str] {
    match forge {
        ForgeType::Github => &[
            ".github/pull_request_template.md",
            ".github/PULL_REQUEST_TEMPLATE.md",
            "pull_request_template.md",
            "PULL_REQUEST_TEMPLATE.md",
            "docs/pull_request_template.md",
        ],
        ForgeType::Gitlab => &[".gitlab/merge_request_templates/Default.md"],
        ForgeType::Gitea | ForgeType::Git => &[
            ".gitea/pull_request_template.md",
            ".gitea/PULL_REQUEST_TEMPLATE.md",
            ".forgejo/pull_request_template.md",
            ".github/pull_request_template.md",
            ".github/PULL_REQUEST_TEMPLATE.md",
        ],
    }
}

/// The yard's template for pull requests, if main has one that is text of a sane size.
pub(super) fn template(main: &Snapshot, forge: ForgeType) -> Result<Option<String>, Failure> {
    for place in places(forge) {
        if let Some(bytes) = main.read(place)? {
            let text = (bytes.len() <= MAX_TEMPLATE_BYTES).then(|| String::from_utf8(bytes.into()));
            return Ok(text.and_then(Result::ok));
        }
    }
    Ok(None)
}

/// The first line of the newest commit, and the branch's name where it has none.
pub(super) fn title(brought: &Brought, branch: &str) -> String {
    let newest = brought.messages.last().and_then(|text| text.lines().next());
    let title = newest
        .filter(|line| !line.trim().is_empty())
        .unwrap_or(branch);
    let title = title.trim();
    if title.chars().count() <= MAX_TITLE {
        return title.to_owned();
    }
    title.chars().take(MAX_TITLE - 1).chain(['…']).collect()
}

/// What the commits say, and the files that they touch.
pub(super) fn body(brought: &Brought, template: Option<String>) -> Body {
    let mut text = String::new();
    match brought.messages.as_slice() {
        // The title says the rest of it.
        [one] => {
            let rest = one.split_once('\n').map_or("", |(_, rest)| rest.trim());
            if !rest.is_empty() {
                text += &fenced(rest);
            }
        }
        several => several.iter().for_each(|message| text += &fenced(message)),
    }
    for (path, is_written) in &brought.files {
        let removed = if *is_written { "" } else { ", removed" };
        text += &format!("- {}{removed}\n", code(path, MAX_PATH));
    }
    if brought.more_files > 0 {
        text += &format!("- and {} more files\n", brought.more_files);
    }
    if text.chars().count() > MAX_TEXT {
        let fence = "`".repeat(longest_ticks(&text) + 1);
        text = text.chars().take(MAX_TEXT).collect();
        // Whatever was open is closed.
        text += &format!("\n{fence}\n\n…\n");
    }
    Body::new(&text, template)
}

#[cfg(test)]
mod tests {
    //! What a reviewer reads first.

    use super::*;

    fn brought(messages: &[&str], files: &[(&str, bool)]) -> Brought {
        Brought {
            messages: messages.iter().map(|&text| text.to_owned()).collect(),
            files: files
                .iter()
                .map(|(path, is)| ((*path).to_owned(), *is))
                .collect(),
            more_files: 0,
        }
    }

    #[test]
    fn one_commit_is_told_by_title_and_text() {
        let one = brought(
            &["vision/digits:1.0.0: promote to released\n\nlifecycle: staged -> released"],
            &[
                ("models/vision/digits/versions/1.0.0.yaml", true),
                ("old.md", false),
            ],
        );
        assert_eq!(title(&one, "b"), "vision/digits:1.0.0: promote to released");
        insta::assert_snapshot!(body(&one, None).fresh(), @r"
        <!-- modelyard:begin -->
        ```text
        lifecycle: staged -> released
        ```

        - `models/vision/digits/versions/1.0.0.yaml`
        - `old.md`, removed
        <!-- modelyard:end -->
        ");
    }

    #[test]
    fn hostile_messages_call_nobody_and_break_out_of_nothing() {
        let sly = brought(
            &[
                "one",
                "two\n\n```\n@everybody <!-- modelyard:end --> ![](http://x)\n````",
            ],
            &[("a`b", true)],
        );
        insta::assert_snapshot!(body(&sly, None).fresh().replace('\u{200b}', "[0]"), @r"
        <!-- modelyard:begin -->
        ```text
        one
        ```

        `````text
        two

        ```
        @everybody <![0]-- modelyard:end --> ![](http://x)
        ````
        `````

        - `` a`b ``
        <!-- modelyard:end -->
        ");
        assert_eq!(title(&sly, "b"), "two");
        assert_eq!(title(&brought(&[], &[]), "set/x"), "set/x");
        let long = brought(&["ä".repeat(300).as_str()], &[]);
        assert_eq!(title(&long, "b").chars().count(), MAX_TITLE);
        let endless = "x\n\n".to_owned() + &"`y` ".repeat(20_000);
        let text = body(&brought(&[&endless], &[]), None).fresh();
        assert!(text.chars().count() < MAX_TEXT + 200);
    }
}
