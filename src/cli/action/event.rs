//! What a workflow runs for, as its runner's event file tells.
//!
//! The forge writes the file, and people the titles and names of branches in it. Of all that only
//! numbers and ids of commits are read.
//!
//! Source: <https://docs.github.com/webhooks/webhook-events-and-payloads>; Gitea writes the same.

use serde::Deserialize;

/// The most that GitHub sends.
pub(super) const MAX_BYTES: u64 = 25 << 20;

/// What a workflow runs for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// A pull request was opened, changed or reviewed.
    PullRequest {
        number: u64,
        head: String,
        base: String,
        /// Whether it is from a fork: then the job may write nowhere.
        fork: bool,
    },
    /// Another workflow ended, which ran for a pull request at this commit.
    Run { head: String },
    /// A merge queue asks what main would be.
    Queue { head: String, base: String },
    /// A branch was pushed, and was at this commit before, if it was there.
    Push { before: Option<String> },
    /// A schedule, a person, whatever else.
    Other,
}

#[derive(Deserialize)]
struct File {
    pull_request: Option<Pull>,
    workflow_run: Option<Run>,
    merge_group: Option<Group>,
    before: Option<String>,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    head: Side,
    base: Side,
}

#[derive(Deserialize)]
struct Side {
    sha: String,
    repo: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

#[derive(Deserialize)]
struct Run {
    event: String,
    head_sha: String,
}

#[derive(Deserialize)]
struct Group {
    head_sha: String,
    base_sha: String,
}

impl Event {
    /// The event of this name, told by `file`.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(super) fn read(name: &str, file: &[u8]) -> Result<Self, String> {
        let lacks = |field: &str| format!("an event `{name}` without `{field}`");
        let read = || serde_json::from_slice::<File>(file).map_err(|error| error.to_string());
        Ok(match name {
            "pull_request" | "pull_request_target" | "pull_request_review" => {
                let pull = read()?.pull_request.ok_or_else(|| lacks("pull_request"))?;
                let name = |side: &Side| side.repo.as_ref().map(|repo| repo.full_name.clone());
                Self::PullRequest {
                    number: pull.number,
                    // A fork that was deleted is no repository any more.
                    fork: name(&pull.head).is_none() || name(&pull.head) != name(&pull.base),
                    head: commit(pull.head.sha)?,
                    base: commit(pull.base.sha)?,
                }
            }
            "workflow_run" => {
                let run = read()?.workflow_run.ok_or_else(|| lacks("workflow_run"))?;
                match run.event.as_str() {
                    "pull_request" | "pull_request_review" => Self::Run {
                        head: commit(run.head_sha)?,
                    },
                    _ => Self::Other,
                }
            }
            "merge_group" => {
                let group = read()?.merge_group.ok_or_else(|| lacks("merge_group"))?;
                Self::Queue {
                    head: commit(group.head_sha)?,
                    base: commit(group.base_sha)?,
                }
            }
            "push" => {
                let before = read()?.before.map(commit).transpose()?;
                // A branch that is new was nowhere.
                let before = before.filter(|before| before.bytes().any(|byte| byte != b'0'));
                Self::Push { before }
            }
            _ => Self::Other,
        })
    }
}

/// `text`, which is to be the id of a commit and no name that git would look up.
fn commit(text: String) -> Result<String, String> {
    let is_one = matches!(text.len(), 40 | 64)
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match is_one {
        true => Ok(text),
        false => Err(format!("`{}` is no commit", text.escape_debug())),
    }
}

#[cfg(test)]
mod tests {
    //! Which events are what.

    use serde_json::{Value, json};

    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn read(name: &str, file: &Value) -> Result<Event, String> {
        Event::read(name, file.to_string().as_bytes())
    }

    fn pull(from: &Value, head: &str) -> Value {
        json!({"pull_request": {
            "number": 7,
            "title": "$(id) ::error::x",
            "head": {"sha": head, "ref": "`id`", "repo": from},
            "base": {"sha": B, "repo": {"full_name": "acme/yard"}},
        }})
    }

    #[test]
    fn a_pull_request_is_told_from_a_forks() {
        let of = |from: Value| match read("pull_request", &pull(&from, A)) {
            Ok(Event::PullRequest {
                number: 7, fork, ..
            }) => fork,
            other => panic!("{other:?}"),
        };
        assert!(!of(json!({"full_name": "acme/yard"})));
        assert!(of(json!({"full_name": "eve/yard"})));
        assert!(of(Value::Null));
    }

    #[test]
    fn a_queue_has_no_pull_request_and_a_push_may_have_no_past() {
        let queue = json!({"merge_group": {"head_sha": A, "base_sha": B}, "pull_request": null});
        assert_eq!(
            read("merge_group", &queue),
            Ok(Event::Queue {
                head: A.to_owned(),
                base: B.to_owned()
            })
        );
        let push = |before: &str| read("push", &json!({"before": before})).unwrap();
        assert_eq!(push(&"0".repeat(40)), Event::Push { before: None });
        assert_eq!(
            push(A),
            Event::Push {
                before: Some(A.to_owned())
            }
        );
        assert_eq!(read("schedule", &Value::Null), Ok(Event::Other));
    }

    #[test]
    fn the_end_of_a_workflow_counts_only_if_it_ran_for_a_pull_request() {
        let run = |event| json!({"workflow_run": {"event": event, "head_sha": A}});
        assert_eq!(
            read("workflow_run", &run("pull_request")),
            Ok(Event::Run { head: A.to_owned() })
        );
        assert_eq!(read("workflow_run", &run("push")), Ok(Event::Other));
    }

    #[test]
    fn what_is_no_commit_is_refused() {
        let from = json!({"full_name": "acme/yard"});
        for head in [
            "main",
            "HEAD~1",
            "--output=x",
            &A[1..],
            &A.replace('a', "A"),
        ] {
            let error = read("pull_request", &pull(&from, head)).unwrap_err();
            assert!(error.contains("is no commit"), "{error}");
        }
        assert!(read("pull_request", &json!({})).is_err());
        assert!(read("push", &json!([])).is_err());
    }
}
