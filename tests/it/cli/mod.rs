//! The command line itself.

mod completions;
