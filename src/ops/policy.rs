//! Tries a policy's own examples: `modelyard policy test`.

use std::path::Path;

use serde::Serialize;

use super::{codes, gates};
use crate::check::gates::{Answer, Question};
use crate::record::kind::PolicyTest;
use crate::record::{Code, Failure, Fault, Name};
use crate::yard::{Catalog, CatalogError, blocking};

/// What came of the examples of all policies.
#[derive(Debug, Clone, Serialize)]
pub struct Tried {
    /// Each policy.
    pub policies: Vec<TriedPolicy>,
}

/// What came of a policy's examples.
#[derive(Debug, Clone, Serialize)]
pub struct TriedPolicy {
    /// The policy.
    pub name: Name,
    /// Each of its examples.
    pub tests: Vec<TriedTest>,
}

/// What came of an example.
#[derive(Debug, Clone, Serialize)]
pub struct TriedTest {
    /// What it is an example of.
    pub name: String,
    /// Whether it came out as it says.
    pub passed: bool,
    /// Where it did not, gate by gate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
}

/// Why nothing can be tried.
#[derive(Debug, thiserror::Error)]
#[error("no policy here has tests")]
pub struct NoPolicyTests;

impl Fault for NoPolicyTests {
    fn code(&self) -> &'static Code {
        &codes::NO_POLICY_TESTS
    }

    fn help(&self) -> Option<String> {
        Some("write examples into the policy's `tests`: what is given, and what fails".to_owned())
    }
}

impl Tried {
    /// Whether every example came out as it says.
    pub fn passed(&self) -> bool {
        let tests = self.policies.iter().flat_map(|policy| &policy.tests);
        tests.into_iter().all(|test| test.passed)
    }
}

/// Tries the examples of the policy `only`, or of all policies of a yard; `program` is this one.
///
/// # Errors
/// [`NoPolicyTests`], [`CatalogError`], or if they can't be evaluated at all.
pub async fn test(catalog: Catalog, only: Option<&Name>, program: &Path) -> Result<Tried, Failure> {
    let policies = blocking(move || catalog.policies()).await?;
    let mut tried = Vec::new();
    let mut is_there = false;
    for policy in policies {
        let name = policy.metadata.name;
        if only.is_some_and(|only| *only != name) {
            continue;
        }
        is_there = true;
        let mut tests = Vec::new();
        for test in &policy.spec.tests {
            let path = format!("policies/{name}.yaml");
            let questions: Vec<Question> = (policy.spec.gates.iter().enumerate())
                .map(|(gate, rule)| Question {
                    policy: path.clone(),
                    gate,
                    path: Some(test.name.clone()),
                    expression: rule.expr.clone(),
                    message: rule.message.clone(),
                    variables: test.given.clone(),
                })
                .collect();
            let answers = gates::answers(&questions, program).await?;
            let outcomes = policy.spec.gates.iter().enumerate().map(|(gate, rule)| {
                let answer = answers.of(&path, gate, Some(&test.name));
                (rule.name.as_str(), answer)
            });
            tests.push(compare(test, &outcomes.collect::<Vec<_>>()));
        }
        if !tests.is_empty() {
            tried.push(TriedPolicy { name, tests });
        }
    }
    match only {
        Some(only) if !is_there => {
            Err(CatalogError::missing(&format!("policies/{only}.yaml")).into())
        }
        _ if tried.is_empty() => Err(NoPolicyTests.into()),
        _ => Ok(Tried { policies: tried }),
    }
}

/// Holds what came of each gate against what the example says.
fn compare(test: &PolicyTest, outcomes: &[(&str, Option<&Answer>)]) -> TriedTest {
    let mut differences = Vec::new();
    for (gate, answer) in outcomes {
        let has_to_fail = test.fails.iter().any(|name| name == gate);
        match (answer, has_to_fail) {
            (Some(Answer::Holds), true) => differences.push(format!("`{gate}` holds")),
            (Some(Answer::Holds), false) => {}
            (Some(Answer::Invalid { why }), _) => {
                differences.push(format!("`{gate}` can't be evaluated: {why}"));
            }
            (_, true) => {}
            (Some(Answer::Fails { values, .. }), false) => {
                let values = values.join(", ");
                differences.push(format!("`{gate}` does not hold: {values}"));
            }
            (Some(Answer::Missing { why }), false) => {
                differences.push(format!("`{gate}` can't be evaluated: {why}"));
            }
            (None, false) => differences.push(format!("`{gate}` was not evaluated")),
        }
    }
    for name in &test.fails {
        if !outcomes.iter().any(|(gate, _)| gate == name) {
            differences.push(format!("there is no gate `{name}`"));
        }
    }
    TriedTest {
        name: test.name.clone(),
        passed: differences.is_empty(),
        differences,
    }
}
