//! One pass: what is and what should be are brought before the planner, and what it says is done.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::backoff::{Backoff, Effort};
use super::edges::{Edges, Said, Wanted};
use super::foreseen::Judgements;
use crate::record::kind::RolloutWord;
use crate::record::{Digest, Failure, Fault, Name};
use crate::rollout::{
    Change, Desired, Event, Instance, InstanceId, Observed, Plan, State, Step, Table, Wait, plan,
};
use crate::target::{Endpoint, Order, Running};

/// Makes an environment what main says, one pass after the other.
pub struct Reconciler {
    edges: Edges,
    state: State,
    /// What is known is not stored yet.
    unsaved: bool,
    commit: Option<String>,
    backoff: Backoff,
}

/// What a pass would do.
#[derive(Debug)]
pub struct Preview {
    /// What it would come to.
    pub plan: Plan,
    /// Why main could not be read, if so: the plan is of what was known of it before.
    pub behind: Option<String>,
}

/// What came of a pass.
#[derive(Debug)]
pub struct Report {
    /// When it was.
    pub at: Timestamp,
    /// The commit that says what should be.
    pub commit: Option<String>,
    /// Why nothing newer is known of main, if so.
    pub behind: Option<String>,
    /// What is to be known of changes that are not as they were shown.
    pub judgements: Judgements,
    /// The digest of where the plan led.
    pub hash: Option<Digest>,
    /// Where it leads.
    pub changes: Vec<Change>,
    /// What was done, in order.
    pub done: Vec<Step>,
    /// Why there is no more to do.
    pub waits: Vec<Wait>,
    /// What is to be, as far as it is known.
    pub desired: Arc<Desired>,
    /// What was seen to run.
    pub instances: Vec<Instance>,
    /// The routes that are in force now.
    pub routes: Table,
    /// What failed.
    pub troubles: Vec<Trouble>,
    /// When to look again at the latest, if time alone ends a wait.
    pub next_look: Option<Timestamp>,
    /// When what failed is tried again.
    pub retry_at: Option<Timestamp>,
}

/// Something that failed.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// Of which deployment; of all of them where none is said.
    pub deployment: Option<Name>,
    /// What was tried.
    pub tried: String,
    /// Why it failed.
    pub failure: Arc<dyn Fault>,
}

impl fmt::Display for Trouble {
    /// One line: `can't fetch vision/digits 1.0.0: …`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "can't {}: {}", self.tried, self.failure)
    }
}

impl Report {
    /// Of a pass that has come to nothing yet.
    pub(super) fn of(at: Timestamp, desired: Arc<Desired>) -> Self {
        Self {
            at,
            commit: None,
            behind: None,
            judgements: Judgements::default(),
            hash: None,
            changes: Vec::new(),
            done: Vec::new(),
            waits: Vec::new(),
            desired,
            instances: Vec::new(),
            routes: Table::new(),
            troubles: Vec::new(),
            next_look: None,
            retry_at: None,
        }
    }

    /// Whether nothing was done and nothing failed.
    pub fn is_quiet(&self) -> bool {
        self.done.is_empty() && self.troubles.is_empty()
    }

    /// What happened, each thing once.
    pub fn events(&self) -> impl Iterator<Item = (&Name, &Event)> {
        self.done.iter().flat_map(|step| {
            let events: &[Event] = match step {
                Step::Remember { events, .. } => events,
                _ => &[],
            };
            events.iter().map(|event| (step.deployment(), event))
        })
    }
}

impl Reconciler {
    /// Begins from what was remembered.
    ///
    /// # Errors
    /// If that can't be read: to begin anew in silence would try again what has failed before.
    pub async fn new(edges: Edges) -> Result<Self, Failure> {
        let state = edges.memory.read().await?;
        Ok(Self {
            edges,
            state,
            unsaved: false,
            commit: None,
            backoff: Backoff::default(),
        })
    }

    /// What is remembered.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes in a person's word that is given on this host; it holds until main says otherwise.
    /// Returns whether there is such a deployment.
    pub async fn hear(&mut self, deployment: &Name, word: RolloutWord) -> bool {
        let heard = self.state.hear(deployment, word);
        if heard && self.edges.memory.write(&self.state).await.is_err() {
            // The next pass tries again, and tells.
            self.unsaved = true;
        }
        heard
    }

