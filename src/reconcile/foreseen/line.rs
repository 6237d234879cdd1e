//! What main has brought since it was looked at last, commit by commit.

use crate::ops::plan_change::desired_at;
use crate::record::kind::{EnvironmentSpec, PlanMismatch};
use crate::record::{Failure, Name};
use crate::rollout::{Intent, intents};
use crate::yard::{Catalog, CommitId, Revision, Yard};

/// How many commits of main's line are looked at, should it have moved by more meanwhile.
const MOST_COMMITS: usize = 50;

/// A commit by which something changes.
pub(super) struct Step {
    /// Its place in the line.
    pub(super) at: usize,
    /// What it would have deployments do, here and elsewhere.
    pub(super) intents: Vec<Intent>,
    /// What is done about another plan.
    pub(super) mismatch: PlanMismatch,
}

/// Main's line, and the commits on it by which something changes.
pub(super) struct Line {
    /// From the commit that was judged last, which is the first.
    pub(super) commits: Vec<CommitId>,
    pub(super) steps: Vec<Step>,
}

/// Main's line from `judged` to `main`, and the commits on it by which something changes in
/// `environment`; nothing where main does not come from `judged`.
pub(super) fn walk(
    yard: &Yard,
    environment: &Name,
    judged: &str,
    main: CommitId,
) -> Result<Option<Line>, Failure> {
    let Ok(known) = judged.parse::<CommitId>() else {
        return Ok(None);
    };
    let (old, new) = (
        Revision::Commit(judged.to_owned()),
        Revision::Commit(main.to_string()),
    );
    match yard.merge_base(&old, &new) {
        Ok(Some(base)) if base == known => {}
        _ => return Ok(None),
    }
    let commits = yard.mainline(main, Some(known), MOST_COMMITS)?;
    let mut steps = Vec::new();
    let mut before = match commits.first() {
        Some(first) => desired_at(yard, *first)?,
        None => return Ok(None),
    };
    for at in 1..commits.len() {
        let behind = desired_at(yard, commits[at])?;
        let intents = intents(&before, &behind);
        if intents.iter().any(|one| one.environment == *environment) {
            steps.push(Step {
                at,
                intents,
                mismatch: mismatch(yard, environment, commits[at - 1])?,
            });
        }
        before = behind;
    }
    Ok(Some(Line { commits, steps }))
}

/// What is to be done about another plan, as main said before the change.
fn mismatch(yard: &Yard, environment: &Name, commit: CommitId) -> Result<PlanMismatch, Failure> {
    let catalog = Catalog::new(yard.snapshot_at(commit)?);
    let record = catalog.environment(environment).ok().flatten();
    let spec = record.as_ref().map(|record| &record.spec);
    Ok(spec.map_or(PlanMismatch::Refuse, EnvironmentSpec::plan_mismatch))
}
