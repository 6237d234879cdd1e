//! What a merge does in environments: foretold from the records, as if what they said before served.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::difference::{Difference, differences};
use super::fate::Fate;
use super::limits;
use crate::ops::resolve::Resolution;
use crate::ops::shelf::readable;
use crate::record::kind::{
    Approvals, DeploymentSpec, EnvironmentSpec, PlanMismatch, Span, StrategyType, Target,
};
use crate::record::{Digest, Failure, Name};
use crate::rollout::{
    Choice, Desired, Environment, Intended, Intent, Leg, PoolForecast, Run, Side, Wanted, Wish,
    course,
};
use crate::yard::Catalog;

/// What a deployment's record says that is told in another way than as a difference.
const TOLD_APART: [&str; 3] = ["model", "version", "split"];

/// What becomes of an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentPlan {
    /// The environment.
    pub environment: Name,
    /// The kind of place; nothing where its record can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What becomes of its record; nothing where it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<Fate>,
    /// What its record says of it.
    pub metadata: Vec<Difference>,
    /// Who has to approve a change of what runs here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approvals: Option<Approvals>,
    /// What is done if something else than this would come of the merge.
    pub plan_mismatch: PlanMismatch,
    /// Its deployments that change.
    pub deployments: Vec<DeploymentPlan>,
    /// What the pools of those give.
    pub pools: Vec<PoolForecast>,
    /// What can't be done here, and why.
    pub cannot: Vec<String>,
    /// Why nobody knows what should be here, if so: then what runs stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

/// What becomes of a deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentPlan {
    /// The deployment.
    pub deployment: Name,
    /// What becomes of it.
    pub becomes: Becomes,
    /// What serves before.
    pub from: Vec<Serving>,
    /// What serves behind.
    pub to: Vec<Serving>,
    /// How that takes over; nothing where it is new, or only shares change, at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<StrategyType>,
    /// The rollout's legs; none where nothing takes over.
    pub course: Vec<Leg>,
    /// What is measured in them.
    pub analyses: Vec<String>,
    /// What gets no requests any more, may finish those that it has, and ends.
    pub drained: Vec<String>,
    /// How long it may take to finish them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_timeout: Option<Span>,
    /// What its record says else.
    pub settings: Vec<Difference>,
    /// What to know.
    pub notes: Vec<String>,
}

/// What becomes of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Becomes {
    /// It is new.
    Appears,
    /// Something else takes over.
    Changes,
    /// The same serves, by other settings.
    Adjusts,
    /// It leaves: it is drained and removed.
    Leaves,
    /// What is wanted can't be done, and what runs stays.
    Held,
    /// It is suspended, and nothing moves.
    Suspended,
    /// It would be the last to leave its environment, and stays until a person says that this is
    /// meant.
    Stays,
}

/// Something that serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Serving {
    /// What: `vision/digits 1.0.0`.
    pub what: String,
    /// Its bytes.
    pub digest: Digest,
    /// Its weight among the others.
    pub weight: u32,
}

/// One state of a yard, and what should be by it.
pub(super) struct State<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) resolved: &'a BTreeMap<Name, Resolution>,
}

/// What becomes of the environments in which something changes.
///
/// # Errors
/// If git or the disk can't be read.
pub(super) fn plans(
    base: &State<'_>,
    head: &State<'_>,
    differing: &[(String, Fate)],
    intents: &[Intent],
) -> Result<(Vec<EnvironmentPlan>, Vec<String>), Failure> {
    let mut unreadable = Vec::new();
    let mut names: BTreeSet<Name> = intents.iter().map(|one| one.environment.clone()).collect();
    let mut records: BTreeMap<Name, Fate> = BTreeMap::new();
    let mut touched: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
    for (path, fate) in differing {
        let parts: Vec<&str> = path.split('/').collect();
        let name = |file: &str| -> Option<Name> { file.strip_suffix(".yaml")?.parse().ok() };
        match parts.as_slice() {
            ["environments", file] => records.extend(name(file).map(|name| (name, *fate))),
            ["deployments", environment, file] => {
                if let (Ok(environment), Some(name)) = (environment.parse(), name(file)) {
                    touched.entry(environment).or_default().insert(name);
                }
            }
            _ => {}
        }
    }
    names.extend(records.keys().chain(touched.keys()).cloned());
    let mut plans = Vec::new();
    for name in names {
        let spec = |state: &State<'_>, unreadable: &mut Vec<String>| {
            let record = readable(state.catalog.environment(&name), unreadable)?.flatten();
            Ok::<_, Failure>(record.map(|record| record.spec))
        };
        let old = spec(base, &mut unreadable)?;
        let new = spec(head, &mut unreadable)?;
        let mine = intents.iter().filter(|one| one.environment == name);
        let mut place = Place {
            name: &name,
            base,
            head,
            old: known(base, &name),
            new: known(head, &name),
            target: new.as_ref().map(|spec| &spec.target),
            unreadable: &mut unreadable,
        };
        let others = touched.remove(&name).unwrap_or_default();
        let deployments = place.deployments(mine, others)?;
        plans.push(EnvironmentPlan {
            target: new.as_ref().map(|spec| target(&spec.target)),
            is: records.get(&name).copied(),
            metadata: differences(old.as_ref(), new.as_ref(), &[]),
            approvals: new.as_ref().and_then(|spec| spec.approvals.clone()),
            plan_mismatch: old
                .as_ref()
                .or(new.as_ref())
                .map_or(PlanMismatch::Refuse, EnvironmentSpec::plan_mismatch),
            cannot: limits::cannot(place.target, place.old, place.new, &deployments),
            pools: place.pools(),
            deployments,
            unknown: match head.resolved.get(&name).map(|one| &*one.desired) {
                Some(Desired::Unknown { why }) => Some(why.clone()),
                Some(Desired::Known(_)) => None,
                None => Some("its record is gone".to_owned()),
            },
            environment: name,
        });
    }
    Ok((plans, unreadable))
}