    /// One pass.
    pub async fn pass(&mut self) -> Report {
        let now = self.edges.clock.now();
        let Said {
            desired,
            commit,
            behind,
            judgements,
        } = self.edges.main.read().await;
        let mut report = Report::of(now, Arc::clone(&desired));
        if commit != self.commit {
            self.commit.clone_from(&commit);
            self.backoff.clear();
        }
        report.commit = commit;
        report.behind = behind;
        report.judgements = judgements;
        if self.unsaved {
            self.save(None, &mut report).await;
        }
        let (observed, endpoints) = match self.observe().await {
            Ok(seen) => seen,
            Err(failure) => {
                // Nobody knows what runs, and nothing may be concluded from that.
                report.troubles.push(Trouble {
                    deployment: None,
                    tried: "look at what runs".to_owned(),
                    failure: failure.into(),
                });
                return report;
            }
        };
        let evidence = self.edges.gauge.taken().await;
        let plan = plan(&desired, &observed, &evidence, now);
        report.hash = Some(plan.hash());
        report.next_look = plan.next_look();
        report.waits = plan.waits;
        report.changes = plan.changes;
        report.instances = observed.instances;
        report.routes = observed.routes;
        self.apply(plan.steps, &endpoints, &mut report).await;
        self.clear_away(&mut report).await;
        self.backoff.forget_past(now);
        report.retry_at = self.backoff.next();
        report
    }

    /// What would be done now, without doing it.
    ///
    /// # Errors
    /// If nobody can tell what runs.
    pub async fn preview(&self) -> Result<Preview, Failure> {
        let said = self.edges.main.read().await;
        let (observed, _) = self.observe().await?;
        let evidence = self.edges.gauge.taken().await;
        let now = self.edges.clock.now();
        let plan = plan(&said.desired, &observed, &evidence, now);
        let behind = match &*said.desired {
            Desired::Unknown { why } => Some(why.clone()),
            Desired::Known(_) => said.behind,
        };
        Ok(Preview { plan, behind })
    }

    async fn observe(&self) -> Result<(Observed, BTreeMap<InstanceId, Endpoint>), Failure> {
        let running = self.edges.target.observe().await?;
        let in_flight = self.edges.front.in_flight().await;
        let mut endpoints = BTreeMap::new();
        let mut instances = Vec::with_capacity(running.len());
        for one in running {
            let Running {
                id,
                choice,
                part,
                phase,
                since,
                golden,
                drift,
                endpoint,
            } = one;
            if let Some(endpoint) = endpoint {
                endpoints.insert(id.clone(), endpoint);
            }
            instances.push(Instance {
                in_flight: in_flight.get(&id).copied().unwrap_or(0),
                id,
                choice,
                part,
                phase,
                since,
                golden,
                drift,
            });
        }
        let observed = Observed {
            instances,
            artifacts: self.edges.bytes.observe().await?,
            routes: self.edges.front.routes().await,
            load: self.edges.front.load().await,
            state: self.state.clone(),
        };
        Ok((observed, endpoints))
    }

    /// Does the steps in their order. One that fails ends its deployment's pass.
    async fn apply(
        &mut self,
        steps: Vec<Step>,
        endpoints: &BTreeMap<InstanceId, Endpoint>,
        report: &mut Report,
    ) {
        let mut ended = BTreeSet::new();
        let steps = self.remember(steps, report).await;
        for step in steps {
            let deployment = step.deployment().clone();
            if ended.contains(&deployment) {
                continue;
            }
            let effort = Effort::of(&step);
            if effort.is_some_and(|effort| self.backoff.holds(&deployment, effort, report.at)) {
                // What stands behind it rests on its having been done.
                ended.insert(deployment);
                continue;
            }
            match self.act(&step, endpoints, report).await {
                Ok(()) => {
                    if let Some(effort) = effort {
                        self.backoff.worked(&deployment, effort);
                    }
                    report.done.push(step);
                }
                Err(failure) => {
                    if let Some(effort) = effort {
                        self.backoff.failed(&deployment, effort, report.at);
                    }
                    ended.insert(deployment.clone());
                    report.troubles.push(Trouble {
                        tried: step.to_string(),
                        deployment: Some(deployment),
                        failure: failure.into(),
                    });
                }
            }
        }
    }

