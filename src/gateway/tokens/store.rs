//! The file of tokens.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{PREFIX, Token, draw, hash};
use crate::gateway::codes;
use crate::platform::Places;
use crate::platform::atomic::{self, FileError, Readers};
use crate::record::{Code, Fault, Name};

/// The largest file: some tens of thousands of tokens.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Tokens that can't be read, written or made.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// The file can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// It holds no tokens.
    #[error("{} is not a file of tokens", path.display())]
    Broken {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// The machine gives no random bytes.
    #[error("the machine has no randomness to make a token of")]
    NoRandomness,
    /// There is no such token.
    #[error("there is no token `{}`", .0.escape_debug())]
    Unknown(String),
}

impl Fault for TokensError {
    fn code(&self) -> &'static Code {
        match self {
            Self::File(error) => error.code(),
            _ => &codes::TOKENS_UNUSABLE,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::File(error) => error.help(),
            Self::Broken { .. } => {
                Some("restore it from a backup, or move it away and make new tokens".to_owned())
            }
            Self::NoRandomness => Some("look what keeps `getrandom` from working".to_owned()),
            Self::Unknown(_) => Some("`modelyard token list` tells which there are".to_owned()),
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    tokens: Vec<Token>,
}

/// A token that was just made: the only time that it is seen.
#[derive(Debug)]
pub struct NewToken {
    /// What is kept of it.
    pub token: Token,
    /// What the application shows.
    pub secret: SecretString,
}

/// The tokens as their file last said.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    known: ArcSwap<HashMap<String, Token>>,
    /// When the file was written that was read last, and how long it was.
    read: Mutex<Option<(SystemTime, u64)>>,
}

impl Tokens {
    /// Reads the file; one that isn't there holds none.
    ///
    /// # Errors
    /// [`TokensError`] if it can't be read or holds something else.
    pub fn read(path: &Path) -> Result<Self, TokensError> {
        let written = written_at(path);
        Ok(Self {
            known: ArcSwap::from_pointee(known(path)?),
            path: path.to_owned(),
            read: Mutex::new(written),
        })
    }

    pub(super) fn find(&self, id: &str) -> Option<Token> {
        self.known.load().get(id).cloned()
    }

    /// Reads the file again if it was written since. If it is no good what was known stays in
    /// force, and it is logged.
    pub(in crate::gateway) fn renew(&self) {
        let written = written_at(&self.path);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if *read == written {
            return;
        }
        *read = written;
        match known(&self.path) {
            Ok(known) => self.known.store(Arc::new(known)),
            Err(error) => {
                tracing::warn!(%error, "tokens can't be read: those known before stay in force");
            }
        }
    }
}

/// Where a user's tokens are, for commands and servers.
pub fn place(places: &Places) -> PathBuf {
    places.config.join("tokens.json")
}

/// Makes a token, and writes what is kept of it.
///
/// # Errors
/// [`TokensError`]; the file is then as it was.
pub fn create(
    path: &Path,
    application: Name,
    deployments: Option<Vec<Name>>,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<NewToken, TokensError> {
    let (id, secret) = draw().ok_or(TokensError::NoRandomness)?;
    let token = Token {
        hash: hash(&secret),
        application,
        deployments,
        created_at: now,
        expires_at,
        revoked_at: None,
        id,
    };
    let secret = SecretString::from(format!("{PREFIX}{}_{secret}", token.id));
    change(path, |tokens| {
        tokens.push(token.clone());
        Ok(())
    })?;
    Ok(NewToken { token, secret })
}

/// All tokens, in the order in which they were made.
///
/// # Errors
/// [`TokensError`] if the file can't be read or holds something else.
pub fn list(path: &Path) -> Result<Vec<Token>, TokensError> {
    Ok(load(path)?.tokens)
}

/// Revokes a token by its id; one that is revoked already stays so since it was.
///
/// # Errors
/// [`TokensError`]; the file is then as it was.
pub fn revoke(path: &Path, id: &str, now: Timestamp) -> Result<Token, TokensError> {
    change(path, |tokens| {
        let token = tokens.iter_mut().find(|token| token.id == id);
        let token = token.ok_or_else(|| TokensError::Unknown(id.to_owned()))?;
        token.revoked_at.get_or_insert(now);
        Ok(token.clone())
    })
}

/// Changes the file, one process at a time.
fn change<T>(
    path: &Path,
    change: impl FnOnce(&mut Vec<Token>) -> Result<T, TokensError>,
) -> Result<T, TokensError> {
    let folder = path.parent().unwrap_or(path);
    atomic::create_folder(folder)?;
    let opened = File::open(folder).map_err(FileError::at("open", folder))?;
    opened.lock().map_err(FileError::at("lock", folder))?;
    let mut written = load(path)?;
    let result = change(&mut written.tokens)?;
    let text = serde_json::to_vec_pretty(&written).expect("names, times and digests are text");
    atomic::write(path, &text, Readers::Owner)?;
    Ok(result)
}

fn load(path: &Path) -> Result<Written, TokensError> {
    if !path.exists() {
        return Ok(Written::default());
    }
    let bytes = atomic::read_at_most(path, MOST_BYTES)?;
    serde_json::from_slice(&bytes).map_err(|source| TokensError::Broken {
        path: path.to_owned(),
        source,
    })
}

fn known(path: &Path) -> Result<HashMap<String, Token>, TokensError> {
    let tokens = load(path)?.tokens.into_iter();
    Ok(tokens.map(|token| (token.id.clone(), token)).collect())
}

fn written_at(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
