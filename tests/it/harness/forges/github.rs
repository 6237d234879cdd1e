//! GitHub's words.

use serde_json::{Value, json};

use super::{Deployed, Pull, State, parts, sent};
use crate::harness::http::Request;

const WHEN: &str = "2026-11-01T12:00:00Z";

/// What a deployment can be.
const DEPLOYMENT_STATES: [&str; 7] = [
    "error",
    "failure",
    "inactive",
    "in_progress",
    "queued",
    "pending",
    "success",
];

impl State {
    pub(super) fn github(&mut self, request: &Request) -> (u16, Value) {
        let (words, query) = parts(request, "/api/v3");
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let body = sent(request);
        let number = |text: &str| text.parse::<u64>().unwrap_or(0);
        let method = &*request.method;
        let words = match words.as_slice() {
            ["user"] => {
                return (
                    200,
                    self.like(
                        "private-user-response-with-public-and-private-profile-information",
                        json!({ "login": "bot" }),
                    ),
                );
            }
            ["repos", "acme", "yard", rest @ ..] => rest,
            _ => return (404, json!({ "message": "Not Found" })),
        };
        match (method, words) {
            ("GET", ["pulls"]) => {
                let head = query.get("head").cloned().unwrap_or_default();
                let state = query.get("state").cloned().unwrap_or_default();
                let found = self.pulls.iter().rev().filter(|pull| {
                    let of_branch = head.is_empty() || head == format!("acme:{}", pull.branch);
                    of_branch && (state == "all" || pull.open)
                });
                let found: Vec<Pull> = found.cloned().collect();
                let all = found
                    .iter()
                    .map(|pull| self.shown("pull-request-simple", pull));
                (200, all.collect())
            }
            ("POST", ["pulls"]) => {
                let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
                let (title, words) = (text("title"), text("body"));
                match self.open(&title, &words, &text("head"), &text("base")) {
                    Some(number) => (
                        201,
                        self.shown("pull-request", &self.pulls[number as usize - 1].clone()),
                    ),
                    None => (
                        422,
                        json!({
                            "message": "Validation Failed",
                            "errors": [{ "resource": "PullRequest", "code": "custom",
                                "message": "A pull request already exists for acme:branch." }],
                        }),
                    ),
                }
            }
            ("GET", ["pulls", one]) => {
                let pull = self.pull(number(one)).clone();
                (200, self.shown("pull-request", &pull))
            }
            ("PATCH", ["pulls", one]) => {
                let open = body["state"].as_str().map(|state| state == "open");
                if !self.change(number(one), &body["title"], &body["body"], open) {
                    return (422, json!({ "message": "Validation Failed" }));
                }
                let pull = self.pull(number(one)).clone();
                (200, self.shown("pull-request", &pull))
            }
            ("POST", ["issues", one, "labels"]) => {
                let pull = self.pull(number(one));
                for label in body["labels"].as_array().into_iter().flatten() {
                    let label = label.as_str().unwrap_or_default().to_owned();
                    if !pull.labels.contains(&label) {
                        pull.labels.push(label);
                    }
                }
                (200, json!([]))
            }
            ("POST", ["pulls", one, "requested_reviewers"]) => {
                let Some("reviewer") = body["reviewers"][0].as_str() else {
                    let message = "Reviews may only be requested from collaborators.";
                    return (422, json!({ "message": message }));
                };
                let pull = self.pull(number(one));
                if !pull.reviewers.contains(&"reviewer".to_owned()) {
                    pull.reviewers.push("reviewer".to_owned());
                }
                let pull = pull.clone();
                (201, self.shown("pull-request-simple", &pull))
            }
            ("GET", ["pulls", one, "reviews"]) => {
                let pull = self.pull(number(one)).clone();
                let all = pull.approved.iter().map(|by| {
                    let user = self.user(by);
                    let said = json!({ "state": "APPROVED", "user": user, "commit_id": pull.head });
                    self.first_like("pull-request-review-items", said)
                });
                (200, all.collect())
            }
            ("GET", ["issues", one, "comments"]) => {
                let comments = self.pull(number(one)).comments.clone();
                let all = comments
                    .iter()
                    .map(|(id, by, text)| self.comment(*id, by, text));
                (200, all.collect())
            }
            ("POST", ["issues", one, "comments"]) => {
                let text = body["body"].as_str().unwrap_or_default();
                let id = self.remark(number(one), "bot", text);
                (201, self.comment(id, "bot", text))
            }
            ("PATCH", ["issues", "comments", id]) => {
                let text = body["body"].as_str().unwrap_or_default().to_owned();
                let mut all = self.pulls.iter_mut().flat_map(|pull| &mut pull.comments);
                match all.find(|(known, ..)| *known == number(id)) {
                    Some((id, by, known)) if by == "bot" => {
                        known.clone_from(&text);
                        let id = *id;
                        (200, self.comment(id, "bot", &text))
                    }
                    Some(_) => (403, json!({ "message": "Must have admin rights" })),
                    None => (404, json!({ "message": "Not Found" })),
                }
            }
            ("GET", ["commits", commit, "pulls"]) => {
                let having = self.pulls.iter().filter(|pull| pull.has(commit)).cloned();
                let having: Vec<Pull> = having.collect();
                let all = having
                    .iter()
                    .map(|pull| self.shown("pull-request-simple", pull));
                (200, all.collect())
            }
            ("GET", ["commits", commit, "status"]) => {
                let mut last: Vec<Value> = Vec::new();
                for status in self
                    .statuses
                    .iter()
                    .rev()
                    .filter(|one| one["sha"] == **commit)
                {
                    if !last.iter().any(|one| one["context"] == status["context"]) {
                        let known =
                            self.examples["combined-commit-status"]["value"]["statuses"][0].clone();
                        let mut status = over(known, status.clone());
                        status.as_object_mut().map(|fields| fields.remove("sha"));
                        last.push(status);
                    }
                }
                let said = json!({ "state": "pending", "statuses": last, "total_count": last.len(), "sha": commit });
                (200, self.like("combined-commit-status", said))
            }
            ("POST", ["statuses", commit]) => {
                let mut status = json!({ "target_url": null, "description": null });
                status = over(status, body);
                status["sha"] = json!(commit);
                self.statuses.push(status.clone());
                status.as_object_mut().map(|fields| fields.remove("sha"));
                (201, self.like("status", status))
            }
            ("GET", ["deployments"]) => {
                let known = self.deployments.iter().enumerate().rev();
                let known = known.filter(|(_, one)| {
                    query.get("sha") == Some(&one.commit)
                        && query.get("environment") == Some(&one.environment)
                        && query.get("task").map(String::as_str) == one.asked["task"].as_str()
                });
                let all =
                    known.map(|(id, _)| self.first_like("deployment-items", json!({ "id": id })));
                (200, all.collect())
            }
            ("POST", ["deployments"]) => self.new_deployment(body),
            ("GET", ["deployments", id, "statuses"]) => {
                let all = &self.deployments[number(id) as usize].states;
                let all = all
                    .iter()
                    .map(|one| self.first_like("deployment-status-items", one.clone()))
                    .map(without_empty_log);
                (200, all.collect())
            }
            ("POST", ["deployments", id, "statuses"]) => {
                self.new_deployment_status(number(id) as usize, &body)
            }
            _ => (404, json!({ "message": "Not Found" })),
        }
    }

