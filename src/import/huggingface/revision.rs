//! Which commits of a repository are versions.
//!
//! Tags that read as Semantic Versioning (`v1.4.0`, `v2`) are versions. A repository without such a
//! tag has one version, the newest commit; and whoever asks for a revision gets that alone. A
//! version that a tag names is known by it (`org/name@v1.4.0`), so that a tag that moved is
//! noticed; every other one by its commit, so that a new commit is a new version: the next one of
//! those that are here.

use crate::import::mapping::Mapping;
use crate::import::{LeftOut, Listed};
use crate::record::Version;

/// What a repository's newest commit is the first version of.
const FIRST: &str = "1.0.0";

/// The branch that is meant where none is asked for.
pub(super) const BRANCH: &str = "main";

/// A name for a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// The tag, or the branch.
    pub name: String,
    /// The commit.
    pub commit: String,
}

/// The versions of the repository `id`, from the oldest to the newest, and what is none.
///
/// `tags` are its tags, `asked` the revision that is asked for, and `head` the commit that this
/// means, or the newest one.
pub(super) fn versions(
    id: &str,
    tags: &[Named],
    asked: Option<&str>,
    head: &str,
) -> (Vec<Listed>, Vec<LeftOut>) {
    if let Some(asked) = asked {
        let is_tag = tags.iter().any(|tag| tag.name == asked);
        return (vec![listed(id, asked, head, is_tag)], Vec::new());
    }
    let mut versions: Vec<(Version, Listed)> = Vec::new();
    let mut left_out = Vec::new();
    for tag in tags {
        match version(&tag.name) {
            Some(version) => versions.push((version, listed(id, &tag.name, &tag.commit, true))),
            None => left_out.push(LeftOut {
                what: format!("{id}@{}", tag.name),
                why: "it doesn't read as a version; asked for by this name it is brought"
                    .to_owned(),
            }),
        }
    }
    if versions.is_empty() {
        return (vec![listed(id, BRANCH, head, false)], left_out);
    }
    if tags.iter().all(|tag| tag.commit != head) {
        left_out.push(LeftOut {
            what: format!("{id}@{BRANCH}"),
            why: "no tag names it as a version; asked for by this name it is brought".to_owned(),
        });
    }
    versions.sort_by(|(one, _), (other, _)| one.cmp(other));
    let versions = versions.into_iter().map(|(_, listed)| listed);
    (versions.collect(), left_out)
}

/// What a person should know of how `listed` came to its version.
pub(super) fn remark(listed: &Listed) -> Option<String> {
    listed.version.as_ref().map(|version| {
        format!(
            "it has no version of its own: `{}` is {version} at first and the next minor version \
             after that, unless --map or --as says another",
            listed.label
        )
    })
}

fn listed(id: &str, label: &str, commit: &str, is_tag: bool) -> Listed {
    let name = if is_tag { label } else { commit };
    let mut listed = Listed::new(id, label, format!("{id}@{name}"));
    listed.revision = Some(commit.to_owned());
    listed.moves = !is_tag;
    if version(label).is_none() {
        listed.version = FIRST.parse().ok();
    }
    listed
}

/// The version that a tag reads as.
fn version(tag: &str) -> Option<Version> {
    let mapped = Mapping::default().version(tag, None);
    mapped.ok().map(|mapped| mapped.to)
}

#[cfg(test)]
mod tests {
    //! Tags, branches and commits.

    use super::*;

    fn tag(name: &str, commit: &str) -> Named {
        Named {
            name: name.to_owned(),
            commit: commit.to_owned(),
        }
    }

    fn told(listed: &[Listed]) -> Vec<String> {
        let one = |listed: &Listed| {
            let version = listed.version.as_ref().map(ToString::to_string);
            let version = version.unwrap_or_default();
            let revision = listed.revision.as_deref().unwrap_or_default();
            format!("{} {revision} {version}", listed.reference)
        };
        listed.iter().map(one).collect()
    }

    #[test]
    fn tags_that_read_as_versions_are_versions_from_the_oldest_to_the_newest() {
        let tags = [tag("v1.10", "c"), tag("best", "b"), tag("v1.9.0", "a")];
        let (versions, left_out) = versions("o/n", &tags, None, "d");
        assert_eq!(told(&versions), ["o/n@v1.9.0 a ", "o/n@v1.10 c "]);
        let left_out: Vec<_> = left_out.iter().map(|one| one.what.as_str()).collect();
        assert_eq!(left_out, ["o/n@best", "o/n@main"]);
        let (_, left_out) = super::versions("o/n", &tags[..1], None, "c");
        assert_eq!(left_out, []);
    }

    #[test]
    fn without_a_version_the_newest_commit_is_the_first() {
        let (versions, _) = versions("o/n", &[tag("best", "b")], None, "d");
        assert_eq!(told(&versions), ["o/n@d d 1.0.0"]);
        assert!(remark(&versions[0]).unwrap().contains("`main` is 1.0.0"));
    }

    #[test]
    fn a_revision_that_is_asked_for_is_brought_alone() {
        let tags = [tag("v2", "c"), tag("best", "b")];
        let asked = |asked: &str, head: &str| {
            let (versions, left_out) = versions("o/n", &tags, Some(asked), head);
            assert_eq!(left_out, []);
            told(&versions)
        };
        assert_eq!(asked("v2", "c"), ["o/n@v2 c "]);
        assert_eq!(asked("best", "b"), ["o/n@best b 1.0.0"]);
        assert_eq!(asked("main", "d"), ["o/n@d d 1.0.0"]);
    }
}
