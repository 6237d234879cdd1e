//! `modelyard push`: packs files and puts them into a store.

use std::fmt::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use indicatif::HumanBytes;

use super::stores::StoreArguments;
use super::{Context, Outcome, Page, Report};
use crate::artifact::pack::RoleRule;
use crate::ops::push::{self, Pushed, Request};
use crate::platform::redact::printable;
use crate::record::{Failure, OciReference};

/// Pack files and put them into a store, with no record of them
///
/// What `modelyard publish` does for a model of the yard, this does for a bare OCI reference. The
/// same files give the same digest everywhere. Hidden files, leftovers of editors and what
/// `.modelyardignore` names are left out.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard push models/digits registry.example.com/acme/digits:1.0.0
  modelyard push model.onnx oci-layout:./store/digits:latest")]
pub(super) struct Arguments {
    /// The file or folder
    path: PathBuf,
    /// Where to, with the tag that shall point at it
    #[arg(value_name = "OCI-REF")]
    reference: OciReference,
    /// What a file is, where its name and content don't tell: weight, config, code, dataset, doc
    #[arg(long = "role", value_name = "GLOB=ROLE")]
    roles: Vec<RoleRule>,
    /// Move a version's tag that points at something else
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    stores: StoreArguments,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let request = Request {
            path: context.path(self.path),
            roles: self.roles,
            reference: push::absolute(self.reference, &context.directory),
            force: self.force,
        };
        let stores = self.stores.options(context);
        let pushed = push::push(request, &stores, Arc::clone(&context.progress)).await?;
        for left_out in &pushed.left_out {
            let path = printable(&left_out.path);
            context.note(&format!("left out {path}: {}", left_out.why));
        }
        context.print(&pushed)?;
        Ok(Outcome::Done)
    }
}

impl Report for Pushed {
    fn text(&self, page: &mut Page) -> fmt::Result {
        writeln!(page, "pushed {}", printable(&self.reference))?;
        let count = match self.files.len() {
            1 => "1 file".to_owned(),
            files => format!("{files} files"),
        };
        let sent = match self.sent_bytes {
            0 => "all of them were there".to_owned(),
            bytes => format!("{} sent", HumanBytes(bytes)),
        };
        writeln!(page, "  {count}, {}: {sent}", HumanBytes(self.total_bytes))
    }

    fn names(&self) -> Vec<String> {
        vec![self.reference.clone()]
    }
}
