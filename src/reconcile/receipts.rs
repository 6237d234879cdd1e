//! Receipts of what serves: kept in git whenever that changes, and pushed when the remote has time.
//!
//! Each is written at once into the yard's own repository, in a task beside the passes: neither
//! git nor a remote that is away holds a rollout up. What could not be pushed is pushed later, also
//! by the next server. What serves already is told once: a server that takes over from another
//! begins with the last receipt.
//!
//! Where nothing answers for a moment, as while a server is replaced, that is no change; where it
//! lasts, it is one.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::pass::Report;
use super::status::RolloutStatus;
use crate::ops::receipt::{Receipt, Serving, Share, Step};
use crate::platform::redact::printable;
use crate::record::{Failure, Name, with_causes};
use crate::rollout::{State, Table};
use crate::yard::{Yard, blocking};

/// How long nothing has to answer until that is told.
const INTERRUPTION: SignedDuration = SignedDuration::from_secs(10);
/// How many of the things that happened are told of a deployment.
const MOST_EVENTS: usize = 16;
/// How many receipts wait at most where git can't be written; the oldest are given up then.
const MOST_WAITING: usize = 1_000;
/// How soon a push that failed is tried again, and after how long at most.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// How long a server that ends waits for its last push.
const LAST_PUSH: Duration = Duration::from_secs(5);

/// Notices when what serves changes, and has it kept.
#[derive(Debug)]
pub struct Receipts {
    environment: Name,
    /// The routes that were in force last.
    routes: Table,
    /// What the last receipt has.
    serving: BTreeMap<Name, Serving>,
    /// What happened to a deployment since.
    events: BTreeMap<Name, Vec<String>>,
    /// What was measured last.
    measured: BTreeMap<Name, BTreeMap<Name, String>>,
    /// Since when nothing answers for a deployment that did.
    silent: BTreeMap<Name, Timestamp>,
    keep: mpsc::UnboundedSender<Receipt>,
    kept: JoinHandle<()>,
}

impl Receipts {
    /// Begins with the last receipt of `environment` that `yard` has.
    ///
    /// # Errors
    /// If git can't be read.
    pub async fn begin(yard: &Yard, environment: &Name) -> Result<Self, Failure> {
        let (from, name) = (yard.clone(), environment.clone());
        let last = blocking(move || -> Result<Option<Receipt>, Failure> {
            let mut last = None;
            from.receipts(&name, |receipt| {
                last = Receipt::read(&receipt.bytes);
                ControlFlow::Break(())
            })?;
            Ok(last)
        });
        let last = last.await?;
        let (keep, given) = mpsc::unbounded_channel();
        let keeper = Keeper {
            yard: yard.clone(),
            environment: environment.clone(),
            waiting: VecDeque::new(),
            is_pushed: false,
            wait: WAITS.0,
        };
        Ok(Self {
            environment: environment.clone(),
            routes: Table::new(),
            serving: last.map(|last| last.deployments).unwrap_or_default(),
            events: BTreeMap::new(),
            measured: BTreeMap::new(),
            silent: BTreeMap::new(),
            keep,
            kept: tokio::spawn(keeper.keep(given)),
        })
    }

    /// Takes in what a pass came to.
    pub fn passed(&mut self, report: &Report, state: &State) {
        for (deployment, event) in report.events() {
            let events = self.events.entry(deployment.clone()).or_default();
            events.push(event.to_string());
            let excess = events.len().saturating_sub(MOST_EVENTS);
            events.drain(..excess);
        }
        if report.routes != self.routes || !self.silent.is_empty() {
            self.routes.clone_from(&report.routes);
            if self.look(report, state) {
                self.tell(report.at);
            }
        }
        for (name, progress) in &state.deployments {
            match RolloutStatus::of(progress) {
                Some(rollout) if !rollout.analyses.is_empty() => {
                    self.measured.insert(name.clone(), rollout.analyses);
                }
                Some(_) => {}
                None => {
                    self.measured.remove(name);
                }
            }
        }
    }

