//! One deployment as it is seen: its replicas, bytes, route and load, and what that means.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::record::Name;
use crate::record::kind::{Drift, Span};
use crate::rollout::analysis::Measurement;
use crate::rollout::choice::{Content, Side};
use crate::rollout::clock;
use crate::rollout::observed::{ArtifactPhase, Golden, Instance, Load, Phase};
use crate::rollout::table::Route;
use crate::rollout::wait::{Wait, Why};

/// What is known of bytes.
pub(super) type Artifacts<'a> = HashMap<&'a Content, &'a ArtifactPhase>;

/// One deployment as it is seen.
#[derive(Debug)]
pub(super) struct Site<'a> {
    pub(super) name: &'a Name,
    pub(super) now: Timestamp,
    pub(super) instances: Vec<&'a Instance>,
    pub(super) artifacts: &'a Artifacts<'a>,
    pub(super) route: Option<&'a Route>,
    pub(super) load: Option<&'a Load>,
    /// Of this deployment, by number.
    pub(super) measurements: Vec<&'a Measurement>,
}

/// How a replica failed.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) why: String,
    /// Its version may be to blame; not so when the clock leapt.
    pub(super) counts: bool,
}

impl Site<'_> {
    pub(super) fn wait(&self, why: Why, until: Option<Timestamp>) -> Wait {
        Wait {
            deployment: self.name.clone(),
            why,
            until,
        }
    }

    /// How a replica failed, if it did.
    pub(super) fn broken(&self, instance: &Instance, timeout: Span) -> Option<Broken> {
        let (what, limit) = match &instance.phase {
            Phase::Ready | Phase::Draining => return None,
            Phase::Failed { why } => {
                let why = why.clone();
                return Some(Broken { why, counts: true });
            }
            Phase::Starting => ("it never answered".to_owned(), timeout),
            Phase::Unhealthy { why } => (why.clone(), timeout),
        };
        if clock::elapsed(instance.since, self.now).is_none() {
            return Some(Broken {
                why: "the clock was set back, and nobody knows how long it takes".to_owned(),
                counts: false,
            });
        }
        clock::passed(instance.since, limit, self.now).then(|| Broken {
            why: format!("{what}, for {limit}"),
            counts: true,
        })
    }

    /// Whether a replica may be sent requests: it answers, and its golden tests pass or its
    /// revision has proven itself before. Only what was verified is ever started.
    pub(super) fn eligible(instance: &Instance, stable: Option<&Side>) -> bool {
        instance.phase == Phase::Ready
            && (stable.is_some_and(|side| side.has(instance.choice.revision()))
                || instance.golden == Golden::Passed
                || tests(instance) == 0)
    }

    /// Whether a replica has to be replaced because somebody changed it.
    pub(super) fn drifted(instance: &Instance, drift: Drift) -> bool {
        drift == Drift::Correct && instance.drift.is_some()
    }

    /// The numbers of all replicas.
    pub(super) fn numbers(&self) -> BTreeSet<u64> {
        self.instances.iter().map(|one| one.id.number).collect()
    }
}

/// How many golden tests a replica's unit has.
pub(super) fn tests(instance: &Instance) -> u32 {
    let unit = instance.choice.unit(instance.part);
    unit.map_or(0, |unit| unit.tests)
}
