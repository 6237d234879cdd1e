//! Clients that ask, and what they are answered.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// A request that every version of the sample takes.
pub(super) fn request() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/digits/1.0.0");
    fs::read_to_string(format!("{folder}/requests/a-three.json")).unwrap()
}

/// Clients that ask without end, and note which version answers.
pub(super) struct Clients {
    stop: Arc<AtomicBool>,
    counts: Arc<Mutex<BTreeMap<String, u64>>>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Clients {
    /// So many clients of `url`, one request after the other each.
    pub(super) fn ask(count: usize, url: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let counts = Arc::default();
        let threads = (0..count).map(|_| {
            let (stop, counts) = (Arc::clone(&stop), Arc::clone(&counts));
            let url = url.to_owned();
            std::thread::spawn(move || asked(&url, &stop, &counts))
        });
        Self {
            threads: threads.collect(),
            stop,
            counts,
        }
    }

    /// How many answers there were, by version; and by their kind those that were none.
    pub(super) fn so_far(&self) -> BTreeMap<String, u64> {
        self.counts.lock().unwrap().clone()
    }

    /// The same, at the end.
    pub(super) fn end(self) -> BTreeMap<String, u64> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        let counts = self.counts.lock().unwrap();
        counts.clone()
    }
}

fn asked(url: &str, stop: &AtomicBool, counts: &Mutex<BTreeMap<String, u64>>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    while !stop.load(Ordering::Relaxed) {
        let answer = runtime.block_on(async {
            let answer = client.post(url).body(request()).send().await?;
            let version = answer.headers().get("modelyard-version").cloned();
            let status = answer.status();
            let body: Value = answer.json().await?;
            Ok::<_, reqwest::Error>((status, version, body))
        });
        let kind = match answer {
            Ok((status, Some(version), body)) if status == 200 => {
                assert_eq!(body["outputs"][0]["data"][0], 3, "{body}");
                version.to_str().unwrap().to_owned()
            }
            Ok((status, _, body)) => format!("error {status}: {}", body["error"]),
            Err(_) => "connection".to_owned(),
        };
        *counts.lock().unwrap().entry(kind).or_insert(0) += 1;
    }
}
