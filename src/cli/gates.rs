//! `modelyard gates`: evaluates gates of policies for another process of ours.
//!
//! An expression may take any time and any memory, and overflow the stack. So this process bounds
//! itself and may end at any moment; who asks bears that.

use std::io::{BufRead, Write};
use std::thread;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::fault::CliError;
use super::{Context, Outcome};
use crate::check::gates::evaluate;
use crate::record::Failure;

/// What it may hold of memory.
const MEMORY_BYTES: u64 = 512 * 1024 * 1024;
/// For how long it may compute, should nobody be left who ends it.
const CPU_SECONDS: u64 = 120;
/// The stack of what evaluates; a deeper expression ends the process.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Evaluate gates of policies, a question a line
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(super) struct Arguments {}

impl Arguments {
    pub(super) fn run(self, _: &Context) -> Result<Outcome, Failure> {
        for (resource, most) in [
            (Resource::Data, MEMORY_BYTES),
            (Resource::Cpu, CPU_SECONDS),
            // A core of it would help nobody.
            (Resource::Core, 0),
        ] {
            let limit = Rlimit {
                current: Some(most),
                maximum: Some(most),
            };
            setrlimit(resource, limit).map_err(|error| CliError::Runtime(error.into()))?;
        }
        let answering = thread::Builder::new().stack_size(STACK_BYTES).spawn(answer);
        let answered = answering.map_err(CliError::Runtime)?.join();
        match answered {
            Ok(told) => Ok(told.map(|()| Outcome::Done).map_err(CliError::Print)?),
            Err(_) => Ok(Outcome::Problems),
        }
    }
}

fn answer() -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let question = serde_json::from_str(&line?)?;
        let mut answer = serde_json::to_vec(&evaluate(&question))?;
        answer.push(b'\n');
        stdout.write_all(&answer)?;
        stdout.flush()?;
    }
    Ok(())
}
