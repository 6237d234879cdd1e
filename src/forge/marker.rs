//! How our comments are found again: by a line that nobody sees.

use crate::record::Name;

/// The first line of a comment of ours: `<!-- modelyard:plan -->`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker(String);

impl Marker {
    /// The marker of all comments about one thing.
    pub fn new(about: Name) -> Self {
        Self(about.into())
    }

    /// The marker of all comments about what became of a merge in an environment:
    /// `<!-- modelyard:rollout:factory -->`.
    pub fn rollout(environment: &Name) -> Self {
        Self(format!("rollout:{environment}"))
    }

    fn line(&self) -> String {
        format!("<!-- modelyard:{} -->", self.0)
    }

    /// `text` as a comment with this marker.
    pub fn on(&self, text: &str) -> String {
        format!("{}\n{text}", self.line())
    }

    /// Whether a comment begins with it; one that only quotes it doesn't count.
    pub(super) fn is_on(&self, comment: &str) -> bool {
        comment.lines().next().map(str::trim_end) == Some(&self.line())
    }
}

/// A comment, as far as it has to be known.
#[derive(Debug)]
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) by: String,
    pub(super) body: String,
}

/// Our comment among `comments`: of those with the marker the first by `me`. Somebody else's is
/// never taken, or they could change later what we said. Where the token doesn't tell who it is,
/// any is, but not one of the pull request's `author`, who has most to gain.
pub(super) fn ours<'a>(
    comments: &'a [Comment],
    marker: &Marker,
    me: Option<&str>,
    author: &str,
) -> Option<&'a Comment> {
    comments.iter().find(|comment| {
        let trusted = match me {
            Some(me) => comment.by == me,
            None => comment.by != author,
        };
        trusted && marker.is_on(&comment.body)
    })
}

#[cfg(test)]
mod tests {
    //! Which comment is ours.

    use super::*;

    fn comment(id: u64, by: &str, body: &str) -> Comment {
        Comment {
            id,
            by: by.to_owned(),
            body: body.to_owned(),
        }
    }

    #[test]
    fn nobody_elses_comment_is_taken_for_ours() {
        let marker = Marker::new("plan".parse().unwrap());
        let marked = marker.on("The plan.");
        let comments = [
            comment(1, "bot", "Hello"),
            comment(2, "eve", &marked),
            comment(3, "bot", &format!("> {marked}")),
            comment(4, "bot", &marked.replace('\n', "\r\n")),
            comment(5, "bot", &marked),
        ];
        let found = |me, author| ours(&comments, &marker, me, author).map(|one| one.id);
        assert_eq!(found(Some("bot"), "eve"), Some(4));
        assert_eq!(found(None, "eve"), Some(4));
        assert_eq!(found(Some("other"), "eve"), None);
    }
}
