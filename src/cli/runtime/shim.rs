//! `modelyard runtime shim`: the process between a server and a runtime.

use std::path::PathBuf;

use super::super::context::interrupted;
use super::super::{Context, Outcome};
use crate::record::Failure;
use crate::target::process::shim;

/// Run the instance that a folder describes, and keep what it says and how it ends
///
/// The process target starts it; it is of no use by hand. It outlives the server that started it.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The instance's folder, in the target's state
    folder: PathBuf,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let folder = context.directory.join(self.folder);
        shim::run(&folder, &*context.clock, interrupted()).await?;
        Ok(Outcome::Done)
    }
}
