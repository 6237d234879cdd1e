//! Hugging Face: repositories of a hub, what its client has fetched, and folders with a card.
//!
//! ```text
//!  org/name ──▶ Hub ──────┐ refs, commits, tree, resolve
//!  cache:   ──▶ Cache ────┤ models--org--name/{refs,snapshots,blobs}
//!  ./folder ──▶ Snapshot ─┴▶ card ──▶ fields of records, and what found no place
//!                                 ◀── export_card: the same mapping backwards
//! ```
//!
//! - A revision is resolved to its commit first, and everything is read at that commit: what is
//!   pushed meanwhile changes nothing that is being brought.
//! - A file's size and, where the hub keeps it in LFS, its SHA-256 come from the listing, and what
//!   arrives is held against them.
//! - A token goes to the hub that it is for and to nobody else: not to where the hub sends us for
//!   the bytes, nor to a hub that is only named on a command line.
//! - A card is somebody else's words. What it says goes into records that people review; what the
//!   files are is told by the files.
//!
//! Sources: the hub's API (huggingface.co/docs/hub/api), its OpenAPI description, and how
//! `huggingface_hub` 2.4 uses it; "Understand caching" in the client's documentation.

mod cache;
mod card;
mod citation;
mod hub;
mod license;
mod refusal;
mod results;
mod revision;
mod snapshot;
mod spot;
mod task;
mod write;

use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;

pub(super) use license::of_hub as license;
pub(super) use refusal::{message, refusal, reset};
pub(super) use task::classification;
pub use write::export_card;

use super::{ImportError, ModelListed, Opening, Place, Source};
use crate::platform::atomic::{FileError, read_at_most};
use card::{Card, tell};
use spot::{Home, Spot};

/// The variables with a token of the client's.
const TOKENS: [&str; 2] = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"];

/// What to set for a token to be sent to a hub that is not the client's own.
const TOKENS_ELSEWHERE: [&str; 1] = ["HF_ENDPOINT to that hub and HF_TOKEN"];

/// The largest token's file.
const MAX_TOKEN_BYTES: u64 = 16 << 10;

/// Opens what `place` means. Nothing is asked of a hub yet.
///
/// # Errors
/// If it means nothing that there can be, or nothing that is there.
pub(super) fn open(place: &Place, opening: &Opening<'_>) -> Result<Arc<dyn Source>, ImportError> {
    let home = Home(opening.variables);
    let (spot, asked) = Spot::of(place, &opening.folder, &home)?;
    Ok(match spot {
        Spot::Folder(path) => Arc::new(snapshot::Snapshot::open(&path)?),
        Spot::Cache { folder, id } => Arc::new(cache::Cache::open(&folder, id, asked)?),
        Spot::Hub {
            endpoint,
            is_own,
            id,
        } => {
            let token = token(place, is_own, &home)?;
            let variables: &'static [&'static str] = match is_own {
                true => &TOKENS[..1],
                false => &TOKENS_ELSEWHERE,
            };
            let access = hub::Access {
                token,
                variables,
                retry: opening.retry,
            };
            let path = place.path.clone();
            Arc::new(hub::Hub::open(endpoint, id, asked, path, access)?)
        }
    })
}

/// The token for a hub: the one that the yard names, or the client's own for its own hub.
fn token(
    place: &Place,
    is_own: bool,
    home: &Home<'_>,
) -> Result<Option<SecretString>, ImportError> {
    if let Some(variable) = &place.token {
        return Ok(home.variable(variable).map(Into::into));
    }
    if !is_own {
        return Ok(None);
    }
    if let Some(token) = TOKENS.iter().find_map(|name| home.variable(name)) {
        return Ok(Some(token.into()));
    }
    let path = home.variable("HF_TOKEN_PATH");
    let path = path.map_or_else(|| home.folder().join("token"), Into::into);
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = read_at_most(&path, MAX_TOKEN_BYTES)?;
    let token = String::from_utf8_lossy(&bytes).trim().to_owned();
    Ok((!token.is_empty()).then(|| token.into()))
}

/// What a card says of a model, whatever its version.
fn model_of(card: Option<&Card>) -> ModelListed {
    let told = card.map(tell).unwrap_or_default();
    ModelListed {
        spec: told.model,
        ..ModelListed::default()
    }
}

/// The card in the folder at `path`, as it is written.
fn card_in(path: &Path) -> Result<Option<String>, ImportError> {
    let path = path.join(card::FILE);
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = read_at_most(&path, card::MAX_BYTES)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// What a pointer of Git LFS begins with, and how long one can be.
const POINTER: (&[u8], u64) = (b"version https://git-lfs.github.com/spec/v1\n", 1024);

/// Whether the file at `path`, of `size_bytes`, is a pointer of Git LFS.
fn is_pointer(path: &Path, size_bytes: u64) -> Result<bool, FileError> {
    let (begins, most) = POINTER;
    if size_bytes > most {
        return Ok(false);
    }
    Ok(read_at_most(path, most)?.starts_with(begins))
}

/// Whether a file of a repository is for git or for tools, and not for the model.
fn is_hidden(path: &str) -> bool {
    path.split('/').any(|word| word.starts_with('.'))
}
