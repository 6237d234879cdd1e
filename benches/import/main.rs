//! `modelyard import` of 500 versions of a real MLflow server, and the second run, which finds all of
//! them here.
//!
//! Ten models have fifty versions each, with runs, parameters, metrics, tags and an alias; a version has
//! the five files that MLflow writes and 256 KiB of weights of its own. The server is MLflow's own, with
//! SQLite, one worker and a folder for its artifacts, on the same machine.
//!
//! - The first run: time, memory, and how long a version takes. Memory stays under 100 MiB, whatever comes.
//! - The second run, once the first one's branch is merged: under a tenth of the first one's time, and
//!   nothing changed.
//! - A run that finds one version more: that one comes alone.
//!
//! The number of versions a model can be given: `cargo bench --bench import -- 5`.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures, and tells what it measured; clippy.toml is for what ships"
)]

#[path = "../../tests/it/harness/mod.rs"]
mod harness;
#[path = "../transfer/peak.rs"]
mod peak;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use harness::mlflow::Mlflow;
use harness::{Run, Sandbox, Yard};

/// How many models the server has.
const MODELS: usize = 10;

/// How many versions each of them has.
const VERSIONS: usize = 50;

/// How many bytes are a version's alone.
const BYTES: usize = 256 << 10;

/// How often the second run goes; the median counts.
const ROUNDS: usize = 5;

/// Of the first run's time, what the second may take.
const SHARE_AT_MOST: f64 = 0.1;

/// How much memory any run may take.
const MIB_AT_MOST: u64 = 100;

fn main() -> ExitCode {
    let given = std::env::args().find_map(|word| word.parse().ok());
    let versions: usize = given.unwrap_or(VERSIONS);
    let count = MODELS * versions;
    let server = Mlflow::start(3);
    fill(&server, MODELS, versions);
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let word = format!("mlflow:http://{}", server.host());

    let (first, first_mib) = measured(import(&yard, &word));
    let each = first / u32::try_from(count).unwrap_or(u32::MAX);
    println!("{count} versions of an MLflow server, {MODELS} models");
    println!(
        "  first run: {first:.2?}, {each:.2?} a version; {first_mib} MiB (at most {MIB_AT_MOST})"
    );
    yard.merge("import/lab");
    let imported = yard
        .git(["ls-tree", "-r", "--name-only", "main"])
        .run()
        .success();
    let records = imported
        .stdout
        .lines()
        .filter(|line| line.contains("/versions/"));
    assert_eq!(records.count(), count, "all of them are here");

    let refs = yard.refs();
    let rounds: Vec<_> = (0..ROUNDS)
        .map(|_| measured(import(&yard, &word)))
        .collect();
    assert_eq!(yard.refs(), refs, "nothing changed");
    let second = median(rounds.iter().map(|(took, _)| *took).collect());
    let second_mib = rounds.iter().map(|(_, mib)| *mib).max().unwrap_or(0);
    let share = second.as_secs_f64() / first.as_secs_f64();
    println!(
        "  second run: {second:.2?}, {share:.3} of the first (at most {SHARE_AT_MOST}); {second_mib} MiB"
    );

    fill_one_more(&server);
    let (one, _) = measured(import(&yard, &word));
    println!("  with one version more: {one:.2?}");
    let held = share <= SHARE_AT_MOST && first_mib.max(second_mib) <= MIB_AT_MOST;
    match held {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// An import of all that the server has.
fn import(yard: &Yard<'_>, word: &str) -> Run {
    let words = ["import", word, "--unsigned", "--name=lab"];
    yard.modelyard(words.into_iter().chain(["--namespace=lab", "--owner=lab"]))
}

/// How long a run takes, and the most memory that it has.
fn measured(run: Run) -> (Duration, u64) {
    let begun = Instant::now();
    let mib = peak::mib(run);
    (begun.elapsed(), mib)
}

fn fill(server: &Mlflow, models: usize, versions: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = root.join("benches/import/fill.py");
    let folder = root.join("examples/diabetes/mlflow");
    let numbers = [models, versions, BYTES].map(|number| number.to_string());
    let numbers = numbers.iter().map(Path::new);
    let words: Vec<&Path> = [&*program, &*folder].into_iter().chain(numbers).collect();
    server.run(&words, &[]);
}

/// Registers one version more of a model, with the files that its first one has.
fn fill_one_more(server: &Mlflow) {
    let program = "\
import mlflow
client = mlflow.MlflowClient()
first = client.get_model_version('model 0', '1')
client.create_model_version('model 0', first.source, first.run_id)
";
    server.run(&["-c", program].map(Path::new), &[]);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