    /// It merges main into what is deployed, and waits for all checks, unless it is told not to.
    fn new_deployment(&mut self, asked: Value) -> (u16, Value) {
        let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
        let (commit, environment) = (text("ref"), text("environment"));
        if !self.has_commit(&commit) {
            return (
                422,
                json!({ "message": format!("No ref found for: {commit}") }),
            );
        }
        if asked["auto_merge"] != false || asked["required_contexts"] != json!([]) {
            let message = "Conflict: Commit status checks failed for main.";
            return (409, json!({ "message": message }));
        }
        let states = Vec::new();
        self.deployments.push(Deployed {
            commit,
            environment,
            asked,
            states,
        });
        let id = self.deployments.len() - 1;
        let begun = self.like("deployment-simple-example", json!({ "id": id }));
        (201, begun)
    }

    /// What succeeds makes those inactive that succeeded before in the same environment.
    fn new_deployment_status(&mut self, id: usize, body: &Value) -> (u16, Value) {
        let state = body["state"].as_str().unwrap_or_default();
        if !DEPLOYMENT_STATES.contains(&state) {
            return (422, json!({ "message": "Validation Failed" }));
        }
        let mut status = json!({ "log_url": "" });
        for field in ["state", "description", "log_url"] {
            if !body[field].is_null() {
                status[field] = body[field].clone();
            }
        }
        self.deployments[id].states.insert(0, status.clone());
        let environment = self.deployments[id].environment.clone();
        if state == "success" && body["auto_inactive"] != false {
            for other in &mut self.deployments[..id] {
                let has_succeeded = other
                    .states
                    .first()
                    .is_some_and(|one| one["state"] == "success");
                if other.environment == environment && has_succeeded {
                    let inactive = json!({ "state": "inactive", "description": "", "log_url": "" });
                    other.states.insert(0, inactive);
                }
            }
        }
        let status = self.like("deployment-status", status);
        (201, without_empty_log(status))
    }