fn known<'a>(state: &State<'a>, name: &Name) -> Option<&'a Environment> {
    match &*state.resolved.get(name)?.desired {
        Desired::Known(known) => Some(known),
        Desired::Unknown { .. } => None,
    }
}

pub(super) fn target(target: &Target) -> String {
    let name = match target {
        Target::Process {} => "process",
        Target::Container {} => "container",
        Target::Kubernetes { .. } => "kubernetes",
        Target::Edge {} => "edge",
    };
    name.to_owned()
}

/// One environment before and behind.
struct Place<'a> {
    name: &'a Name,
    base: &'a State<'a>,
    head: &'a State<'a>,
    old: Option<&'a Environment>,
    new: Option<&'a Environment>,
    target: Option<&'a Target>,
    unreadable: &'a mut Vec<String>,
}

impl Place<'_> {
    fn deployments<'i>(
        &mut self,
        intents: impl Iterator<Item = &'i Intent>,
        mut others: BTreeSet<Name>,
    ) -> Result<Vec<DeploymentPlan>, Failure> {
        let mut plans = Vec::new();
        for intent in intents {
            others.remove(&intent.deployment);
            let settings = self.settings(&intent.deployment)?;
            let plan = self.deployment(intent);
            plans.push(DeploymentPlan { settings, ..plan });
        }
        // Records that say the same in other words, or something that changes nothing that runs.
        for name in others {
            let settings = self.settings(&name)?;
            let run = self.new.and_then(|new| run(new, &name));
            if !settings.is_empty() {
                let serves = run.map(|run| serving(&run.side)).unwrap_or_default();
                plans.push(DeploymentPlan {
                    from: serves.clone(),
                    to: serves,
                    settings,
                    ..DeploymentPlan::of(&name, Becomes::Adjusts)
                });
            }
        }
        plans.sort_by(|one, other| one.deployment.cmp(&other.deployment));
        Ok(plans)
    }

    /// What else the record of a deployment that stays says.
    fn settings(&mut self, deployment: &Name) -> Result<Vec<Difference>, Failure> {
        let mut spec = |state: &State<'_>| {
            let record = state.catalog.deployment(self.name, deployment);
            let record = readable(record, self.unreadable)?.flatten();
            Ok::<_, Failure>(record.map(|record| record.spec))
        };
        let (old, new): (Option<DeploymentSpec>, Option<DeploymentSpec>) =
            (spec(self.base)?, spec(self.head)?);
        Ok(match (&old, &new) {
            (Some(_), Some(_)) => differences(old.as_ref(), new.as_ref(), &TOLD_APART),
            _ => Vec::new(),
        })
    }

    fn deployment(&self, intent: &Intent) -> DeploymentPlan {
        let name = &intent.deployment;
        let old = self.old.and_then(|old| run(old, name));
        let new = self.new.and_then(|new| run(new, name));
        let from = old.map(|old| serving(&old.side)).unwrap_or_default();
        let to = new.map(|new| serving(&new.side)).unwrap_or_default();
        let plan = |becomes: Becomes| DeploymentPlan {
            from: from.clone(),
            to: to.clone(),
            ..DeploymentPlan::of(name, becomes)
        };
        match (&intent.to, new) {
            (None, _) => self.leaving(plan(Becomes::Leaves), old),
            (Some(Intended::Held), _) => DeploymentPlan {
                notes: self.held(name).into_iter().collect(),
                ..plan(Becomes::Held)
            },
            (Some(Intended::Run(run)), Some(new)) => {
                let stable = old.map(|old| &old.side);
                let becomes = match (new.suspend, stable) {
                    (true, _) => Becomes::Suspended,
                    (_, None) => Becomes::Appears,
                    (_, Some(stable)) if stable.same(&new.side) => Becomes::Adjusts,
                    _ => Becomes::Changes,
                };
                let moves = matches!(becomes, Becomes::Appears | Becomes::Changes);
                let gone = new.side.choices();
                let gone = |one: &&std::sync::Arc<Choice>| {
                    !gone.iter().any(|new| new.revision() == one.revision())
                };
                let drained = stable.into_iter().flat_map(Side::choices).filter(gone);
                let drained: Vec<String> = match moves {
                    true => drained.map(|one| one.content().to_string()).collect(),
                    false => Vec::new(),
                };
                let course = course(new, stable);
                DeploymentPlan {
                    strategy: (becomes == Becomes::Changes && !course.is_empty())
                        .then_some(new.strategy.strategy_type),
                    course,
                    analyses: match moves {
                        true => run.analyses.iter().map(analysis).collect(),
                        false => Vec::new(),
                    },
                    drain_timeout: (!drained.is_empty()).then_some(new.drain_timeout),
                    drained,
                    notes: notes(
                        old,
                        run,
                        stable.is_some_and(|old| same_bytes(old, &new.side)),
                    ),
                    ..plan(becomes)
                }
            }
            (Some(Intended::Run(_)), None) => plan(Becomes::Held),
        }
    }

    fn leaving(&self, plan: DeploymentPlan, old: Option<&Wanted>) -> DeploymentPlan {
        let is_last = self.new.is_some_and(|new| new.deployments.is_empty());
        if is_last {
            let note = "the environment would have no deployments any more: what runs stays until \
                a person says `--accept-empty` there";
            return DeploymentPlan {
                becomes: Becomes::Stays,
                notes: vec![note.to_owned()],
                ..plan
            };
        }
        DeploymentPlan {
            drained: plan.from.iter().map(|one| one.what.clone()).collect(),
            drain_timeout: old.map(|old| old.drain_timeout),
            ..plan
        }
    }

    /// Why a deployment can't be done.
    fn held(&self, name: &Name) -> Option<String> {
        match self.new?.deployments.get(name)? {
            Wish::Held { why } => Some(why.clone()),
            Wish::Run(_) => None,
        }
    }

    /// The pools of which something is taken, or that change.
    fn pools(&self) -> Vec<PoolForecast> {
        self.new
            .map(|new| limits::taken(self.old, new))
            .unwrap_or_default()
    }
}

