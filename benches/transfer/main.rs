//! Push and pull against oras on the same registry, and the memory that one large file takes.
//!
//! 4 × 256 MiB go into and out of distribution, by us and by oras in turn, each time a fresh
//! registry and a fresh home, so that nobody finds what the other left; the medians are compared,
//! and what was pulled is read back and hashed. Push may take 1.2 times oras' time, pull (which
//! also fills the cache) 1.5 times, and one file of 4 GiB at most 100 MiB of memory.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures, and tells what it measured; clippy.toml is for what ships"
)]

mod files;
#[path = "../../tests/it/harness/mod.rs"]
mod harness;
mod memory;
mod peak;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use harness::registry::Distribution;
use harness::{Run, Sandbox};

/// How often each client goes; the median counts.
const ROUNDS: usize = 5;

const PUSH_AT_MOST: f64 = 1.2;
const PULL_AT_MOST: f64 = 1.5;
const MEMORY_AT_MOST_MIB: u64 = 100;

fn main() -> ExitCode {
    let mut held = true;
    let (push, pull) = times();
    held &= told("push of 4 x 256 MiB", push, PUSH_AT_MOST);
    held &= told("pull of 4 x 256 MiB", pull, PULL_AT_MOST);
    for (what, mib) in memory::of_one_large_file() {
        println!("{what} of 4 GiB: {mib} MiB of memory (at most {MEMORY_AT_MOST_MIB})");
        held &= mib < MEMORY_AT_MOST_MIB;
    }
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// How long we took and how long oras took.
struct Times {
    ours: Vec<Duration>,
    theirs: Vec<Duration>,
}

fn times() -> (Times, Times) {
    let source = Sandbox::new();
    let expected = files::four(&source);
    let none = || Times {
        ours: Vec::new(),
        theirs: Vec::new(),
    };
    let (mut push, mut pull) = (none(), none());
    for round in 0..ROUNDS {
        // Who goes first takes turns: the second one finds the files in the system's cache.
        for ours in [round % 2 == 0, round % 2 == 1] {
            let registry = Distribution::start();
            let reference = format!("{}/vision/digits:1.0.0", registry.host());
            let machine = Sandbox::new();
            let files = source.path("files");
            let pushed = took(push_by(ours, &machine, &reference).in_folder(&files));
            let pulled = took(pull_by(ours, &machine, &reference));
            files::are(&machine, &expected);
            let (to_push, to_pull) = if ours {
                (&mut push.ours, &mut pull.ours)
            } else {
                (&mut push.theirs, &mut pull.theirs)
            };
            to_push.push(pushed);
            to_pull.push(pulled);
        }
    }
    (push, pull)
}

fn push_by(ours: bool, machine: &Sandbox, reference: &str) -> Run {
    if ours {
        return machine.modelyard(["push", ".", reference]);
    }
    let words = ["push", "--plain-http", reference];
    machine.tool("oras", words.into_iter().chain(files::NAMES))
}

fn pull_by(ours: bool, machine: &Sandbox, reference: &str) -> Run {
    if ours {
        return machine.modelyard(["pull", reference, "pulled"]);
    }
    machine.tool(
        "oras",
        ["pull", "--plain-http", reference, "--output", "pulled"],
    )
}

fn took(run: Run) -> Duration {
    let began = Instant::now();
    run.run().success();
    began.elapsed()
}

/// Prints how we did, and gives whether that is good enough.
fn told(what: &str, times: Times, at_most: f64) -> bool {
    let (ours, theirs) = (median(times.ours), median(times.theirs));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("{what}: {ours:.2?}, oras {theirs:.2?}: {ratio:.2} of its time (at most {at_most})");
    ratio <= at_most
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
