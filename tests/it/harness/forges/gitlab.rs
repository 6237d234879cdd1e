//! GitLab's words, as its REST API's documentation has them.

use serde_json::{Value, json};

use super::{Deployed, Pull, State, parts, sent};
use crate::harness::http::Request;

const PEOPLE: [(u64, &str); 2] = [(1, "bot"), (2, "reviewer")];

impl State {
    pub(super) fn gitlab(&mut self, request: &Request) -> (u16, Value) {
        let (words, query) = parts(request, "/api/v4");
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let body = sent(request);
        let number = |text: &str| text.parse::<u64>().unwrap_or(0);
        let words = match words.as_slice() {
            ["user"] => return (200, person("bot")),
            ["users"] => {
                let name = query.get("username").cloned().unwrap_or_default();
                let known = PEOPLE.iter().filter(|(_, known)| *known == name);
                return (200, known.map(|(_, name)| person(name)).collect());
            }
            ["projects", "acme%2Fyard", rest @ ..] => rest,
            _ => return (404, json!({ "message": "404 Project Not Found" })),
        };
        match (&*request.method, words) {
            ("GET", ["merge_requests"]) => {
                let branch = query.get("source_branch").cloned().unwrap_or_default();
                let known = self.pulls.iter().rev().filter(|pull| pull.branch == branch);
                (200, known.map(|pull| self.merge_request(pull)).collect())
            }
            ("POST", ["merge_requests"]) => {
                let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
                let (title, words) = (text("title"), text("description"));
                let (source, target) = (text("source_branch"), text("target_branch"));
                match self.open(&title, &words, &source, &target) {
                    Some(number) => (201, self.merge_request(&self.pulls[number as usize - 1])),
                    None => (
                        409,
                        json!({ "message": ["Another open merge request already exists"] }),
                    ),
                }
            }
            ("GET", ["merge_requests", one]) => {
                let pull = self.pull(number(one)).clone();
                (200, self.merge_request(&pull))
            }
            ("PUT", ["merge_requests", one]) => {
                let open = body["state_event"].as_str().map(|event| event == "reopen");
                let one = number(one);
                if !self.change(one, &body["title"], &body["description"], open) {
                    return (422, json!({ "message": "422 Unprocessable" }));
                }
                let pull = self.pull(one);
                for label in body["add_labels"]
                    .as_str()
                    .into_iter()
                    .flat_map(|all| all.split(','))
                {
                    if !pull.labels.iter().any(|known| known == label) {
                        pull.labels.push(label.to_owned());
                    }
                }
                if let Some(ids) = body["reviewer_ids"].as_array() {
                    let asked = PEOPLE.iter().filter(|(id, _)| ids.contains(&json!(id)));
                    pull.reviewers = asked.map(|(_, name)| (*name).to_owned()).collect();
                }
                let pull = pull.clone();
                (200, self.merge_request(&pull))
            }
            ("GET", ["merge_requests", one, "approvals"]) => {
                let pull = self.pull(number(one));
                let all = pull.approved.iter().map(|by| json!({ "user": person(by) }));
                (
                    200,
                    json!({ "approved": true, "approved_by": all.collect::<Value>() }),
                )
            }
            ("GET", ["merge_requests", one, "notes"]) => {
                let all = self.pull(number(one)).comments.iter();
                (200, all.map(|(id, by, text)| note(*id, by, text)).collect())
            }
            ("POST", ["merge_requests", one, "notes"]) => {
                let text = body["body"].as_str().unwrap_or_default();
                let id = self.remark(number(one), "bot", text);
                (201, note(id, "bot", text))
            }
            ("PUT", ["merge_requests", one, "notes", id]) => {
                let text = body["body"].as_str().unwrap_or_default().to_owned();
                let mut all = self.pull(number(one)).comments.iter_mut();
                match all.find(|(known, ..)| *known == number(id)) {
                    Some((id, by, known)) if by == "bot" => {
                        known.clone_from(&text);
                        (200, note(*id, "bot", &text))
                    }
                    _ => (404, json!({ "message": "404 Not Found" })),
                }
            }
            ("GET", ["repository", "commits", commit, "merge_requests"]) => {
                let open = query.get("state").is_some_and(|state| state == "opened");
                let having = self.pulls.iter().filter(|pull| match open {
                    true => pull.open && pull.head == **commit,
                    false => pull.has(commit),
                });
                (200, having.map(|pull| self.merge_request(pull)).collect())
            }
            ("GET", ["repository", "commits", commit, "statuses"]) => {
                let known = self.statuses.iter().filter(|one| one["sha"] == **commit);
                (200, known.cloned().collect())
            }
            ("POST", ["statuses", commit]) => {
                let same = |one: &Value| one["sha"] == **commit && one["name"] == body["name"];
                if let Some(known) = self.statuses.iter().find(|one| same(one))
                    && known["status"] == body["state"]
                {
                    let message = "Cannot transition status via :enqueue from :pending";
                    return (400, json!({ "message": message }));
                }
                self.statuses.retain(|one| !same(one));
                self.statuses.push(json!({
                    "sha": commit, "name": body["name"], "status": body["state"],
                    "description": body["description"], "target_url": body["target_url"],
                }));
                (201, json!({}))
            }
            ("GET", ["deployments"]) => {
                let known = self.deployments.iter().enumerate().rev();
                let known =
                    known.filter(|(_, one)| query.get("environment") == Some(&one.environment));
                let all = known.map(|(id, one)| {
                    json!({ "id": id, "sha": one.commit, "status": one.states[0]["state"] })
                });
                (200, all.collect())
            }
            ("POST", ["deployments"]) => {
                let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
                let (commit, environment) = (text("sha"), text("environment"));
                if !self.has_commit(&commit) || !self.branches.contains_key(&text("ref")) {
                    let message = json!({ "ref": ["The branch or tag does not exist"] });
                    return (400, json!({ "message": message }));
                }
                let states = vec![json!({ "state": body["status"] })];
                self.deployments.push(Deployed {
                    commit,
                    environment,
                    asked: body,
                    states,
                });
                (201, json!({}))
            }
            ("PUT", ["deployments", id]) => {
                let state = json!({ "state": body["status"] });
                self.deployments[number(id) as usize]
                    .states
                    .insert(0, state);
                (200, json!({}))
            }
            _ => (404, json!({ "error": "404 Not Found" })),
        }
    }

