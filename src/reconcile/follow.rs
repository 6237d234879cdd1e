//! The loop around passes: main is looked at every so often, and a pass is made whenever something
//! may have changed.
//!
//! | what happens | then |
//! | --- | --- |
//! | a pass did something | the next one is made at once |
//! | something starts, is fetched, is drained | it is looked at again in a tenth of a second |
//! | nothing | every half second it is looked whether all that serves still does |
//! | a nudge, or main's turn | main is fetched beside the passes; when it is here, a pass is made |
//! | a person's word on this host | it is taken in, and a pass is made |
//! | requests wait where nothing runs | a pass is made |

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::branch::Branch;
use super::inbox::{Inbox, Message};
use super::pass::{Reconciler, Report};
use crate::platform::clock::Clock;
use crate::rollout::{State, Why};

/// How often it is looked whether there is something to do.
const TICK: Duration = Duration::from_millis(25);
/// How long the first pass waits for the first look at main.
const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(1);
/// When to look again at what is on its way.
const SOON: SignedDuration = SignedDuration::from_millis(100);
/// When to look again at what is as it should be.
const LATER: SignedDuration = SignedDuration::from_millis(500);

/// What the loop goes around.
pub struct Follower {
    /// Makes the passes.
    pub reconciler: Reconciler,
    /// What they follow.
    pub branch: Arc<Branch>,
    /// What is told on this host.
    pub inbox: Inbox,
    /// How often main is fetched.
    pub every: SignedDuration,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Who sees and hears what the loop does.
pub trait Watcher: Send {
    /// Whether something is asked for that nothing runs for.
    fn is_asked(&self) -> bool;

    /// A pass was made.
    fn passed(&mut self, report: &Report, state: &State);
}

impl Follower {
    /// Follows main until `stop` is done; a pass that was begun is ended first.
    pub async fn follow(&mut self, watcher: &mut dyn Watcher, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut look = Look::default();
        // What main says is known in a moment, mostly: until then nothing is moved.
        let mut due = self.clock.now().checked_add(FIRST_LOOK).ok();
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                _ = tick.tick() => {}
            }
            let now = self.clock.now();
            let mut is_due = is_past(due, now);
            let heard = self.hear().await;
            is_due |= !heard.is_empty();
            let asks = |message: &Message| matches!(message, Message::Nudge | Message::Plan(_));
            look.is_wanted |= heard.iter().any(asks);
            is_due |= look.has_ended();
            look.begin_if_due(&self.branch, self.every, now);
            if is_due || watcher.is_asked() {
                let report = self.reconciler.pass().await;
                watcher.passed(&report, self.reconciler.state());
                due = Some(next(&report));
            }
        }
        look.abandon();
    }

    /// Looks at main, and makes passes until nothing is left that is not a matter of time or of
    /// people.
    pub async fn settle(&mut self, watcher: &mut dyn Watcher) {
        self.branch.look().await;
        let mut tick = interval(TICK);
        loop {
            self.hear().await;
            let report = self.reconciler.pass().await;
            watcher.passed(&report, self.reconciler.state());
            if report.done.is_empty() && !is_on_its_way(&report) {
                return;
            }
            tick.tick().await;
        }
    }

    /// Takes in what was told on this host; returns all of it.
    async fn hear(&mut self) -> Vec<Message> {
        let messages = self.inbox.messages().unwrap_or_else(|error| {
            tracing::warn!(%error, "what is told on this host can't be read");
            Vec::new()
        });
        for message in &messages {
            match message {
                Message::Nudge => {}
                Message::Plan(hash) => self.branch.accept(*hash).await,
                Message::Word(deployment, word) => {
                    self.reconciler.hear(deployment, word.clone()).await;
                }
            }
            if let Err(error) = self.inbox.done(message) {
                tracing::warn!(%error, "what was told on this host can't be put away");
            }
        }
        messages
    }
}

/// The look at main, beside the passes.
#[derive(Default)]
struct Look {
    going: Option<JoinHandle<()>>,
    last: Option<Timestamp>,
    is_wanted: bool,
}

impl Look {
    /// Whether one has ended since this was last asked.
    fn has_ended(&mut self) -> bool {
        let has_ended = self.going.as_ref().is_some_and(JoinHandle::is_finished);
        if has_ended {
            self.going = None;
        }
        has_ended
    }

    fn begin_if_due(&mut self, branch: &Arc<Branch>, every: SignedDuration, now: Timestamp) {
        let is_due = self.last.is_none_or(|last| {
            let passed = now.duration_since(last);
            // A clock that was set back makes no wait longer.
            passed >= every || passed < SignedDuration::ZERO
        });
        if self.going.is_none() && (is_due || self.is_wanted) {
            self.is_wanted = false;
            self.last = Some(now);
            let branch = Arc::clone(branch);
            self.going = Some(tokio::spawn(async move { branch.look().await }));
        }
    }

    fn abandon(self) {
        if let Some(going) = self.going {
            going.abort();
        }
    }
}

fn is_past(due: Option<Timestamp>, now: Timestamp) -> bool {
    due.is_none_or(|due| {
        let left = due.duration_since(now);
        left <= SignedDuration::ZERO || left > FIRST_LOOK
    })
}

/// When the next pass is due.
fn next(report: &Report) -> Timestamp {
    if !report.done.is_empty() {
        return report.at;
    }
    let wait = if is_on_its_way(report) { SOON } else { LATER };
    let at = report.at.checked_add(wait).unwrap_or(report.at);
    let alarms = [report.next_look, report.retry_at];
    alarms.into_iter().flatten().fold(at, Timestamp::min)
}

/// Whether something goes on by itself that ends soon.
fn is_on_its_way(report: &Report) -> bool {
    report.waits.iter().any(|wait| {
        matches!(
            wait.why,
            Why::Bytes(_)
                | Why::Replicas(..)
                | Why::Starting(_)
                | Why::Golden(_)
                | Why::Alone
                | Why::Draining(_)
                | Why::Dependency(_)
                | Why::Dependents(_)
        )
    })
}
