//! Yards in every state a repository can be in, and what changing them does and does not do.

mod changes;
mod differing;
mod direct;
mod edits;
mod places;
mod reading;
mod receipts;
mod remotes;
pub(crate) mod story;

#[cfg(feature = "real-tools")]
mod http;
#[cfg(feature = "real-tools")]
mod killed;
#[cfg(feature = "real-tools")]
mod signed;
