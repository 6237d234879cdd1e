//! Tells pull requests what became of them: in each environment how the deployment of the merge
//! goes, step by step in one comment, until it serves or has failed.
//!
//! ```text
//!  passes ──▶ what is seen ──▶ claims: what each commit of main asked for, and how it goes
//!                                │            ▲
//!                                ▼            │ main's line, walked when main has moved
//!                          told.json, then the forge, whenever it has time
//! ```
//!
//! | file | has |
//! | --- | --- |
//! | `sight` | what a pass shows of a deployment |
//! | `origin` | which commits of main asked for what |
//! | `claim` | what a commit asked for, and what became of it |
//! | `page` | the comment |
//! | `ledger` | what is still to be told, kept beside the state |
//! | `teller` | the forge, asked one thing after the other |
//!
//! # What holds
//!
//! - A pass waits for none of this: it leaves what it has seen, and goes on. All else happens
//!   beside it, and is bounded: of each merge only the newest state is told, and of so many merges.
//! - What a forge missed, being away, in a hurry or unwilling, is told later, once, also by the next
//!   server. Nothing is told of what has not changed.
//! - A revert's pull request is opened whenever the forge has time, by this server or the next.

mod claim;
mod ledger;
mod origin;
mod page;
mod sight;
mod teller;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::timeout;

use super::Report;
use super::status::Status;
use crate::forge::Forge;
use crate::ops::pull_request::Offer;
use crate::platform::clock::Clock;
use crate::record::{Failure, Name, with_causes};
use crate::rollout::State;
use crate::yard::{Yard, blocking};
use ledger::Ledger;
use sight::Seen;

/// What is told, where, and of what.
pub struct Ground {
    /// The yard.
    pub yard: Yard,
    /// The environment.
    pub environment: Name,
    /// The folder of its state.
    pub folder: PathBuf,
    /// The forge; calls to it are best made with [`PATIENCE`](super::PATIENCE).
    pub forge: Arc<dyn Forge>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Tells pull requests what became of them, for as long as it or a clone of it lives.
#[derive(Clone)]
pub struct Herald {
    shared: Arc<Shared>,
    /// Ends those who work for it.
    _life: Arc<watch::Sender<()>>,
}

struct Shared {
    ground: Ground,
    /// Main's name.
    main: String,
    known: Mutex<Known>,
    /// One write of the ledger at a time, the newest last.
    writing: Mutex<()>,
    /// Counts what was left to be done.
    work: watch::Sender<u64>,
    /// Whether there is nothing to tell that could be told now.
    rests: watch::Sender<bool>,
}

struct Known {
    seen: Option<Seen>,
    ledger: Ledger,
    /// What is not kept yet.
    is_dirty: bool,
    /// Whether a revert was written by a pass that has not shown yet what it is of.
    is_behind: bool,
}

impl Herald {
    /// Begins from what is kept in the folder.
    ///
    /// # Errors
    /// If that, or the yard, can't be read.
    pub fn start(ground: Ground) -> Result<Self, Failure> {
        let ledger = Ledger::read(&ground.folder)?;
        let main = ground.yard.main_branch()?;
        let (life, end) = watch::channel(());
        let shared = Arc::new(Shared {
            ground,
            main,
            known: Mutex::new(Known {
                seen: None,
                ledger,
                is_dirty: false,
                is_behind: false,
            }),
            writing: Mutex::new(()),
            work: watch::Sender::new(0),
            rests: watch::Sender::new(false),
        });
        for work in [
            tokio::spawn(until_the_end(end.clone(), accounts(Arc::clone(&shared)))),
            tokio::spawn(until_the_end(end, teller::tell(Arc::clone(&shared)))),
        ] {
            drop(work);
        }
        Ok(Self {
            shared,
            _life: Arc::new(life),
        })
    }

    /// Takes in what a pass shows, without waiting for anything.
    pub fn passed(&self, report: &Report, state: &State, status: &Status) {
        let Some(seen) = Seen::of(report, state, status) else {
            return;
        };
        if self.shared.known().take(seen, report.at) {
            self.shared.wake();
        }
    }

