//! Parses, runs, and turns what came of it into an exit code.

fn main() {}
