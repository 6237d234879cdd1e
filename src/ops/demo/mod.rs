//! A model's life as a registry sees it, played in a folder of its own.
//!
//! Every command of the story is run as a person types it: `modelyard` is this very program,
//! started again, and `git` plays the forge's part. What each comes to is held against what the
//! story says of it, refusals too, by exit code and by the error's own code; the first thing that
//! comes out otherwise ends the story with an error. The folder stays, for a look around.

mod beside;
mod sample;
mod serving;
mod stage;
mod story;
mod traffic;

use std::io;
use std::path::PathBuf;

use super::codes;
use crate::platform::atomic::{FileError, create_folder};
use crate::record::{Code, Failure, Fault};
use stage::Stage;

/// Where and how the story is played.
#[derive(Debug, Clone)]
pub struct Wish {
    /// An empty folder, or one that is not there yet; a new temporary one where none is named.
    pub folder: Option<PathBuf>,
    /// The program that `modelyard` in a command means.
    pub program: PathBuf,
    /// Whether the commands may colour what they print.
    pub coloured: bool,
}

/// What happens, as it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A part of the story begins.
    Scene(&'a str),
    /// Something is told.
    Told(&'a str),
    /// A command is about to run.
    Command {
        /// The folder that it runs in, below the demo's; empty for that itself.
        folder: &'a str,
        /// The command, as it is typed.
        line: &'a str,
    },
    /// A command prints this line, and goes on.
    Line(&'a str),
    /// A command has printed this.
    Printed(&'a str),
}

/// A story that came out as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// Where all of it lies.
    pub folder: PathBuf,
    /// How many commands were run.
    pub commands: usize,
    /// How many of them were refused, as they had to be.
    pub refusals: usize,
}

/// Why the story could not be told to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Something came out otherwise than the story says.
    #[error("`{line}` had to come to {expected}, and came to {got}")]
    NotAsTold {
        /// The command.
        line: String,
        /// What had to be.
        expected: String,
        /// What was.
        got: String,
        /// Where all of it lies.
        folder: PathBuf,
    },
    /// A program of the story can't be run.
    #[error("can't run `{program}`")]
    NotStarted {
        /// Its name.
        program: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Somebody's files are where the story was to be played.
    #[error("{} is not empty", folder.display())]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
    },
}

impl Fault for DemoError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NotAsTold { .. } => &codes::DEMO_NOT_AS_TOLD,
            Self::NotStarted { .. } => &codes::DEMO_PROGRAM_MISSING,
            Self::NotEmpty { .. } => &codes::FOLDER_NOT_EMPTY,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotAsTold { folder, .. } => format!(
                "this is a fault of modelyard's own: see what is in {}, and report it with what \
                 was printed",
                folder.display()
            ),
            Self::NotStarted { program, .. } => {
                format!("install {program}, and see that it is in your PATH")
            }
            Self::NotEmpty { .. } => "name a folder that is empty or not there yet".to_owned(),
        })
    }
}

/// Plays the story, and tells `listener` what happens.
///
/// It blocks, for some seconds.
///
/// # Errors
/// [`DemoError`], or that a file can't be written.
pub fn demo(wish: Wish, listener: &mut dyn FnMut(Event<'_>)) -> Result<Played, Failure> {
    let folder = match wish.folder {
        Some(folder) => {
            if stage::is_filled(&folder)? {
                return Err(DemoError::NotEmpty { folder }.into());
            }
            create_folder(&folder)?;
            folder
                .canonicalize()
                .map_err(FileError::at("find", &folder))?
        }
        None => tempfile::Builder::new()
            .prefix("modelyard-demo-")
            .tempdir()
            .map_err(FileError::at("make a folder in", std::env::temp_dir()))?
            .keep(),
    };
    let mut stage = Stage::set(folder, wish.program, wish.coloured, listener)?;
    story::play(&mut stage)?;
    Ok(Played {
        commands: stage.commands,
        refusals: stage.refusals,
        folder: stage.folder.clone(),
    })
}
