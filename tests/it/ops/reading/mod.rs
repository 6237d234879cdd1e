//! The commands that only look: list, search, show, log, compare, and shell completions.

mod compare;
mod list;
mod log;
mod search;
mod show;
mod story;
