//! What an import printed, as a runner shows it.

use std::fmt::Write as _;

use serde::Deserialize;

use super::told::{MAX_LINES, list, said};
use crate::ops::import::{Called, Moved};
use crate::record::Name;

/// What `modelyard import` prints of a source.
#[derive(Deserialize)]
pub(super) struct Imported {
    source: String,
    brought: Vec<Brought>,
    unchanged: usize,
    moved: Vec<Moved>,
    deployed: Vec<Deployed>,
    refused: Vec<Refused>,
    proposed: Option<Proposed>,
}

#[derive(Deserialize)]
struct Brought {
    reference: String,
    to: Called,
    unmapped: Vec<String>,
    remarks: Vec<String>,
}

#[derive(Deserialize)]
struct Deployed {
    reference: String,
    environment: Name,
    deployment: Name,
}

#[derive(Deserialize)]
struct Refused {
    reference: String,
    why: String,
    help: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proposed {
    branch: String,
    unchanged: bool,
    pull_request: Option<PullRequest>,
}

#[derive(Deserialize)]
struct PullRequest {
    url: String,
}

/// All sources, one after the other.
pub(super) fn summary(imports: &[Imported]) -> String {
    if imports.is_empty() {
        return "### ✅ `modelyard.yaml` names no sources: there is nothing to follow\n".to_owned();
    }
    let told: Vec<String> = imports.iter().map(Imported::told).collect();
    told.join("\n")
}

impl Imported {
    /// What an annotation says of each version that could not be imported.
    pub(super) fn errors(&self) -> impl Iterator<Item = (String, String)> {
        let refused = self.refused.iter();
        refused.map(|one| (one.reference.clone(), one.why()))
    }

    fn told(&self) -> String {
        let (sign, words) = match (&self.refused[..], &self.brought[..]) {
            ([], []) if self.moved.is_empty() && self.deployed.is_empty() => {
                ("✅", "nothing is new".to_owned())
            }
            ([], brought) => ("✅", versions(brought.len())),
            (refused, brought) => (
                "⚠️",
                format!("{}, {} refused", versions(brought.len()), refused.len()),
            ),
        };
        let mut text = format!("### {sign} {}: {words}\n", said(&self.source));
        if let Some(proposed) = self.proposed.as_ref().filter(|one| !one.unchanged) {
            let place = match &proposed.pull_request {
                Some(opened) => ("pull request", &opened.url),
                None => ("branch", &proposed.branch),
            };
            // Writing to a String can't fail.
            let _ = write!(text, "\n{}: {}\n", place.0, said(place.1));
        }
        if !self.brought.is_empty() {
            text.push_str(
                "\n| There | Here | Found no field | Beware |\n| --- | --- | --- | --- |\n",
            );
        }
        for one in self.brought.iter().take(MAX_LINES) {
            let Called { model, version, .. } = &one.to;
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                said(&one.reference),
                said(&format!("{model}:{version}")),
                cell(&one.unmapped),
                cell(&one.remarks),
            );
        }
        if let Some(more @ 1..) = self.brought.len().checked_sub(MAX_LINES) {
            let _ = write!(text, "\n… and {more} more versions\n");
        }
        let moved: Vec<_> = self.moved.iter().map(Moved::told).collect();
        let deployed = self.deployed.iter().map(|one| {
            let (place, reference) = (&one.environment, &one.reference);
            format!("{place}/{} from {reference}", one.deployment)
        });
        let refused = self.refused.iter();
        let refused: Vec<_> = refused
            .map(|one| format!("{}: {}", one.reference, one.why()))
            .collect();
        list(&mut text, "Moved there", &moved);
        list(&mut text, "Deployments", &deployed.collect::<Vec<_>>());
        list(&mut text, "Could not be imported", &refused);
        if self.unchanged > 0 {
            let _ = write!(text, "\n{} here already\n", versions(self.unchanged));
        }
        text
    }
}

impl Refused {
    /// Why, and what to do.
    fn why(&self) -> String {
        match &self.help {
            Some(help) => format!("{}; {help}", self.why),
            None => self.why.clone(),
        }
    }
}

fn versions(count: usize) -> String {
    match count {
        1 => "1 version".to_owned(),
        count => format!("{count} versions"),
    }
}

/// Texts of others in a cell.
fn cell(texts: &[String]) -> String {
    match texts {
        [] => String::new(),
        texts => said(&texts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    //! What people see of a night's import.

    use serde_json::json;

    use super::*;

    #[test]
    fn a_night_is_told_by_what_came_what_moved_and_what_did_not() {
        let imports = json!([
            {
                "source": "mlflow:https://lab", "unchanged": 3, "leftOut": [],
                "brought": [{
                    "reference": "models:/a|b/2", "to": {"model": "vision/a", "version": "2.0.0", "renamed": true},
                    "unmapped": ["run.user", "x`y"], "remarks": [],
                }],
                "moved": [{
                    "model": "vision/a",
                    "alias": {"alias": "champion", "from": "1.0.0", "to": "2.0.0"},
                }],
                "deployed": [{"reference": "s/x", "environment": "factory", "deployment": "x", "renamed": false}],
                "refused": [{"reference": "models:/b/1", "why": "no `name`", "code": "c", "help": "say one"}],
                "proposed": {"branch": "import/lab", "unchanged": false, "pullRequest": {"number": 7, "url": "https://forge/7"}},
            },
            {
                "source": "./old", "unchanged": 1, "brought": [], "moved": [], "deployed": [],
                "refused": [], "proposed": {"branch": "import/old", "unchanged": true},
            },
        ]);
        let imports = Vec::<Imported>::deserialize(&imports).unwrap();
        insta::assert_snapshot!(summary(&imports), @r#"
        ### ⚠️ `mlflow:https://lab`: 1 version, 1 refused

        pull request: `https://forge/7`

        | There | Here | Found no field | Beware |
        | --- | --- | --- | --- |
        | `models:/a¦b/2` | `vision/a:2.0.0` | `` run.user, x`y `` |  |

        Moved there:

        - `vision/a:champion: 1.0.0 -> 2.0.0`

        Deployments:

        - `factory/x from s/x`

        Could not be imported:

        - `` models:/b/1: no `name`; say one ``

        3 versions here already

        ### ✅ `./old`: nothing is new

        1 version here already
        "#);
        let errors: Vec<_> = imports.iter().flat_map(Imported::errors).collect();
        assert_eq!(
            errors,
            [("models:/b/1".to_owned(), "no `name`; say one".to_owned())]
        );
        assert!(summary(&[]).contains("nothing to follow"));
    }
}
