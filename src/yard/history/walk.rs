//! The walk from a commit to the beginning.

use git2::{Commit, ErrorCode, ObjectType, Oid, Repository as GitRepository, Sort};
use jiff::Timestamp;

use super::renames::renamed_from;
use super::request::request;
use super::{Event, History, Merge, Person};
use crate::yard::CommitId;

/// A walk back, and what was met on it.
pub(super) struct Walk<'git> {
    git: &'git GitRepository,
    /// What the path is called where the walk is.
    path: String,
    limit: usize,
    history: History,
}

/// Whether there is room for more.
type GoesOn = bool;

/// What a commit did to the path.
enum Change {
    None,
    Renamed,
    Other,
}

impl<'git> Walk<'git> {
    pub(super) fn new(git: &'git GitRepository, path: &str, limit: usize) -> Self {
        let history = History {
            events: Vec::new(),
            truncated: false,
            shallow: false,
        };
        Self {
            git,
            path: path.to_owned(),
            limit,
            history,
        }
    }

    pub(super) fn first_parents(mut self, tip: CommitId) -> Result<History, git2::Error> {
        let mut commit = self.git.find_commit(tip)?;
        loop {
            let parent = parent(&commit)?;
            let id = self.id(&commit, &self.path)?;
            if parent.is_none() && is_cut(&commit) {
                self.history.shallow = true;
                break;
            }
            let before = match &parent {
                Some(parent) => self.id(parent, &self.path)?,
                None => None,
            };
            if id != before {
                let old = match (&parent, before) {
                    (Some(parent), None) => renamed_from(self.git, parent, &commit, &self.path)?,
                    _ => None,
                };
                if !self.tell(&commit, old.as_deref())? {
                    self.history.truncated = true;
                    break;
                }
                self.path = old.unwrap_or(self.path);
            }
            match parent {
                Some(parent) => commit = parent,
                None => break,
            }
        }
        Ok(self.history)
    }

    /// What the path is at `commit`. An object that is not there, as in a partial clone, is an
    /// error and never taken for a path that is not.
    fn id(&self, commit: &Commit<'_>, path: &str) -> Result<Option<Oid>, git2::Error> {
        let mut tree = commit.tree()?;
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        for folder in folders.split('/').filter(|folder| !folder.is_empty()) {
            let below = match tree.get_name(folder) {
                Some(entry) if entry.kind() == Some(ObjectType::Tree) => entry.id(),
                _ => return Ok(None),
            };
            tree = self.git.find_tree(below)?;
        }
        Ok(tree.get_name(name).map(|entry| entry.id()))
    }

    /// Tells a commit of main's own line, or what a merge brought.
    fn tell(&mut self, commit: &Commit<'_>, old: Option<&str>) -> Result<GoesOn, git2::Error> {
        let before = self.history.events.len();
        if commit.parent_count() > 1 {
            let mut behind = self.git.revwalk()?;
            behind.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
            for parent in commit.parent_ids().skip(1) {
                behind.push(parent)?;
            }
            behind.hide(commit.parent_id(0)?)?;
            for id in behind {
                let brought = self.git.find_commit(id?)?;
                let from = match self.change(&brought, old)? {
                    Change::None => continue,
                    Change::Renamed => old,
                    Change::Other => None,
                };
                if !self.push(&brought, Some(commit), from) {
                    return Ok(false);
                }
            }
        }
        // A merge that brought nothing made the change itself, as when a conflict was solved.
        let brought = self.history.events.len() > before;
        Ok(brought || self.push(commit, None, old))
    }

    /// What `commit` did to the path against all its parents, by the name that it has now or by
    /// its `old` one.
    fn change(&mut self, commit: &Commit<'_>, old: Option<&str>) -> Result<Change, git2::Error> {
        if commit.parent_count() == 0 && is_cut(commit) {
            self.history.shallow = true;
            return Ok(Change::None);
        }
        let ids = |commit: &Commit<'_>| -> Result<_, git2::Error> {
            let old = match old {
                Some(old) => self.id(commit, old)?,
                None => None,
            };
            Ok((self.id(commit, &self.path)?, old))
        };
        let now = ids(commit)?;
        let mut renamed = now.0.is_some();
        for parent in commit.parents() {
            let before = ids(&parent)?;
            if before == now {
                return Ok(Change::None);
            }
            renamed &= before.0.is_none() && before.1.is_some();
        }
        Ok(match commit.parent_count() {
            0 if now == (None, None) => Change::None,
            0 => Change::Other,
            _ if renamed => Change::Renamed,
            _ => Change::Other,
        })
    }

    fn push(
        &mut self,
        commit: &Commit<'_>,
        merge: Option<&Commit<'_>>,
        renamed_from: Option<&str>,
    ) -> GoesOn {
        if self.history.events.len() == self.limit {
            return false;
        }
        let message = message(commit);
        let (title, body) = message
            .trim()
            .split_once('\n')
            .unwrap_or((message.trim(), ""));
        let request = merge
            .and_then(|merge| request(&self::message(merge)))
            .or_else(|| request(&message));
        self.history.events.push(Event {
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
            renamed_from: renamed_from.map(str::to_owned),
        });
        true
    }
}

fn parent<'git>(commit: &Commit<'git>) -> Result<Option<Commit<'git>>, git2::Error> {
    match commit.parent(0) {
        Ok(parent) => Ok(Some(parent)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a commit without parents had some before the clone was made shallow: its bytes, which
/// its id is made of, name them still.
fn is_cut(commit: &Commit<'_>) -> bool {
    let header = String::from_utf8_lossy(commit.raw_header_bytes()).into_owned();
    header.lines().any(|line| line.starts_with("parent "))
}

fn message(commit: &Commit<'_>) -> String {
    String::from_utf8_lossy(commit.message_bytes()).into_owned()
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
