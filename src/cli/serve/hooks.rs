//! Webhooks: what a forge tells of main has it fetched at once.

use std::path::Path;
use std::sync::Arc;

use hyper::HeaderMap;
use secrecy::SecretString;

use super::Arguments;
use crate::cli::{Context, proposing};
use crate::forge::hook::{self, Hook, Told};
use crate::gateway::{Ears, Heard};
use crate::platform::atomic;
use crate::platform::retry::Policy;
use crate::reconcile::inbox::{Inbox, Message};
use crate::record::Failure;
use crate::yard::Yard;

/// Where the secret is, where no file has it.
const VARIABLE: &str = "MODELYARD_HOOK_SECRET";
/// The largest file of a secret.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Nudges the reconciler of this host.
struct Nudges {
    hook: Hook,
    inbox: Inbox,
}

/// Who hears the forge's webhooks, if there is a secret that they are signed with.
///
/// # Errors
/// If the secret can't be read or can be guessed, or the yard can't be read.
pub(super) fn ears(
    arguments: &Arguments,
    context: &Context,
    yard: &Yard,
    folder: &Path,
) -> Result<Option<Arc<dyn Ears>>, Failure> {
    let secret = match &arguments.hook_secret_file {
        Some(file) => {
            let bytes = atomic::read_at_most(&context.path(file), MAX_SECRET_BYTES)?;
            SecretString::from(String::from_utf8_lossy(&bytes).into_owned())
        }
        None => match context.variable(VARIABLE) {
            Some(secret) => secret,
            None => return Ok(None),
        },
    };
    let hook = Hook::new(&secret, &project(context, yard)?, &yard.main_branch()?)?;
    let inbox = Inbox::of(folder);
    Ok(Some(Arc::new(Nudges { hook, inbox })))
}

/// The repository's path on its forge: of one that nobody knows, the end of the remote's.
fn project(context: &Context, yard: &Yard) -> Result<String, Failure> {
    let way = proposing::way(context, yard, None, Policy::default())?;
    if let Some(address) = way.address() {
        return Ok(address.project.clone());
    }
    let url = yard.remote()?.map(|remote| remote.url).unwrap_or_default();
    let mut parts = url.trim_end_matches('/').rsplit(['/', ':']);
    let name = parts.next().unwrap_or_default();
    Ok(format!("{}/{name}", parts.next().unwrap_or_default()))
}

impl Ears for Nudges {
    fn longest(&self) -> usize {
        hook::MAX_BYTES
    }

    fn hear(&self, headers: &HeaderMap, body: &[u8]) -> Heard {
        match self.hook.hear(headers, body) {
            Told::Main => {
                // One that waits already is as good as another.
                if let Err(error) = self.inbox.put(&Message::Nudge) {
                    tracing::warn!(%error, "a webhook can't be taken in; main is fetched in its turn");
                }
                Heard::Taken
            }
            Told::Other => Heard::Ignored,
            Told::Unsigned => {
                tracing::warn!("a webhook is not signed with the secret, and is not heard");
                Heard::Unsigned
            }
            Told::Nonsense => {
                tracing::warn!("a webhook can't be read, and is not heard");
                Heard::Nonsense
            }
        }
    }
}
