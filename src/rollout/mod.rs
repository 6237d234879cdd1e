//! Rollouts: from what should be and what is to what is to be done next. Pure.
//!
//! [`plan()`] is the whole of it: `plan(desired, observed, evidence, now) -> Plan`. It has no I/O, no
//! clock and no randomness, and so a year of an environment's life can be tried in a second.
//!
//! | word | is |
//! | --- | --- |
//! | [`Desired`] | what main says of one environment, resolved; or that nobody knows |
//! | [`Observed`] | replicas, bytes, routes and load as they are, and the [`State`] remembered |
//! | [`Measurement`] | evidence: one measurement that an earlier plan asked for |
//! | [`Plan`] | [`Step`]s to do now, [`Wait`]s that say why there are no more, [`Change`]s it leads to |
//! | [`Intent`] | what a merge would change of what should be; what people are shown, and its [`hash`] |
//! | [`Leg`] | how a rollout would go, foretold |
//! | [`Table`] | where requests go: all that the gateway knows of rollouts |
//!
//! # A loop around it
//!
//! Whoever reconciles observes, plans, does the steps in their order, and begins again: at once
//! while there are steps, else when something is seen or at [`Plan::next_look`]. Steps say what to
//! begin ([`Step::Fetch`], [`Step::Start`], [`Step::RunGoldenTests`], [`Step::Measure`]); what came
//! of it is observed later. Asking twice for what goes on already is no fault: each step can be
//! done once more without harm, and a crash between any two loses nothing but time. When all is as
//! it should be a plan has no steps, and a pass writes nothing.
//!
//! # The machine of one deployment
//!
//! ```text
//!                      main says something else        the last stage's conditions hold
//!  stable A, no rollout ──────────────────▶ rollout A→B ──────────────────▶ stable B
//!       ▲   ▲                                │ │ │ ▲ │
//!       │   └──── B failed, or is aborted ───┘ │ │ └─┘ stage by stage: replicas ready, weight
//!       │         (held against B's digest)    │ │     holds, lasts, analyses, approval
//!       └──────── main says A again ───────────┘ └──▶ rollout A→C: main says C in between
//! ```
//!
//! A [`Side`] is what serves together: one version, or several by weight. The *stable* side has
//! proven itself; a [`Rollout`] leads from it to the *candidate*. Each strategy is a row of
//! [`Stage`]s. A stage begins with replicas of the candidate: they are fetched, verified, started,
//! and have to answer and pass their golden tests. When they are ready its weight holds, and what
//! it asks for has to come true: a time, analyses, an approval. A look moves a rollout by one stage
//! at most, and only if the weights in force are the ones that its stage says.
//!
//! All that is remembered of this is in [`Progress`]; everything else, the route among it, follows
//! from that and from what is seen. So a route that was lost comes back as it was, and whatever
//! dies is replaced. If what was remembered is lost too, what runs already is taken for what it is.
//!
//! # What always holds
//!
//! - The weights of a route sum to 100, or nothing is ready and requests wait.
//! - Nothing is started that is not verified, and nothing gets a request that does not answer, or
//!   fails its golden tests; a copy of a request neither.
//! - What failed goes back at once, in the same pass, and is held by its digest: it comes back when
//!   main says something else of this deployment ([`generation`]), never by itself. A revert is
//!   asked for once.
//! - What is taken away gets no requests any more, and may finish those that it has.
//! - What can't be known takes nothing away: a yard that can't be read, an environment that is
//!   empty all of a sudden, a dependency that is gone. What served goes on serving, is restarted
//!   when it dies, and an ongoing rollout still goes back if it fails.
//! - Suspended means that nothing moves.
//! - A clock that leaps ahead may shorten a wait; set back, it begins the wait anew. Neither
//!   replaces a measurement or an approval.
//!
//! `tests/history.rs` holds all this over histories with crashes between any two steps.

mod analysis;
mod canonical;
mod cause;
mod change;
mod choice;
mod clock;
mod desired;
mod forecast;
mod intent;
mod observed;
mod plan;
mod planner;
mod progress;
mod stage;
mod step;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod wait;

pub use analysis::*;
pub use cause::Cause;
pub use change::{Change, Portion};
pub use choice::*;
pub use desired::*;
pub use forecast::{Leg, PoolForecast, Usage, course, pools};
pub use intent::{Intended, Intent, Run, Served, hash, intents};
pub use observed::*;
pub use plan::Plan;
pub use planner::plan;
pub use progress::*;
pub use stage::{Stage, Stages};
pub use step::{Event, Step};
pub use table::*;
pub use wait::{Wait, Why};

/// The codes of this room.
pub mod codes {
    crate::codes! {
        ROLLOUT_STATE = "rollout-state";
    }
}
