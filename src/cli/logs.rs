//! `modelyard logs`: what the replicas of a deployment say.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use tokio::time::interval;

use super::fault::CliError;
use super::host::HostArguments;
use super::{Context, Outcome, completions};
use crate::platform::atomic::FileError;
use crate::record::{Code, Failure, Fault, Name};
use crate::target::process;

/// How often it is looked for more.
const LOOK: Duration = Duration::from_millis(200);
/// How much is read at once.
const PART_BYTES: u64 = 64 * 1024;

/// Print what the replicas of a deployment say
///
/// The newest replica's, or another's by its number; those that have ended are kept, too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard logs digits -e host
  modelyard logs digits -e host --follow
  modelyard logs digits -e host --replica 3")]
pub(super) struct Arguments {
    /// The deployment
    #[arg(value_name = "DEPLOYMENT", add = completions::deployed())]
    deployment: Name,
    #[command(flatten)]
    host: HostArguments,
    /// The number of a replica, as `modelyard status --output json` tells it
    #[arg(short, long, value_name = "NUMBER")]
    replica: Option<u64>,
    /// Go on with what comes
    #[arg(short, long)]
    follow: bool,
}

/// There is no such log.
#[derive(Debug, thiserror::Error)]
#[error("no replica of {deployment} has said anything here")]
struct NoLog {
    deployment: Name,
    known: Vec<u64>,
}

impl Fault for NoLog {
    fn code(&self) -> &'static Code {
        &super::codes::NO_LOG
    }

    fn help(&self) -> Option<String> {
        let known: Vec<_> = self.known.iter().map(u64::to_string).collect();
        Some(match known.is_empty() {
            true => "see what runs by `modelyard status`".to_owned(),
            false => format!("there are logs of the replicas {}", known.join(", ")),
        })
    }
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let folder = self.host.folder_of_yard(context)?;
        let mut logs = process::logs(&folder, &self.deployment)?;
        let wanted = match self.replica {
            Some(number) => logs.remove(&number),
            None => logs.pop_last().map(|(_, parts)| parts),
        };
        let parts = wanted.ok_or_else(|| NoLog {
            deployment: self.deployment.clone(),
            known: logs.keys().copied().collect(),
        })?;
        let mut tail = 0;
        for part in &parts {
            tail = print(part, 0)?;
        }
        let mut tick = interval(LOOK);
        while let Some(newest) = parts.last().filter(|_| self.follow) {
            tick.tick().await;
            // A shorter one is another one: it was rotated.
            if length(newest) < tail {
                tail = 0;
            }
            tail = print(newest, tail)?;
        }
        Ok(Outcome::Done)
    }
}

fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |about| about.len())
}

/// Prints a file from `from`; returns where it ended.
fn print(path: &Path, from: u64) -> Result<u64, Failure> {
    let read = || FileError::at("read", path);
    let mut file = File::open(path).map_err(read())?;
    file.seek(SeekFrom::Start(from)).map_err(read())?;
    let mut stdout = io::stdout().lock();
    let mut at = from;
    loop {
        let mut part = Vec::new();
        let mut next = Read::take(&mut file, PART_BYTES);
        next.read_to_end(&mut part).map_err(read())?;
        if part.is_empty() {
            return Ok(at);
        }
        at += part.len() as u64;
        match stdout.write_all(&part).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(at),
            written => written.map_err(CliError::Print)?,
        }
    }
}
