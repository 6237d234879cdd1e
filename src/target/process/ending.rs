//! Ends an instance: by asking its shim, then by force.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::timeout;

use super::cgroup::Group;
use super::state::Folder;
use super::{ProcessError, mark};
use crate::platform::retry::Policy;

/// How much longer than the runtime's grace the shim may take.
const MORE: Duration = Duration::from_secs(5);
/// How often it is looked whether it has ended: soon at first, as most end at once.
const LOOKS: Policy = Policy {
    attempts: u32::MAX,
    first_wait: Duration::from_millis(5),
    longest_wait: Duration::from_millis(100),
};

/// Ends the instance in `folder`. When this returns well, nothing of it runs.
///
/// # Errors
/// If it could not be ended.
pub(super) async fn end(folder: &Folder, grace: Duration) -> Result<(), ProcessError> {
    end_shim(folder, grace).await?;
    // A shim that was killed could not end a runtime that doesn't heed.
    if let Some(group) = folder.group()? {
        group.kill();
    }
    let Some(command) = folder.order()?.and_then(|order| order.command) else {
        return Ok(());
    };
    if let Some(group) = command.group {
        return Group::at(group.path).end().await;
    }
    if let Some(mark) = command.variables.get(mark::VARIABLE) {
        mark::kill(mark);
    }
    Ok(())
}

async fn end_shim(folder: &Folder, grace: Duration) -> Result<(), ProcessError> {
    for (signal, patience) in [(Signal::TERM, grace + MORE), (Signal::KILL, MORE)] {
        if !folder.is_alive()? {
            return Ok(());
        }
        // Alive by its lock: the number is its own, and nobody else's by now.
        let shim = folder.shim()?.and_then(|shim| Pid::from_raw(shim.process));
        if let Some(shim) = shim {
            let _ = kill_process(shim, signal);
        }
        if let Ok(freed) = timeout(patience, freed(folder)).await {
            return freed;
        }
    }
    let folder = folder.path().to_owned();
    Err(ProcessError::Unending { folder })
}

/// Waits until nobody holds the lock.
async fn freed(folder: &Folder) -> Result<(), ProcessError> {
    let look = || async {
        match folder.is_alive()? {
            false => Ok(()),
            true => Err(ProcessError::Unending {
                folder: folder.path().to_owned(),
            }),
        }
    };
    LOOKS.run(look).await
}
