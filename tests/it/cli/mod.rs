//! The command line itself, as a person uses it.

#[cfg(feature = "real-tools")]
mod action;
mod check;
mod comment;
mod completions;
mod evidence;
mod gates;
mod pipelines;
mod serve;
mod stores;
mod terminal;
mod token;