    /// Takes in what is to be remembered before anything else is done, and stores it at once, for
    /// all deployments together. Returns the other steps.
    async fn remember(&mut self, steps: Vec<Step>, report: &mut Report) -> Vec<Step> {
        let mut others = Vec::with_capacity(steps.len());
        let mut begun: BTreeSet<Name> = BTreeSet::new();
        let before = report.done.len();
        for step in steps {
            let first = begun.insert(step.deployment().clone());
            match &step {
                Step::Remember {
                    deployment,
                    progress,
                    ..
                } if first => {
                    let known = &mut self.state.deployments;
                    known.insert(deployment.clone(), progress.clone());
                    report.done.push(step);
                }
                _ => others.push(step),
            }
        }
        if report.done.len() > before {
            self.save(None, report).await;
        }
        others
    }

    /// Removes the bytes that nothing needs any more, whenever it changed what serves.
    async fn clear_away(&mut self, report: &mut Report) {
        let settled = |event: &Event| matches!(event, Event::Settled(_));
        let pruned = |step: &Step| matches!(step, Step::Prune { .. });
        if !report.events().any(|(_, event)| settled(event)) && !report.done.iter().any(pruned) {
            return;
        }
        let mut kept = self.state.kept();
        let running = report.instances.iter().flat_map(|one| one.choice.units());
        kept.extend(running.map(|(_, unit)| unit.content.digest()));
        if let Err(failure) = self.edges.bytes.keep(&kept).await {
            report.troubles.push(Trouble {
                deployment: None,
                tried: "remove what nothing needs any more".to_owned(),
                failure: failure.into(),
            });
        }
    }

    async fn act(
        &mut self,
        step: &Step,
        endpoints: &BTreeMap<InstanceId, Endpoint>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let edges = self.edges.clone();
        match step {
            Step::Remember {
                deployment,
                progress,
                ..
            } => {
                let known = &mut self.state.deployments;
                known.insert(deployment.clone(), progress.clone());
                self.save(Some(deployment), report).await;
            }
            Step::Prune { deployment } => {
                self.state.deployments.remove(deployment);
                self.save(Some(deployment), report).await;
            }
            Step::SetRoute { deployment, route } => {
                let mine = route
                    .instances()
                    .filter_map(|id| Some((id.clone(), endpoints.get(id)?.clone())))
                    .collect();
                edges.front.set_route(deployment, route, &mine).await;
                report.routes.insert(deployment.clone(), route.clone());
            }
            Step::RemoveRoute { deployment } => {
                edges.front.remove_route(deployment).await;
                report.routes.remove(deployment);
            }
            Step::Fetch { content, .. } => edges.bytes.fetch(content).await?,
            Step::Verify { content, .. } => edges.bytes.verify(content).await?,
            Step::Start { id, choice, part } => {
                let Some(unit) = choice.unit(*part) else {
                    return Ok(());
                };
                // Taken away between the plan and now: the next pass fetches them again.
                let Some(files) = edges.bytes.files(&unit.content).await? else {
                    return Ok(());
                };
                let order = Order {
                    id: id.clone(),
                    choice: choice.clone(),
                    part: *part,
                    files,
                };
                edges.target.start(&order).await?;
            }
            Step::RunGoldenTests { id, content } => {
                let tests = edges.main.tests(content).await?;
                edges.target.test(id, &tests).await?;
            }
            Step::Measure {
                ask,
                analysis,
                candidate,
                stable,
                since,
            } => {
                let wanted = Wanted {
                    ask: ask.clone(),
                    analysis: (**analysis).clone(),
                    candidate: candidate.clone(),
                    stable: stable.clone(),
                    since: *since,
                };
                edges.gauge.begin(&wanted).await;
            }
            Step::Drain { id } => edges.target.drain(id).await?,
            Step::Stop { id, .. } => edges.target.stop(id).await?,
            Step::WriteRevert {
                deployment,
                failure,
                way,
            } => edges.scribe.revert(deployment, failure, *way).await?,
        }
        Ok(())
    }

    /// Stores what is known. Where that fails the pass goes on, for traffic has to be given back
    /// even when the disk is full.
    async fn save(&mut self, deployment: Option<&Name>, report: &mut Report) {
        let written = self.edges.memory.write(&self.state).await;
        self.unsaved = written.is_err();
        if let Err(failure) = written {
            report.troubles.push(Trouble {
                deployment: deployment.cloned(),
                tried: "store what is remembered".to_owned(),
                failure: failure.into(),
            });
        }
    }
}
