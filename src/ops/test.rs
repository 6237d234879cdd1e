//! Puts a version's golden tests to it: `modelyard test`.

use serde::Serialize;

use super::codes;
use super::pull::{Artifact, Ground};
use super::served::{self, Served, Starting};
use crate::record::{Code, Failure, Fault, ModelName, ModelReference, Name, Version};
use crate::target::runtime::golden::{self, Tested};
use crate::yard::Yard;

/// What a version's golden tests came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The artifact, and what was verified of it.
    #[serde(flatten)]
    pub artifact: Artifact,
    /// What served it.
    pub runtime: Name,
    /// How many tests passed.
    pub passed: usize,
    /// How many did not.
    pub failed: usize,
    /// Each of them, in the record's order.
    pub tests: Vec<Tested>,
}

/// A version that says nothing of what it has to answer.
#[derive(Debug, thiserror::Error)]
#[error("{model}:{version} has no golden tests")]
pub struct NoTests {
    model: ModelName,
    version: Version,
}

impl Fault for NoTests {
    fn code(&self) -> &'static Code {
        &codes::NO_GOLDEN_TESTS
    }

    fn help(&self) -> Option<String> {
        Some("publish a version whose record has `tests`".to_owned())
    }
}

/// Starts the version that `reference` means and puts its tests to it.
///
/// # Errors
/// If it can't be started, has no tests, or goes away before their end. Tests that fail are no
/// error.
pub async fn test(
    yard: &Yard,
    reference: &ModelReference,
    starting: &Starting,
    ground: &Ground<'_>,
) -> Result<Report, Failure> {
    let found = served::find(yard, reference).await?;
    let all = found.record.spec.tests.clone();
    if all.is_empty() {
        let (model, version) = (found.model, found.version);
        return Err(NoTests { model, version }.into());
    }
    let mut served = Served::start(yard, found, starting, ground).await?;
    let files = served.files();
    let mut tests = Vec::with_capacity(all.len());
    for test in &all {
        ground.progress.step(&format!("testing: {}", test.name));
        let started = &mut served.started;
        match golden::test(&started.client, started.model.as_str(), test, &files).await {
            Ok(tested) => tests.push(tested),
            Err(error) => return Err(started.or_its_end(error).await.into()),
        }
    }
    let passed = tests.iter().filter(|test| test.passed).count();
    Ok(Report {
        artifact: served.artifact,
        runtime: served.runtime,
        passed,
        failed: tests.len() - passed,
        tests,
    })
}