    /// Notes what the routes in force serve; tells whether that is something else than before.
    fn look(&mut self, report: &Report, state: &State) -> bool {
        let mut is_changed = false;
        for (name, route) in &report.routes {
            let progress = state.deployments.get(name);
            let shares = Share::of(&route.backends);
            if shares.is_empty() {
                // What was scaled to nothing serves at the first request.
                let is_idle = progress.is_some_and(|progress| {
                    progress.stable.is_some() && progress.wanted.replicas.min == 0
                });
                is_changed |= !is_idle && self.ends(name, report.at);
                continue;
            }
            self.silent.remove(name);
            let known = self.serving.get(name);
            if known.is_some_and(|known| known.shares == shares) {
                continue;
            }
            let step = progress.and_then(|progress| RolloutStatus::of(progress));
            let serving = Serving {
                since: report.at,
                commit: report.commit.clone(),
                shares,
                because: self.events.remove(name).unwrap_or_default(),
                step: step.map(|rollout| Step {
                    number: rollout.step,
                    of: rollout.steps,
                    to: rollout.to,
                }),
                measured: self.measured.remove(name).unwrap_or_default(),
            };
            self.serving.insert(name.clone(), serving);
            is_changed = true;
        }
        let gone = self.serving.keys();
        let gone = gone.filter(|name| !report.routes.contains_key(*name));
        for name in gone.cloned().collect::<Vec<_>>() {
            is_changed |= self.ends(&name, report.at);
        }
        is_changed
    }

    /// Tells that nothing serves any more from `at` on, if that is said, and waits until what is
    /// known is kept, and for a moment until it is pushed.
    pub async fn end(mut self, at: Option<Timestamp>) {
        if let Some(at) = at.filter(|_| !self.serving.is_empty()) {
            self.serving.clear();
            self.tell(at);
        }
        drop(self.keep);
        match timeout(LAST_PUSH, self.kept).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "what served last could not be kept"),
            Err(_) => tracing::warn!("the remote is slow: the next server pushes what served"),
        }
    }

    /// Forgets a deployment for which nothing answers for long enough; tells whether it did.
    fn ends(&mut self, name: &Name, now: Timestamp) -> bool {
        if !self.serving.contains_key(name) {
            return false;
        }
        let since = *self.silent.entry(name.clone()).or_insert(now);
        let is_over = now.duration_since(since) >= INTERRUPTION;
        if is_over {
            self.serving.remove(name);
            self.silent.remove(name);
        }
        is_over
    }

    fn tell(&self, at: Timestamp) {
        let receipt = Receipt {
            environment: self.environment.clone(),
            at,
            deployments: self.serving.clone(),
        };
        if self.keep.send(receipt).is_err() {
            tracing::warn!("what serves can't be kept any more");
        }
    }
}

/// Keeps what it is given, one after the other.
struct Keeper {
    yard: Yard,
    environment: Name,
    waiting: VecDeque<Receipt>,
    is_pushed: bool,
    wait: Duration,
}

impl Keeper {
    async fn keep(mut self, mut given: mpsc::UnboundedReceiver<Receipt>) {
        let mut again = Instant::now();
        loop {
            let is_due = !self.is_pushed || !self.waiting.is_empty();
            tokio::select! {
                biased;
                next = given.recv() => match next {
                    Some(receipt) => {
                        self.waiting.push_back(receipt);
                        while let Ok(receipt) = given.try_recv() {
                            self.waiting.push_back(receipt);
                        }
                        let excess = self.waiting.len().saturating_sub(MOST_WAITING);
                        if excess > 0 {
                            tracing::warn!(excess, "receipts of what served are given up: git can't be written");
                            self.waiting.drain(..excess);
                        }
                    }
                    None => break,
                },
                () = sleep_until(again), if is_due => {}
            }
            match self.work().await {
                Ok(()) => self.wait = WAITS.0,
                Err(error) => {
                    let error = with_causes(&*error);
                    tracing::warn!(%error, "what serves is not on the remote yet");
                    again = Instant::now() + self.wait;
                    self.wait = (self.wait * 2).min(WAITS.1);
                }
            }
        }
        if (!self.is_pushed || !self.waiting.is_empty())
            && let Err(error) = self.work().await
        {
            let error = with_causes(&*error);
            tracing::warn!(%error, "the next server pushes what served");
        }
    }

    /// Writes what waits, and pushes what was written.
    async fn work(&mut self) -> Result<(), Failure> {
        while let Some(receipt) = self.waiting.front().cloned() {
            self.is_pushed = false;
            let (yard, environment) = (self.yard.clone(), self.environment.clone());
            blocking(move || {
                yard.add_receipt(
                    &environment,
                    &message(&receipt),
                    &receipt.write(),
                    receipt.at,
                )
            })
            .await?;
            self.waiting.pop_front();
        }
        if !self.is_pushed {
            let (yard, environment) = (self.yard.clone(), self.environment.clone());
            blocking(move || yard.push_receipts(&environment)).await?;
            self.is_pushed = true;
        }
        Ok(())
    }
}

