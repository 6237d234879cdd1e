//! The way of one request: who answers it, and what it passes before and behind.

use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::COOKIE;

use super::choose;
use super::instance::Lease;
use super::map::{Backend, Deployment, Map};
use super::refusal::Refusal;
use crate::record::kind::Sticky;
use crate::rollout::{InstanceId, Revision};

/// The header that asks for the new version before it gets any traffic: `modelyard-preview: true`.
pub const PREVIEW: &str = "modelyard-preview";

/// What of a request tells who is to answer it.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Stands for the client, where its route keeps clients with one version.
    pub(super) client: Option<u64>,
    /// The version in the path.
    pub(super) version: Option<String>,
    /// Whether the new version is asked for.
    pub(super) preview: bool,
    /// Its number among the deployment's requests.
    pub(super) turn: u64,
}

/// The replicas of a way, in use until it is dropped.
#[derive(Debug)]
pub(super) struct Way {
    /// Where it was chosen from.
    pub(super) map: Arc<Map>,
    pub(super) backend: Arc<Backend>,
    pub(super) before: Vec<Lease>,
    pub(super) model: Lease,
    pub(super) after: Vec<Lease>,
}

impl Deployment {
    /// Who may answer, by what is asked for.
    ///
    /// # Errors
    /// A version or a preview is asked for that there isn't.
    pub(super) fn choose<'d>(
        &'d self,
        wanted: &Wanted,
        without: &[Revision],
    ) -> Result<Option<&'d Arc<Backend>>, Refusal> {
        let name = || self.name.as_str().to_owned();
        let nothing_known = self.backends.is_empty() && self.preview.is_empty();
        if let Some(version) = &wanted.version {
            let mut all = self.of_version(version).peekable();
            if all.peek().is_none() && !nothing_known {
                return Err(Refusal::NoSuchVersion {
                    deployment: name(),
                    version: version.clone(),
                });
            }
            return Ok(all.find(|backend| !without.contains(&backend.revision)));
        }
        if wanted.preview {
            if self.preview.is_empty() && !nothing_known {
                return Err(Refusal::NoPreview(name()));
            }
            return Ok(pick(&self.preview, wanted, without));
        }
        Ok(pick(&self.backends, wanted, without))
    }
}

/// One of several by weight, but for those left out.
pub(super) fn pick<'b>(
    backends: &'b [Arc<Backend>],
    wanted: &Wanted,
    without: &[Revision],
) -> Option<&'b Arc<Backend>> {
    if let ([only], []) = (backends, without) {
        return Some(only);
    }
    let left = backends
        .iter()
        .filter(|backend| !without.contains(&backend.revision));
    let index = match wanted.client {
        Some(client) => choose::by_client(client, left.clone().map(|one| (one.key, one.weight)))?,
        None => choose::by_turn(left.clone().map(|one| one.weight), wanted.turn)?,
    };
    left.clone().nth(index)
}

impl Way {
    /// Takes a replica of each place into use; `None` if those of one place are all among `tried`.
    pub(super) fn take(
        map: &Arc<Map>,
        backend: &Arc<Backend>,
        turn: u64,
        tried: &[InstanceId],
    ) -> Option<Self> {
        let lease = |link: &super::map::Link| link.lease(turn, tried);
        Some(Self {
            before: backend.before.iter().map(lease).collect::<Option<_>>()?,
            model: lease(&backend.model)?,
            after: backend.after.iter().map(lease).collect::<Option<_>>()?,
            map: Arc::clone(map),
            backend: Arc::clone(backend),
        })
    }
}

/// What stands for the client of a request, and the cookie to set if it has none yet.
pub(super) fn client(
    sticky: Option<&Sticky>,
    headers: &HeaderMap,
) -> (Option<u64>, Option<String>) {
    match sticky {
        None => (None, None),
        Some(Sticky::Header(name)) => {
            let value = headers.get(name.as_str());
            (value.map(|value| choose::key(value.as_bytes())), None)
        }
        Some(Sticky::Cookie(name)) => match cookie(headers, name.as_str()) {
            Some(value) => (Some(choose::key(value.as_bytes())), None),
            None => match getrandom::u64() {
                Ok(random) => {
                    let value = format!("{random:016x}");
                    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax");
                    (Some(choose::key(value.as_bytes())), Some(cookie))
                }
                // Without randomness nobody is known again, and everybody is answered.
                Err(_) => (None, None),
            },
        },
    }
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(COOKIE).iter();
    let pairs = all.filter_map(|value| value.to_str().ok());
    pairs
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}
