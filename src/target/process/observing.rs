//! What an instance is seen to do.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;

use super::ProcessError;
use super::state::{Folder, Marked, OrderFile, Verdict};
use crate::record::kind::GoldenTest;
use crate::rollout::{Golden, InstanceId, Phase};
use crate::target::runtime::client::AskError;
use crate::target::runtime::{Client, golden};
use crate::target::{Endpoint, Running};

/// How long an instance may take to say that it is ready, each time it is asked.
const ANSWER: Duration = Duration::from_secs(2);

/// What only this server knows; nothing that could not be found again.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Whose golden tests run now.
    testing: BTreeSet<InstanceId>,
    /// Since when an instance is ready of which that could not be written.
    ready: BTreeMap<InstanceId, Timestamp>,
    /// Since when an instance no longer answers.
    silent: BTreeMap<InstanceId, Timestamp>,
    /// Who asks an instance: to make one reads this machine's certificates.
    clients: BTreeMap<InstanceId, (SocketAddr, Client)>,
}

fn locked(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes that the golden tests of `id` begin; no if they run already.
pub(super) fn begins(memory: &Mutex<Memory>, id: &InstanceId) -> bool {
    locked(memory).testing.insert(id.clone())
}

/// Notes that the golden tests of `id` ended.
pub(super) fn ends(memory: &Mutex<Memory>, id: &InstanceId) {
    locked(memory).testing.remove(id);
}

/// Forgets an instance that is no more.
pub(super) fn forget(memory: &Mutex<Memory>, id: &InstanceId) {
    let mut memory = locked(memory);
    memory.testing.remove(id);
    memory.ready.remove(id);
    memory.silent.remove(id);
    memory.clients.remove(id);
}

/// Who asks the instance that listens there.
fn client(
    memory: &Mutex<Memory>,
    id: &InstanceId,
    listening: SocketAddr,
) -> Result<Client, AskError> {
    if let Some((known, client)) = locked(memory).clients.get(id)
        && *known == listening
    {
        return Ok(client.clone());
    }
    let client = Client::direct(listening)?;
    let kept = (listening, client.clone());
    locked(memory).clients.insert(id.clone(), kept);
    Ok(client)
}

/// The instance in `folder`, if there is one.
pub(super) async fn look(
    folder: &Folder,
    memory: &Mutex<Memory>,
    now: Timestamp,
) -> Result<Option<Running>, ProcessError> {
    let Some(order) = folder.order()? else {
        return Ok(None);
    };
    let (phase, since) = phase(folder, &order, memory, now).await?;
    let golden = match folder.golden()? {
        Some(Verdict { failed: None }) => Golden::Passed,
        Some(Verdict { failed: Some(why) }) => Golden::Failed { why },
        None if locked(memory).testing.contains(&order.id) => Golden::Running,
        None => Golden::Untested,
    };
    let endpoint = folder.address()?.map(|address| Endpoint {
        address: address.listening,
        model: order.id.deployment.to_string(),
    });
    Ok(Some(Running {
        id: order.id,
        choice: order.choice,
        part: order.part,
        phase,
        since,
        golden,
        drift: None,
        endpoint,
    }))
}

/// How it does, and since when.
async fn phase(
    folder: &Folder,
    order: &OrderFile,
    memory: &Mutex<Memory>,
    now: Timestamp,
) -> Result<(Phase, Timestamp), ProcessError> {
    // The lock first: a shim that ends writes how before it frees it.
    let is_alive = folder.is_alive()?;
    if let Some(exit) = folder.exit()? {
        return Ok((Phase::Failed { why: exit.why() }, exit.at));
    }
    if !is_alive {
        let since = *locked(memory).silent.entry(order.id.clone()).or_insert(now);
        let why = "its shim was killed, or never started".to_owned();
        return Ok((Phase::Failed { why }, since));
    }
    if let Some(draining) = folder.draining()? {
        return Ok((Phase::Draining, draining.at));
    }
    let ready = folder.ready()?;
    let was_ready = ready.is_some() || locked(memory).ready.contains_key(&order.id);
    let why = match answers(folder, memory, &order.id).await? {
        None => {
            locked(memory).silent.remove(&order.id);
            let since = match ready {
                Some(ready) => ready.at,
                None => became_ready(folder, memory, &order.id, now),
            };
            return Ok((Phase::Ready, since));
        }
        Some(why) => why,
    };
    if !was_ready {
        return Ok((Phase::Starting, order.at));
    }
    let since = *locked(memory).silent.entry(order.id.clone()).or_insert(now);
    Ok((Phase::Unhealthy { why }, since))
}

/// Notes that an instance is ready, and tells since when. Where that can't be written, as on a full
/// disk, this server alone knows it, and tries again at its next look.
fn became_ready(
    folder: &Folder,
    memory: &Mutex<Memory>,
    id: &InstanceId,
    now: Timestamp,
) -> Timestamp {
    let at = *locked(memory).ready.entry(id.clone()).or_insert(now);
    match folder.write_ready(&Marked { at }) {
        Ok(()) => {
            locked(memory).ready.remove(id);
        }
        Err(error) => tracing::debug!(%error, "that an instance is ready can't be kept"),
    }
    at
}

/// Nothing if it says that it is ready, else why not.
async fn answers(
    folder: &Folder,
    memory: &Mutex<Memory>,
    id: &InstanceId,
) -> Result<Option<String>, ProcessError> {
    let Some(address) = folder.address()? else {
        return Ok(Some("it has not told its address".to_owned()));
    };
    let asked = async { client(memory, id, address.listening)?.ready().await };
    Ok(match timeout(ANSWER, asked).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("it did not answer in {} s", ANSWER.as_secs())),
    })
}

/// What `tests` came to: nothing in it if all pass; nothing at all if the instance went away.
pub(super) async fn tested(
    folder: &Folder,
    order: &OrderFile,
    tests: &[GoldenTest],
) -> Option<Option<String>> {
    let address = folder.address().ok()??;
    let client = Client::direct(address.listening).ok()?;
    failures(&client, order.id.deployment.as_str(), &order.files, tests).await
}

async fn failures(
    client: &Client,
    model: &str,
    files: &Path,
    tests: &[GoldenTest],
) -> Option<Option<String>> {
    let mut failed = Vec::new();
    for test in tests {
        let tested = golden::test(client, model, test, files).await.ok()?;
        if !tested.passed {
            failed.push(format!(
                "{}: {}",
                tested.name,
                tested.differences.join(", ")
            ));
        }
    }
    Some((!failed.is_empty()).then(|| failed.join("; ")))
}