    fn merge_request(&self, pull: &Pull) -> Value {
        let state = match (pull.landed.is_some(), pull.open) {
            (true, _) => "merged",
            (_, true) => "opened",
            _ => "closed",
        };
        let reviewers: Vec<Value> = pull.reviewers.iter().map(|name| person(name)).collect();
        json!({
            "id": 1000 + pull.number,
            "iid": pull.number,
            "web_url": format!("http://{}/acme/yard/-/merge_requests/{}", self.host, pull.number),
            "title": pull.title,
            "description": pull.body,
            "state": state,
            "source_branch": pull.branch,
            "target_branch": pull.base,
            "source_project_id": 7,
            "target_project_id": 7,
            "sha": pull.head,
            "merge_commit_sha": pull.landed,
            "merged_at": pull.landed.as_ref().map(|_| "2026-11-01T12:00:00.000Z"),
            "squash_commit_sha": null,
            "author": person("bot"),
            "reviewers": reviewers,
            "labels": pull.labels,
            "detailed_merge_status": if self.may_merge(pull) { "mergeable" } else { "not_approved" },
        })
    }
}

fn person(name: &str) -> Value {
    let id = PEOPLE
        .iter()
        .find(|(_, known)| *known == name)
        .map_or(0, |(id, _)| *id);
    json!({ "id": id, "username": name, "state": "active" })
}

fn note(id: u64, by: &str, text: &str) -> Value {
    json!({ "id": id, "body": text, "author": person(by), "system": false })
}