    /// Has the pull request of a revert opened; that it is to be is kept by the end of this.
    pub(super) async fn owe(&self, offer: Offer) {
        self.shared.known().owe(offer);
        self.shared.keep().await;
        self.shared.wake();
    }

    /// Waits until all is told that the forge hears, up to `patience`; the rest is told by the next.
    pub async fn finish(&self, patience: Duration) {
        let mut rests = self.shared.rests.subscribe();
        // That it takes too long is what `patience` is for.
        let _ = timeout(patience, rests.wait_for(|rests| *rests)).await;
    }
}

async fn until_the_end(mut end: watch::Receiver<()>, work: impl Future<Output = ()>) {
    tokio::select! {
        // It is never sent: whoever could is gone.
        _ = end.changed() => {}
        () = work => {}
    }
}

impl Known {
    /// Takes in what a pass shows; whether that is another thing than before.
    fn take(&mut self, seen: Seen, at: Timestamp) -> bool {
        self.is_behind = false;
        if self.seen.as_ref() == Some(&seen) {
            return false;
        }
        self.is_dirty |= self.ledger.take(&seen, at);
        self.seen = Some(seen);
        true
    }

    fn owe(&mut self, offer: Offer) {
        self.ledger.owe(offer);
        self.is_dirty = true;
        self.is_behind = true;
    }

    /// Where main is, if nobody has looked yet who asked for what up to there.
    fn unaccounted(&self) -> Option<&String> {
        let tip = &self.seen.as_ref()?.commit;
        (self.ledger.commit.as_ref() != Some(tip)).then_some(tip)
    }

    /// Lets go of reverts that are told, as far as it is known already who is to be told of them.
    fn forget_reverts(&mut self) {
        if self.seen.is_some() && !self.is_behind && self.unaccounted().is_none() {
            self.ledger.forget_reverts();
        }
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        self.rests.send_replace(false);
        self.work
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Keeps the ledger, if it has changed.
    async fn keep(self: &Arc<Self>) {
        let shared = Arc::clone(self);
        let kept = blocking(move || {
            let writing = shared.writing.lock();
            let ledger = {
                let mut known = shared.known();
                if !std::mem::take(&mut known.is_dirty) {
                    return Ok(());
                }
                known.ledger.clone()
            };
            let written = ledger.write(&shared.ground.folder);
            drop(writing);
            written.inspect_err(|_| shared.known().is_dirty = true)
        });
        if let Err(error) = kept.await {
            tracing::warn!(%error, "what is to be told can't be kept, and is lost by a restart");
        }
    }

    /// Where main is of which nobody has looked yet who asked for what.
    fn unaccounted(&self) -> Option<(Option<String>, String)> {
        let known = self.known();
        let tip = known.unaccounted()?.clone();
        Some((known.ledger.commit.clone(), tip))
    }

    async fn account(&self, before: Option<String>, tip: &str) -> Result<(), Failure> {
        let (yard, environment) = (self.ground.yard.clone(), self.ground.environment.clone());
        let to = tip.to_owned();
        let walk = move || origin::claims(&yard, &environment, before.as_deref(), &to);
        let claims = blocking(walk).await?;
        let mut known = self.known();
        let Known { seen, ledger, .. } = &mut *known;
        if let Some(seen) = seen {
            ledger.account(tip, claims, seen, self.ground.clock.now());
            known.is_dirty = true;
        }
        Ok(())
    }
}

/// Finds out who asked for what whenever main has moved, and keeps what is known.
async fn accounts(shared: Arc<Shared>) {
    let mut work = shared.work.subscribe();
    let mut failed = None;
    loop {
        work.mark_unchanged();
        if let Some((before, tip)) = shared.unaccounted()
            && failed.as_ref() != Some(&tip)
        {
            if let Err(error) = shared.account(before, &tip).await {
                tracing::warn!(error = %with_causes(&*error), "who asked for what can't be told");
                failed = Some(tip);
            }
            shared.wake();
        }
        shared.keep().await;
        if work.changed().await.is_err() {
            return;
        }
    }
}
