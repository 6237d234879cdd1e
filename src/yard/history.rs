//! What happened to a path: which commits changed it, who made them, and by which merge they
//! came to main.
//!
//! Main is walked along its first parents, each of them one thing that was merged or committed.
//! Where that is a merge, the commits behind it that changed the path are told, each with the
//! merge that brought it. Which pull request it was is read from messages, as forges write them:
//!
//! | forge | message |
//! | --- | --- |
//! | GitHub | `Merge pull request #12 from …`; squashed: `Title (#12)` |
//! | Gitea, Forgejo | `Merge pull request 'Title' (#12) from …` |
//! | GitLab | `See merge request acme/models!12` |

use git2::{Commit, ErrorCode, Oid, Repository as GitRepository, Sort};
use jiff::Timestamp;
use serde::Serialize;

use super::error::YardError;
use super::{CommitId, Revision, Yard, path};

/// One commit that changed a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The commit.
    pub commit: String,
    /// Who wrote it.
    pub author: Person,
    /// When it was written.
    pub time: Timestamp,
    /// The first line of its message.
    pub title: String,
    /// The rest of its message, trimmed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// How it came to main, if by a merge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge: Option<Merge>,
    /// The pull or merge request that it came by, as its forge writes it: `#12`, `!12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// Who wrote or merged a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
}

/// The merge that brought a commit to main.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Merge {
    /// The merge commit.
    pub commit: String,
    /// Who merged.
    pub by: Person,
    /// When.
    pub time: Timestamp,
}

/// What happened to a path, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct History {
    /// The commits that changed it.
    pub events: Vec<Event>,
    /// Whether there may be more before: the limit was reached, or a shallow clone ends here.
    pub truncated: bool,
}

impl Yard {
    /// The last `limit` commits up to `revision` that changed any of `paths`: files or folders,
    /// such as `models/vision/digits`. The work tree's history is that of HEAD.
    ///
    /// # Errors
    /// As [`Yard::commit_id`], [`YardError::BadPath`], or if git can't be read.
    pub fn history(
        &self,
        revision: &Revision,
        paths: &[&str],
        limit: usize,
    ) -> Result<History, YardError> {
        for path in paths {
            path::check(path)?;
        }
        let head = Revision::Commit("HEAD".to_owned());
        let revision = match revision {
            Revision::WorkTree => &head,
            other => other,
        };
        let tip = self
            .commit_id(revision)?
            .expect("only the work tree is no commit");
        let git = self.reopened()?;
        let mut walk = Walk {
            git: &git,
            paths,
            limit,
            events: Vec::new(),
        };
        let finished = walk.first_parents(tip);
        let finished = finished.map_err(YardError::git("read the history"))?;
        Ok(History {
            truncated: !finished || git.is_shallow(),
            events: walk.events,
        })
    }
}

struct Walk<'a> {
    git: &'a GitRepository,
    paths: &'a [&'a str],
    limit: usize,
    events: Vec<Event>,
}

impl Walk<'_> {
    /// Whether the beginning was reached before the limit.
    fn first_parents(&mut self, tip: CommitId) -> Result<bool, git2::Error> {
        let mut commit = self.git.find_commit(tip)?;
        let mut ids = self.ids(&commit)?;
        loop {
            let parent = match commit.parent(0) {
                Ok(parent) => Some(parent),
                Err(error) if error.code() == ErrorCode::NotFound => None,
                Err(error) => return Err(error),
            };
            let before = match &parent {
                Some(parent) => self.ids(parent)?,
                None => vec![None; self.paths.len()],
            };
            if ids != before && !self.tell(&commit)? {
                return Ok(false);
            }
            let Some(parent) = parent else {
                return Ok(true);
            };
            (commit, ids) = (parent, before);
        }
    }

    /// What the paths are at `commit`.
    fn ids(&self, commit: &Commit<'_>) -> Result<Vec<Option<Oid>>, git2::Error> {
        let tree = commit.tree()?;
        let id = |path: &&str| match tree.get_path(std::path::Path::new(path)) {
            Ok(entry) => Ok(Some(entry.id())),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        self.paths.iter().map(id).collect()
    }

    /// Tells a commit of main's own line, or what a merge brought; `false` once there are enough.
    fn tell(&mut self, commit: &Commit<'_>) -> Result<bool, git2::Error> {
        let before = self.events.len();
        if commit.parent_count() > 1 {
            let mut behind = self.git.revwalk()?;
            behind.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
            for parent in commit.parent_ids().skip(1) {
                behind.push(parent)?;
            }
            behind.hide(commit.parent_id(0)?)?;
            for id in behind {
                let brought = self.git.find_commit(id?)?;
                if self.changed(&brought)? && !self.push(&brought, Some(commit)) {
                    return Ok(false);
                }
            }
        }
        // A merge that brought nothing made the change itself, as when a conflict was solved.
        let told = self.events.len() > before || self.push(commit, None);
        Ok(told)
    }

    /// Whether `commit` changed a path against all its parents.
    fn changed(&self, commit: &Commit<'_>) -> Result<bool, git2::Error> {
        let ids = self.ids(commit)?;
        if commit.parent_count() == 0 {
            return Ok(ids.iter().any(Option::is_some));
        }
        for parent in commit.parents() {
            if self.ids(&parent)? == ids {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn push(&mut self, commit: &Commit<'_>, merge: Option<&Commit<'_>>) -> bool {
        if self.events.len() == self.limit {
            return false;
        }
        let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
        let (title, body) = message
            .trim()
            .split_once('\n')
            .unwrap_or((message.trim(), ""));
        let merged = merge.map(|merge| String::from_utf8_lossy(merge.message_bytes()).into_owned());
        let request = merged
            .as_deref()
            .and_then(request)
            .or_else(|| request(&message));
        self.events.push(Event {
            commit: commit.id().to_string(),
            author: person(&commit.author()),
            time: time(&commit.author()),
            title: title.trim().to_owned(),
            body: body.trim().to_owned(),
            merge: merge.map(|merge| Merge {
                commit: merge.id().to_string(),
                by: person(&merge.author()),
                time: time(&merge.author()),
            }),
            request,
        });
        true
    }
}

fn person(signature: &git2::Signature<'_>) -> Person {
    Person {
        name: String::from_utf8_lossy(signature.name_bytes()).into_owned(),
        email: String::from_utf8_lossy(signature.email_bytes()).into_owned(),
    }
}

fn time(signature: &git2::Signature<'_>) -> Timestamp {
    // A commit may claim any time; one that no calendar has is the beginning of time.
    Timestamp::from_second(signature.when().seconds()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The pull or merge request that a message names.
fn request(message: &str) -> Option<String> {
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