impl DeploymentPlan {
    fn of(deployment: &Name, becomes: Becomes) -> Self {
        Self {
            deployment: deployment.clone(),
            becomes,
            from: Vec::new(),
            to: Vec::new(),
            strategy: None,
            course: Vec::new(),
            analyses: Vec::new(),
            drained: Vec::new(),
            drain_timeout: None,
            settings: Vec::new(),
            notes: Vec::new(),
        }
    }
}

pub(super) fn run<'a>(environment: &'a Environment, name: &Name) -> Option<&'a Wanted> {
    match environment.deployments.get(name)? {
        Wish::Run(wanted) => Some(wanted),
        Wish::Held { .. } => None,
    }
}

fn serving(side: &Side) -> Vec<Serving> {
    let one = |choice: &std::sync::Arc<Choice>| Serving {
        what: choice.content().to_string(),
        digest: choice.content().digest(),
        weight: choice.weight(),
    };
    side.choices().iter().map(one).collect()
}

fn same_bytes(old: &Side, new: &Side) -> bool {
    let bytes = |side: &Side| -> BTreeSet<Digest> { side.digests().collect() };
    bytes(old) == bytes(new)
}

fn notes(old: Option<&Wanted>, run: &Run, same_bytes: bool) -> Vec<String> {
    let mut notes = Vec::new();
    let was_suspended = old.is_some_and(|old| old.suspend);
    if run.suspend {
        notes.push("suspended: nothing moves until it is resumed".to_owned());
    } else if was_suspended {
        notes.push("resumed: what main said meanwhile is done now".to_owned());
    }
    if same_bytes
        && !run.suspend
        && old.is_some_and(|old| old.side.choices().len() == run.serves.len())
    {
        let revisions = old.map(|old| old.side.choices()).unwrap_or_default();
        let same = revisions.iter().all(|old| {
            let mut new = run.serves.iter();
            new.any(|new| new.revision == old.revision())
        });
        if !same {
            notes.push("the same bytes are started anew".to_owned());
        }
    }
    if let Some(word) = &run.word
        && old.is_none_or(|old| old.word.as_ref() != Some(word))
    {
        notes.push(format!("a person's word on the rollout: {}", word.action));
    }
    if !run.rollback.auto {
        notes.push("what fails is not rolled back by itself".to_owned());
    }
    notes
}

/// `errors: error_rate of the gateway, below 0.01, every 30s`.
fn analysis(analysis: &crate::rollout::Analysis) -> String {
    use crate::rollout::Source;
    let source = match &analysis.source {
        Source::Gateway { metric } => format!("{metric} of the gateway"),
        Source::Golden { .. } => "the share of golden tests that pass".to_owned(),
        Source::Http { .. } => "a number over HTTP".to_owned(),
        Source::Command { .. } => "a number that a program prints".to_owned(),
        Source::Prometheus { .. } => "a query to Prometheus".to_owned(),
    };
    let mut text = format!("{}: {source}", analysis.name);
    let bounds = [("below", analysis.below), ("at least", analysis.at_least)];
    for (word, bound) in bounds {
        if let Some(bound) = bound {
            text += &format!(", {word} {bound}");
        }
    }
    text + &format!(", every {}", analysis.interval)
}
