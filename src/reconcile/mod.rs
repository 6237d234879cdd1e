//! The reconciler: makes an environment run what the yard's main branch says.
//!
//! ```text
//!   fetch ──▶ plan ──▶ apply ──▶ report        one pass; the next begins at once while there
//!     ▲                            │           is something to do, else when something is
//!     └────────────────────────────┘           seen, is nudged, or is due
//! ```
//!
//! All that is decided is decided by [`crate::rollout::plan()`]; here it is only brought together
//! with the world. The world is seen and changed through the traits of [`edges`], each of which has
//! a real implementation and one of the simulator's.
//!
//! | file | has |
//! | --- | --- |
//! | [`edges`] | what the reconciler sees and does: main, bytes, gateway, measurements, memory |
//! | `pass` | one pass, and what it tells |
//! | `backoff` | steps that failed, and when they are tried again |
//! | [`branch`] | the yard's main branch as git has it, and what became of it |
//! | [`foreseen`] | whether what main brings is what its reviewers were shown |
//! | [`memory`] | the stored state, and the lock that there is one reconciler |
//! | [`follow`] | the loop around passes |
//! | [`bytes`] | versions' bytes on this host, verified |
//! | [`gauge`] | measurements |
//! | `side_by_side` | golden tests put to two versions, and what comes of that |
//! | [`inbox`] | what this host is told beside main |
//! | [`status`] | what all this looks like |
//! | [`receipts`] | what served, kept in git |
//! | [`course()`] | whether what a commit asked for serves |
//! | `reserve` | room for the status on a disk that is full |
//! | [`herald`] | what pull requests are told of what became of them |
//! | [`revert`] | the commit that restores the line which chose a version that failed |
//!
//! # What holds
//!
//! - A crash between any two effects loses time and nothing else: what was begun is seen, what was
//!   remembered is read, and a pass goes on from there.
//! - A pass over an environment that is as it should be has no effect at all.
//! - What can't be seen takes nothing away. A target that doesn't tell what runs ends the pass; a
//!   yard that can't be fetched, was rewritten or is broken leaves what serves as it is.
//! - A step that fails ends its deployment's pass and is tried again later, longer each time, until
//!   a new commit comes. Steps that give traffic back are never held up by that.

mod backoff;
pub mod branch;
pub mod bytes;
mod course;
pub mod edges;
pub mod follow;
pub mod foreseen;
pub mod gauge;
pub mod herald;
pub mod inbox;
pub mod memory;
mod pass;
pub mod receipts;
mod reserve;
pub mod revert;
mod side_by_side;
#[cfg(test)]
mod simulator;
pub mod status;

use std::time::Duration;

pub use course::course;
pub use pass::{Preview, Reconciler, Report, Trouble};

use crate::platform::retry::Policy;

/// How a forge is asked: once more where an answer is lost, and no longer. Nothing waits for it, and
/// what is tried again later is what is new by then.
pub const PATIENCE: Policy = Policy {
    attempts: 2,
    first_wait: Duration::from_millis(200),
    longest_wait: Duration::from_secs(1),
};

/// The codes of this room.
pub mod codes {
    crate::codes! {
        ARTIFACT_REPLACED = "artifact-replaced";
        STATE_FOLDER_BUSY = "state-folder-busy";
    }
}
