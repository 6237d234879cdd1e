//! Which commits of main asked something of an environment.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{Claim, Part};
use super::sight::{Aim, key};
use crate::ops::resolve::resolve;
use crate::record::{Failure, Name};
use crate::rollout::{Desired, Wish};
use crate::yard::{Catalog, CommitId, Revision, Yard};

/// The most commits that are looked at: a host that was away for longer tells of the last ones.
const MOST_COMMITS: usize = 50;

/// What the commits of main up to `tip` and behind `known` asked of `environment`, the oldest first.
///
/// # Errors
/// If git can't be read.
pub(super) fn claims(
    yard: &Yard,
    environment: &Name,
    known: Option<&str>,
    tip: &str,
) -> Result<Vec<Claim>, Failure> {
    let commit = |name: &str| yard.commit_id(&Revision::Commit(name.to_owned()));
    // One that is here no more is one that nobody knows.
    let known = known.and_then(|known| commit(known).ok().flatten());
    let tip = commit(tip)?.expect("only the work tree is no commit");
    let mut before: Option<BTreeMap<Name, Wish>> = None;
    let mut claims = Vec::new();
    for at in yard.mainline(tip, known, MOST_COMMITS)? {
        let wishes = match wishes(yard, environment, at)? {
            Some(wishes) => wishes,
            // Before the first there was no such environment, or nobody knows; one that is broken in
            // between asks for nothing else.
            None if before.is_none() => BTreeMap::new(),
            None => continue,
        };
        if let Some(before) = &before {
            let parts = changed(before, &wishes);
            if !parts.is_empty() {
                claims.push(Claim::new(at.to_string(), parts));
            }
        }
        before = Some(wishes);
    }
    Ok(claims)
}

/// What a commit asks for; nothing where that can't be told.
fn wishes(
    yard: &Yard,
    environment: &Name,
    at: CommitId,
) -> Result<Option<BTreeMap<Name, Wish>>, Failure> {
    let catalog = Catalog::new(yard.snapshot_at(at)?);
    Ok(match &*resolve(&catalog, environment, true).desired {
        Desired::Known(known) => Some(known.deployments.clone()),
        Desired::Unknown { .. } => None,
    })
}

fn changed(before: &BTreeMap<Name, Wish>, after: &BTreeMap<Name, Wish>) -> BTreeMap<Name, Part> {
    let names: BTreeSet<&Name> = before.keys().chain(after.keys()).collect();
    let change = |name: &Name| {
        let (old, new) = (before.get(name), after.get(name));
        let part = || Part::new(key(new), Aim::of(old, new));
        (old != new).then(|| (name.clone(), part()))
    };
    names.into_iter().filter_map(change).collect()
}
