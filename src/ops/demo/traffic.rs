//! Clients that ask while the story goes on, and count who answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::protocol::{Body, Request};
use crate::record::Failure;
use crate::target::runtime::Client;

/// How many clients ask at once.
const CLIENTS: usize = 4;

/// Clients of a deployment, one request after the other each.
pub(super) struct Traffic {
    stop: Arc<AtomicBool>,
    counts: Arc<Mutex<Counts>>,
    clients: Vec<JoinHandle<()>>,
}

/// Who answered how often.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    /// By version.
    pub(super) answers: BTreeMap<String, u64>,
    /// Those that got none, and why the last one did not.
    pub(super) failed: u64,
    pub(super) last_failure: String,
}

impl Traffic {
    /// Begins to ask `deployment` behind the gateway at `address`. To be called where there is a
    /// runtime that others work on.
    pub(super) fn begin(
        address: &str,
        deployment: &'static str,
        request: &[u8],
    ) -> Result<Self, Failure> {
        let body = Body {
            bytes: request.to_vec().into(),
            header_length: None,
        };
        let request = Arc::new(Request::parse(&body)?);
        let url = format!("http://{address}");
        let url = url.parse().expect("an address makes a URL");
        let (stop, counts) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let ask = |_| {
            // Each has connections of its own: with its one request it has but one to lose.
            let client = Client::gateway(&url, None)?;
            let request = Arc::clone(&request);
            let (stop, counts) = (Arc::clone(&stop), Arc::clone(&counts));
            Ok(Handle::current().spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let answer = client.infer(deployment, &request).await;
                    let mut counts = locked(&counts);
                    match answer {
                        Ok(answer) => {
                            let version = answer.model_version.unwrap_or_default();
                            *counts.answers.entry(version).or_insert(0) += 1;
                        }
                        Err(error) => {
                            counts.failed += 1;
                            counts.last_failure = error.to_string();
                        }
                    }
                }
            }))
        };
        Ok(Self {
            clients: (0..CLIENTS).map(ask).collect::<Result<_, Failure>>()?,
            stop,
            counts,
        })
    }

    /// Ends it, and tells who answered.
    pub(super) fn end(self) -> Counts {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            // A client that panicked has counted what it could.
            let _ = Handle::current().block_on(client);
        }
        locked(&self.counts).clone()
    }
}

fn locked(counts: &Mutex<Counts>) -> std::sync::MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}
