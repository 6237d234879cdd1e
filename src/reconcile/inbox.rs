//! What is told to the reconciler of this host beside main: files that it takes from a folder.
//!
//! ```text
//! <folder>/inbox/nudge                    main has something new
//! <folder>/inbox/plan-HASH                the plan of this hash is meant, though another was shown
//! <folder>/inbox/DEPLOYMENT.json          a person's word on the deployment's rollout
//! ```
//!
//! They are written whole, by anybody who may write to the state, whether or not a reconciler runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::platform::atomic::{self, FileError, Readers};
use crate::record::kind::RolloutWord;
use crate::record::{Digest, Name};

/// The largest message.
const MAX_MESSAGE_BYTES: u64 = 64 * 1024;
/// What a nudge is called; names of deployments' words end in `.json`.
const NUDGE: &str = "nudge";
/// What a word on a plan begins with.
const PLAN: &str = "plan-";

/// What is told to the reconciler of this host.
#[derive(Debug, Clone)]
pub struct Inbox {
    folder: PathBuf,
}

/// Something that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Main has something new.
    Nudge,
    /// The plan of this hash is meant, though reviewers were shown another one.
    Plan(Digest),
    /// A person's word on a deployment's rollout.
    Word(Name, RolloutWord),
}

impl Inbox {
    /// That of the environment whose state is in `state`.
    pub fn of(state: &Path) -> Self {
        Self {
            folder: state.join("inbox"),
        }
    }

    /// Tells the reconciler something; the same twice is the same once.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn put(&self, message: &Message) -> Result<(), FileError> {
        let bytes = match message {
            Message::Nudge | Message::Plan(_) => Vec::new(),
            Message::Word(_, word) => serde_json::to_vec(word).expect("its keys are texts"),
        };
        atomic::write(&self.folder.join(message.name()), &bytes, Readers::Umask)
    }

    /// What was told. Each stays until it is [`done`](Self::done), so that nothing is lost by being
    /// killed. What can't be read is no message, and is removed.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn messages(&self) -> Result<Vec<Message>, FileError> {
        let read = || FileError::at("read", &self.folder);
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(read()(error)),
        };
        let mut messages = Vec::new();
        for entry in entries {
            let path = entry.map_err(read())?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            // Whoever writes now has not told it yet.
            if name.is_some_and(|name| name.starts_with(atomic::TEMPORARY_PREFIX)) {
                continue;
            }
            match name.and_then(|name| message(&path, name)) {
                Some(message) => messages.push(message),
                None => {
                    tracing::warn!(path = %path.display(), "this is no message, and is removed");
                    fs::remove_file(&path).map_err(FileError::at("remove", &path))?;
                }
            }
        }
        Ok(messages)
    }

    /// Removes a message, unless another word came in its place meanwhile.
    ///
    /// # Errors
    /// If it can't be removed.
    pub fn done(&self, message: &Message) -> Result<(), FileError> {
        let name = message.name();
        let path = self.folder.join(&name);
        if matches!(message, Message::Word(..))
            && self::message(&path, &name).as_ref() != Some(message)
        {
            return Ok(());
        }
        atomic::remove(&path)
    }
}

impl Message {
    /// What its file is called.
    fn name(&self) -> String {
        match self {
            Self::Nudge => NUDGE.to_owned(),
            Self::Plan(hash) => format!("{PLAN}{}", hash.hex()),
            Self::Word(deployment, _) => format!("{deployment}.json"),
        }
    }
}

fn message(path: &Path, name: &str) -> Option<Message> {
    if name == NUDGE {
        return Some(Message::Nudge);
    }
    if !name.ends_with(".json")
        && let Some(hash) = name.strip_prefix(PLAN)
    {
        return Some(Message::Plan(format!("sha256:{hash}").parse().ok()?));
    }
    let deployment = name.strip_suffix(".json")?.parse().ok()?;
    let word = atomic::read_at_most(path, MAX_MESSAGE_BYTES).ok()?;
    Some(Message::Word(
        deployment,
        serde_json::from_slice(&word).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_stays_until_it_is_done_and_other_files_go() {
        let state = tempfile::tempdir().unwrap();
        let inbox = Inbox::of(state.path());
        assert_eq!(inbox.messages().unwrap(), []);
        let digest = format!("sha256:{}", "0".repeat(64));
        let word = serde_json::json!({"digest": digest, "action": "pause"});
        let word = Message::Word(
            "digits".parse().unwrap(),
            serde_json::from_value(word).unwrap(),
        );
        inbox.put(&Message::Nudge).unwrap();
        inbox.put(&word).unwrap();
        inbox.put(&word).unwrap();
        let plan = Message::Plan(digest.parse().unwrap());
        inbox.put(&plan).unwrap();
        fs::write(state.path().join("inbox/other"), "").unwrap();
        fs::write(state.path().join("inbox/broken.json"), "{").unwrap();
        let mut told = inbox.messages().unwrap();
        told.sort_by_key(|message| *message != Message::Nudge);
        told.sort_by_key(|message| matches!(message, Message::Word(..)));
        assert_eq!(told, [Message::Nudge, plan.clone(), word.clone()]);
        assert_eq!(fs::read_dir(state.path().join("inbox")).unwrap().count(), 3);
        inbox.done(&plan).unwrap();
        inbox.done(&word).unwrap();
        assert_eq!(inbox.messages().unwrap(), [Message::Nudge]);
    }
}
