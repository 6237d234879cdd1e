//! The end of a history: nothing breaks any more, it comes to rest, and what came of it is judged.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::super::*;
use super::history::History;
use super::world::Nature;
use super::{DEPLOYMENTS, name};
use crate::record::Name;
use crate::record::kind::{Drift, Finite};

/// In so many passes everything has to come to rest.
const PASSES: usize = 600;

impl History {
    /// Nothing breaks any more: it comes to rest, and then stays so.
    pub(super) fn quiet(&mut self) {
        self.world.tell(|| "quiet".to_owned());
        for deployment in DEPLOYMENTS {
            let nothing = Load {
                value: Finite::try_from(0.0).ok(),
                ..Load::default()
            };
            self.world.observed.load.insert(name(deployment), nothing);
        }
        self.rest();
        let later = SignedDuration::from_hours(24);
        self.world.tick(later, None);
        let plan = self.world.plan();
        let left = plan
            .steps
            .iter()
            .filter(|step| !measures(step) && !counts(step));
        let left: Vec<_> = left.map(Step::to_string).collect();
        assert!(left.is_empty(), "a day later there is work: {left:?}");
        self.judge(&plan);
    }

    fn rest(&mut self) {
        for pass in 0..PASSES {
            let plan = self.pass(false);
            let now = self.world.now;
            self.world.tell(|| {
                let waits: Vec<_> = plan.waits.iter().map(Wait::to_string).collect();
                format!("quiet {pass}, {now}: {}", waits.join(" | "))
            });
            let busy = plan.steps.iter().any(|step| !measures(step));
            let until = plan.next_look().filter(|_| !for_ever(&plan));
            let second = SignedDuration::from_secs(1);
            let wait = until.map_or(second, |until| until.duration_since(self.world.now));
            let before = (
                self.world.observed.instances.clone(),
                self.world.observed.artifacts.clone(),
            );
            self.world
                .tick(if busy { second } else { wait.max(second) }, None);
            let after = (
                &self.world.observed.instances,
                &self.world.observed.artifacts,
            );
            let still = (&before.0, &before.1) == after;
            if !busy && still && until.is_none() && (plan.steps.is_empty() || for_ever(&plan)) {
                return;
            }
        }
        panic!("no rest after {PASSES} passes");
    }

    /// Whether what came to rest is what should be, or it is said truly why not.
    fn judge(&self, plan: &Plan) {
        let mut waits: BTreeMap<&Name, Vec<&Why>> = BTreeMap::new();
        for wait in &plan.waits {
            waits.entry(&wait.deployment).or_default().push(&wait.why);
        }
        for cause in &self.world.causes {
            self.is_true(cause);
        }
        let Desired::Known(known) = &self.world.desired else {
            return;
        };
        if known.deployments.is_empty() && !known.may_be_empty {
            return;
        }
        for one in &self.world.observed.instances {
            let name = &one.id.deployment;
            assert!(known.deployments.contains_key(name), "{} was left", one.id);
        }
        for name in self.world.observed.state.deployments.keys() {
            assert!(known.deployments.contains_key(name), "{name} was left");
        }
        for (name, wish) in &known.deployments {
            let Wish::Run(wanted) = wish else {
                continue;
            };
            if !waits.contains_key(name) {
                self.serves(name, wanted);
            }
        }
    }

    /// It serves what main says, with its weights and replicas.
    fn serves(&self, name: &Name, wanted: &Wanted) {
        let progress = self.world.progress(name).expect("it is remembered");
        let stable = progress.stable.as_ref().expect("something serves");
        assert!(
            stable.same(&wanted.side),
            "{name} serves {stable}, not {}",
            wanted.side
        );
        assert!(progress.rollout.is_none(), "{name} still rolls out");
        let route = &self.world.observed.routes[name];
        assert_eq!((&route.path, &route.sticky), (&wanted.path, &wanted.sticky));
        let count = if wanted.replicas.min == 0 {
            0
        } else {
            wanted.replicas.min
        };
        let mine = self.world.observed.instances.iter();
        let mine: Vec<_> = mine.filter(|one| one.id.deployment == *name).collect();
        let units: usize = stable.choices().iter().map(|one| one.units().count()).sum();
        let ids: Vec<_> = mine.iter().map(|one| one.id.to_string()).collect();
        assert_eq!(mine.len(), count as usize * units, "{name}: {ids:?}");
        let sound = |one: &&Instance| {
            one.phase == Phase::Ready && (wanted.drift != Drift::Correct || one.drift.is_none())
        };
        assert!(mine.iter().all(sound), "{name}: {mine:?}");
        if count > 0 {
            let shares = stable.choices().len();
            assert_eq!(route.backends.all().len(), shares, "{name}: {route}");
        }
    }

    /// No version is blamed for what it is not, or for less than three mishaps.
    fn is_true(&self, cause: &Cause) {
        let nature = |content: &Content| self.world.natures[&content.digest()];
        match cause {
            Cause::Refused { content, .. } => assert_eq!(nature(content), Nature::Unverifiable),
            Cause::Golden { content, .. } => assert_eq!(nature(content), Nature::FailsGolden),
            Cause::Starts { content, .. } => {
                let dies = [Nature::DiesAtOnce, Nature::NeverAnswers];
                // A coprocessor's death is told of the model that it stands beside.
                let alone = !dies
                    .iter()
                    .any(|bad| self.world.natures.values().any(|one| one == bad));
                let innocent = alone && self.mishaps < 3;
                assert!(!innocent, "{content} is blamed");
            }
            Cause::Analysis { .. } => {
                let mut all = self.world.natures.values();
                assert!(all.any(|one| *one == Nature::BadNumbers));
            }
            Cause::Unclear { .. } => panic!("every measurement says something"),
        }
    }
}

pub(crate) fn measures(step: &Step) -> bool {
    matches!(step, Step::Measure { .. })
}

/// Whether nothing but a measurement is taken in.
fn counts(step: &Step) -> bool {
    let Step::Remember {
        progress, events, ..
    } = step
    else {
        return false;
    };
    let rollout = progress.rollout.as_ref();
    events.is_empty() && rollout.is_some_and(|rollout| !rollout.tallies.is_empty())
}

/// Whether what is left is to measure on, for as long as a person takes to decide.
pub(crate) fn for_ever(plan: &Plan) -> bool {
    let timed = plan.waits.iter().filter(|wait| wait.until.is_some());
    let measures_on = |wait: &Wait| {
        let of = |other: &&Wait| other.deployment == wait.deployment;
        let mut same = plan.waits.iter().filter(of);
        matches!(wait.why, Why::Analysis(..)) && same.any(|other| for_a_person(&other.why))
    };
    let asks = |step: &Step| {
        let of = |wait: &&Wait| wait.deployment == *step.deployment();
        let mut same = plan.waits.iter().filter(of);
        measures(step) && same.any(|wait| for_a_person(&wait.why))
    };
    plan.steps.iter().all(asks) && timed.into_iter().all(measures_on)
}

fn for_a_person(why: &Why) -> bool {
    matches!(
        why,
        Why::Approval(_)
            | Why::Paused(_)
            | Why::Held(_)
            | Why::UnknownYard(_)
            | Why::EmptyYard
            | Why::PathTaken(..)
            | Why::NoDependency(_)
            | Why::Cycle(_)
    )
}