/// What changed, for `git log`.
fn message(receipt: &Receipt) -> String {
    let Receipt {
        environment,
        at,
        deployments,
    } = receipt;
    let mut changed = deployments
        .iter()
        .filter(|(_, serving)| serving.since == *at)
        .peekable();
    if changed.peek().is_none() {
        let mut left: Vec<&str> = deployments.keys().map(Name::as_str).collect();
        if left.is_empty() {
            left.push("nothing");
        }
        return format!("{environment}: {} left", left.join(", "));
    }
    let (mut title, mut body) = (Vec::new(), String::new());
    for (name, serving) in changed {
        let shares: Vec<String> = serving.shares.iter().map(Share::to_string).collect();
        title.push(format!("{name}: {}", shares.join(", ")));
        for event in &serving.because {
            body += &format!("{name}: {}\n", printable(event));
        }
        if let Some(commit) = &serving.commit {
            body += &format!("main: {commit}\n");
        }
    }
    format!("{environment}/{}\n\n{body}", title.join("; "))
}

#[cfg(test)]
mod tests {
    //! When a receipt is written, and when none is.

    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::rollout::Desired;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// One who notices, and what is to be kept.
    fn noticing() -> (Receipts, mpsc::UnboundedReceiver<Receipt>) {
        let (keep, given) = mpsc::unbounded_channel();
        let receipts = Receipts {
            environment: "host".parse().unwrap(),
            routes: Table::new(),
            serving: BTreeMap::new(),
            events: BTreeMap::new(),
            measured: BTreeMap::new(),
            silent: BTreeMap::new(),
            keep,
            kept: tokio::spawn(async {}),
        };
        (receipts, given)
    }

    /// A pass at a second after which versions of `digits` have these weights.
    fn pass(receipts: &mut Receipts, second: i64, weights: &[(&str, u8)]) {
        let backends = weights
            .iter()
            .enumerate()
            .map(|(number, (version, weight))| {
                json!({
                    "content": {"model": {
                        "model": "vision/digits",
                        "version": version,
                        "digest": format!("sha256:{}", "a".repeat(64)),
                    }},
                    "revision": format!("sha256:{number:064x}"),
                    "weight": weight,
                    "instances": [{"deployment": "digits", "number": number + 1}],
                })
            });
        let none: [u8; 0] = [];
        let routes = json!({"digits": {
            "path": null, "sticky": null, "preview": none, "mirror": none,
            "backends": backends.collect::<Vec<_>>(),
        }});
        let why = String::new();
        let mut report = Report::of(at(second), Arc::new(Desired::Unknown { why }));
        report.routes = serde_json::from_value(routes).unwrap();
        receipts.passed(&report, &State::default());
    }

    /// What is to be kept since this was last asked: from when, and who gets how much.
    fn told(given: &mut mpsc::UnboundedReceiver<Receipt>) -> Vec<(i64, String)> {
        let mut told = Vec::new();
        while let Ok(receipt) = given.try_recv() {
            let serving = receipt.deployments.values().flat_map(|one| &one.shares);
            let shares: Vec<String> = serving.map(Share::to_string).collect();
            told.push((receipt.at.as_second(), shares.join(", ")));
        }
        told
    }

    #[tokio::test]
    async fn a_receipt_is_written_when_who_answers_changes() {
        let (mut receipts, mut given) = noticing();
        pass(&mut receipts, 1, &[]);
        assert_eq!(told(&mut given), []);
        pass(&mut receipts, 2, &[("1.0.0", 100)]);
        pass(&mut receipts, 3, &[("1.0.0", 100)]);
        assert_eq!(told(&mut given), [(2, "vision/digits 1.0.0".to_owned())]);
        // A restart has two revisions of one version for a while.
        pass(&mut receipts, 4, &[("1.0.0", 60), ("1.0.0", 40)]);
        assert_eq!(told(&mut given), []);
        pass(&mut receipts, 5, &[("1.1.0", 40), ("1.0.0", 60)]);
        let shares = "vision/digits 1.0.0 60 %, vision/digits 1.1.0 40 %".to_owned();
        assert_eq!(told(&mut given), [(5, shares)]);
    }

    #[tokio::test]
    async fn an_interruption_is_told_if_it_lasts() {
        let (mut receipts, mut given) = noticing();
        pass(&mut receipts, 0, &[("1.0.0", 100)]);
        pass(&mut receipts, 20, &[]);
        pass(&mut receipts, 29, &[]);
        pass(&mut receipts, 30, &[("1.0.0", 100)]);
        pass(&mut receipts, 31, &[]);
        pass(&mut receipts, 40, &[]);
        assert_eq!(told(&mut given).len(), 1, "only the beginning");
        pass(&mut receipts, 41, &[]);
        assert_eq!(told(&mut given), [(41, String::new())]);
        receipts.end(Some(at(50))).await;
        assert_eq!(told(&mut given), [], "it was told already");
    }
}
