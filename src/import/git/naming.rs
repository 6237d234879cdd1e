//! Which commits of a repository are versions of a model in it.
//!
//! | asked for | versions |
//! | --- | --- |
//! | nothing | the tags that read as versions: `v1.4.0`, `2.0`; of a model `digits` also `digits-v1.4.0`, `digits/1.4.0`, `digits@1.4.0`, which stand before those of the whole repository |
//! | nothing, and no such tag with the model in it | what its main branch has |
//! | a tag that reads as a version | that version |
//! | any other tag, a branch, a commit | what it has |
//!
//! A version that a tag names is known by the tag, so that a tag that moved is noticed. What a
//! branch has is known by its content: a commit that changes nothing of the model is nothing new,
//! and one that does is the next version of those that are here.

use std::collections::BTreeSet;

use super::refs::{Ref, Refs};
use crate::import::LeftOut;
use crate::import::mapping::Mapping;
use crate::record::Version;

/// What a label that is no version is the first of.
pub(in crate::import) const FIRST: &str = "1.0.0";

/// How many names a remark tells.
const TOLD_NAMES: usize = 5;

/// What a version's commit is named by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Point {
    /// The tag, the branch, or the commit itself.
    pub name: String,
    /// The object to fetch.
    pub object: String,
    /// The commit.
    pub commit: String,
    /// The version that the name reads as.
    pub version: Option<Version>,
}

impl Point {
    fn of(named: &Ref, version: Option<Version>) -> Self {
        Self {
            name: named.name.clone(),
            object: named.object.clone(),
            commit: named.commit.clone(),
            version,
        }
    }
}

/// The tags that are versions of the model called `name`, from the oldest to the newest.
pub(super) fn tagged(refs: &Refs, name: &str) -> Vec<Point> {
    let behind = |tag: &Ref, word: &str| {
        let rest = tag.name.strip_prefix(word)?;
        version(rest.strip_prefix(['/', '-', '@', '_'])?)
    };
    let own = by(refs, |tag| behind(tag, name));
    if !own.is_empty() {
        return own;
    }
    by(refs, |tag| {
        version(&tag.name).or_else(|| behind(tag, "release"))
    })
}

fn by(refs: &Refs, version: impl Fn(&Ref) -> Option<Version>) -> Vec<Point> {
    let tags = refs.tags.iter();
    let mut points: Vec<_> = tags
        .filter_map(|tag| Some(Point::of(tag, Some(version(tag)?))))
        .collect();
    points.sort_by(|one, other| (&one.version, &one.name).cmp(&(&other.version, &other.name)));
    points
}

/// What is told of a repository's tags that are no version of what is imported.
pub(super) fn others(refs: &Refs, used: &BTreeSet<String>) -> Option<LeftOut> {
    let tags = refs.tags.iter().map(|tag| tag.name.as_str());
    let others: Vec<_> = tags.filter(|tag| !used.contains(*tag)).collect();
    let more = match others.len().saturating_sub(TOLD_NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let few = &others[..others.len().min(TOLD_NAMES)];
    (!few.is_empty()).then(|| LeftOut {
        what: format!("{}{more}", few.join(", ")),
        why: "tags that are no version of what is imported; asked for by its name one is brought"
            .to_owned(),
    })
}

/// The point that is meant: the one that is `asked` for, else what the main branch has.
///
/// # Errors
/// What there isn't.
pub(super) fn meant(refs: &Refs, asked: Option<&str>) -> Result<Point, String> {
    match asked {
        Some(name) => self::asked(refs, name)
            .ok_or_else(|| format!("branch or tag {name}, and it is no whole commit")),
        None => newest(refs).ok_or_else(|| "commit".to_owned()),
    }
}

/// The point that `asked` names: a tag, a branch, or a whole commit.
fn asked(refs: &Refs, asked: &str) -> Option<Point> {
    if let Some((named, is_tag)) = refs.find(asked) {
        let version = if is_tag { version(asked) } else { None };
        return Some(Point::of(named, version));
    }
    super::refs::is_object(asked).then(|| Point {
        name: asked.to_owned(),
        object: asked.to_owned(),
        commit: asked.to_owned(),
        version: None,
    })
}

/// What the main branch has; `None` where there is no commit at all.
fn newest(refs: &Refs) -> Option<Point> {
    let head = refs.head.clone()?;
    Some(Point {
        name: refs.main.clone().unwrap_or_else(|| "HEAD".to_owned()),
        object: head.clone(),
        commit: head,
        version: None,
    })
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

    fn refs(tags: &[&str]) -> Refs {
        let named = |(index, name): (usize, &&str)| Ref {
            name: (*name).to_owned(),
            object: format!("t{index}"),
            commit: format!("c{index}"),
        };
        Refs {
            head: Some("head".to_owned()),
            main: Some("main".to_owned()),
            branches: vec![named((7, &"dev"))],
            tags: tags.iter().enumerate().map(named).collect(),
        }
    }

    fn told_of(tags: &[&str], name: &str) -> Vec<String> {
        let point = |point: &Point| {
            let version = point.version.as_ref().map(ToString::to_string);
            format!("{} {}", point.name, version.unwrap_or_default())
        };
        tagged(&refs(tags), name).iter().map(point).collect()
    }

    #[test]
    fn tags_that_read_as_versions_are_versions_and_a_model_s_own_stand_first() {
        let versions = told_of(&["v1.10", "best", "v1.9.0", "release-1.11"], "digits");
        assert_eq!(
            versions,
            ["v1.9.0 1.9.0", "v1.10 1.10.0", "release-1.11 1.11.0"]
        );
        let tags = ["v9.0.0", "digits-v1.0.0", "digits/1.1.0", "other-v2.0.0"];
        let versions = told_of(&tags, "digits");
        assert_eq!(versions, ["digits-v1.0.0 1.0.0", "digits/1.1.0 1.1.0"]);
        assert_eq!(told_of(&["best", "digits"], "digits"), [""; 0]);
    }

    #[test]
    fn other_tags_are_told_once_and_in_few_words() {
        let refs = refs(&["a", "b", "c", "d", "e", "f", "g"]);
        let used = ["c".to_owned()].into();
        assert_eq!(
            others(&refs, &used).unwrap().what,
            "a, b, d, e, f and 1 more"
        );
        assert!(others(&Refs::default(), &used).is_none());
        assert_eq!(newest(&Refs::default()), None);
    }

    #[test]
    fn what_is_asked_for_is_a_tag_a_branch_or_a_whole_commit() {
        let refs = refs(&["v1.0", "best"]);
        let version = |name: &str| asked(&refs, name).map(|point| point.version);
        assert_eq!(version("v1.0"), Some("1.0.0".parse().ok()));
        assert_eq!(version("best"), Some(None));
        assert_eq!(version("dev"), Some(None));
        assert_eq!(version(&"ab".repeat(20)), Some(None));
        assert_eq!(version("abcdef"), None);
    }
}