    fn like(&self, example: &str, fields: Value) -> Value {
        over(self.examples[example]["value"].clone(), fields)
    }

    fn first_like(&self, example: &str, fields: Value) -> Value {
        over(self.examples[example]["value"][0].clone(), fields)
    }

    fn user(&self, name: &str) -> Value {
        self.like("simple-user", json!({ "login": name }))
    }

    fn comment(&self, id: u64, by: &str, text: &str) -> Value {
        let user = self.user(by);
        self.like(
            "issue-comment",
            json!({ "id": id, "body": text, "user": user }),
        )
    }

    fn shown(&self, example: &str, pull: &Pull) -> Value {
        let known = match example {
            "pull-request-simple" => self.examples["pull-request-simple-items"]["value"][0].clone(),
            other => self.examples[other]["value"].clone(),
        };
        let side = |name: &str, branch: &str, commit: &str| {
            let mut side = over(known[name].clone(), json!({ "ref": branch, "sha": commit }));
            side["repo"] = over(side["repo"].clone(), json!({ "full_name": "acme/yard" }));
            side
        };
        let asked = pull
            .reviewers
            .iter()
            .filter(|one| !pull.approved.contains(one));
        let asked: Vec<Value> = asked.map(|one| self.user(one)).collect();
        let mut fields = json!({
            "number": pull.number,
            "html_url": format!("http://{}/acme/yard/pull/{}", self.host, pull.number),
            "title": pull.title,
            "body": pull.body,
            "user": self.user("bot"),
            "state": if pull.open { "open" } else { "closed" },
            "draft": false,
            "merged_at": if pull.landed.is_some() { json!(WHEN) } else { Value::Null },
            "merge_commit_sha": pull.landed,
            "head": side("head", &pull.branch, &pull.head),
            "base": side("base", &pull.base, &pull.head),
            "requested_reviewers": asked,
            "requested_teams": [],
        });
        if example == "pull-request" {
            fields["mergeable"] = json!(true);
            let is_clean = self.may_merge(pull);
            fields["mergeable_state"] = json!(if is_clean { "clean" } else { "blocked" });
            fields["merged"] = json!(pull.landed.is_some());
        }
        over(known, fields)
    }
}

/// `fields` over those that `known` has.
fn over(known: Value, fields: Value) -> Value {
    let mut all = match known {
        Value::Object(all) => all,
        _ => serde_json::Map::new(),
    };
    if let Value::Object(fields) = fields {
        all.extend(fields);
    }
    Value::Object(all)
}

/// A log that is nowhere is left out.
fn without_empty_log(mut status: Value) -> Value {
    if status["log_url"] == "" {
        status
            .as_object_mut()
            .map(|fields| fields.remove("log_url"));
    }
    status
}
