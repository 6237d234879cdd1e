//! What main chose for a deployment, and by which commit.

use crate::record::{Failure, ModelName, ModelReference, Name, Selector};
use crate::rollout::Release;
use crate::yard::history::Event;
use crate::yard::{Catalog, Resolved, Revision, Yard, deployment_path};

/// How many commits are looked at of each path.
const PAST: usize = 500;

/// The yard as it was once something of it had changed.
pub(super) struct Then {
    /// What changed it.
    pub(super) event: Event,
    /// Its records from then on.
    pub(super) catalog: Catalog,
}

/// The yard as it was at each commit up to `until` that can have chosen another version for a
/// deployment of `models`, newest first; each is read when it is asked for.
///
/// # Errors
/// If git can't be read.
pub(super) fn past(
    yard: &Yard,
    until: &Revision,
    (environment, deployment): (&Name, &Name),
    models: &[ModelName],
) -> Result<impl Iterator<Item = Result<Then, Failure>>, Failure> {
    let mut events: Vec<Event> = Vec::new();
    let models = models.iter().map(|model| format!("models/{model}"));
    for path in models.chain([deployment_path(environment, deployment)]) {
        events.extend(yard.history(until, &path, PAST)?.events);
    }
    events.sort_by(|one, other| other.landed().cmp(&one.landed()));
    events.dedup_by(|one, other| one.landed() == other.landed());
    let yard = yard.clone();
    Ok(events.into_iter().map(move |event| {
        let snapshot = yard.snapshot(&Revision::Commit(event.landed().1.to_owned()))?;
        let catalog = Catalog::new(snapshot);
        Ok(Then { event, catalog })
    }))
}

/// What a deployment chose; nothing where the yard was broken.
pub(super) fn chosen(catalog: &Catalog, environment: &Name, deployment: &Name) -> Vec<Release> {
    let Ok(Some(record)) = catalog.deployment(environment, deployment) else {
        return Vec::new();
    };
    let releases = record.spec.shares().into_iter().filter_map(|share| {
        let reference = ModelReference {
            model: share.model,
            selector: share.version.unwrap_or(Selector::Newest),
        };
        catalog.resolve(&reference).ok().map(released)
    });
    releases.collect()
}

/// The commit, up to `until`, since which main chose `release` for a deployment, the last time
/// that it did; nothing where it never did, as far as is known here.
///
/// # Errors
/// If git can't be read.
pub(super) fn chosen_by(
    yard: &Yard,
    until: &Revision,
    (environment, deployment): (&Name, &Name),
    release: &Release,
) -> Result<Option<Event>, Failure> {
    let mut since = None;
    let models = std::slice::from_ref(&release.model);
    for then in past(yard, until, (environment, deployment), models)? {
        let then = then?;
        let is_chosen = chosen(&then.catalog, environment, deployment).contains(release);
        match (is_chosen, &since) {
            (true, _) => since = Some(then.event),
            (false, Some(_)) => break,
            (false, None) => {}
        }
    }
    Ok(since)
}

/// What a reference leads to.
pub(super) fn released(found: Resolved) -> Release {
    Release {
        model: found.model,
        version: found.version,
        digest: found.record.spec.artifact.digest,
    }
}
