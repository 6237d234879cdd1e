//! `modelyard pull`: fetches a model's files, verified, into a folder.

use std::fmt::{self, Write};
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use indicatif::HumanBytes;
use unicode_width::UnicodeWidthStr;

use super::stores::StoreArguments;
use super::{Context, Outcome, Page, Report, completions};
use crate::artifact::cache::Cache;
use crate::ops::locate::Reference;
use crate::ops::pull::{self, Artifact, From, Ground, Pulled, Request};
use crate::platform::redact::printable;
use crate::record::Failure;
use crate::trust::Standing;
use crate::yard::{Depth, Snapshot};

/// How many files are told to people; machines are told all.
const TOLD_FILES: usize = 40;

/// Fetch a model's files, verified, into a folder
///
/// Every byte is verified by its digest, and the artifact's signatures by the yard's trust policy,
/// before the first file gets its place; then all of them do, or none. What was fetched once is
/// kept, and fetched no second time.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard pull vision/digits:champion
  modelyard pull vision/digits:^1.2 models/digits
  modelyard pull vision/digits:1.0.0 --yard https://git.example.com/acme/models.git
  modelyard pull registry.example.com/acme/models/vision/digits:1.0.0")]
pub(super) struct Arguments {
    /// What to fetch: a model of the yard, with a version, range or alias behind `:` or a digest
    /// behind `@`, or an OCI reference
    #[arg(value_name = "REF", add = completions::references())]
    reference: Reference,
    /// Where the files go; a folder of the model's name if it is left out
    folder: Option<PathBuf>,
    /// The yard whose records and trust policy count, by its git URL or path; no clone is kept
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    yard: Option<String>,
    /// Overwrite files of the folder that differ
    #[arg(long)]
    force: bool,
    /// Bring the files that other models produce for this one
    #[arg(long)]
    with_dependencies: bool,
    /// Neither read nor fill the cache
    #[arg(long)]
    no_cache: bool,
    #[command(flatten)]
    stores: StoreArguments,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let cache = (!self.no_cache).then(|| Cache::new(&context.places.cache));
        let ground = Ground {
            directory: &context.directory,
            stores: &self.stores.options(context),
            cache: cache.as_ref(),
            now: context.clock.now(),
            progress: &*context.progress,
        };
        let request = Request {
            yard: self.yard(context).await?,
            reference: self.reference,
            folder: self.folder,
            force: self.force,
            with_dependencies: self.with_dependencies,
        };
        let pulled = pull::pull(&request, &ground).await?;
        for artifact in pulled.artifacts() {
            note_unvouched(context, artifact);
        }
        context.print(&pulled)?;
        Ok(Outcome::Done)
    }

    /// The yard that is named, or the one we are in; none is needed for a bare reference.
    async fn yard(&self, context: &Context) -> Result<Option<Snapshot>, Failure> {
        let yard = match self.yard.clone() {
            Some(url) => Some(context.fetched(url, Depth::Tip).await?),
            None => context.yard_if_any()?,
        };
        let now = yard.map(|yard| yard.snapshot(&yard.at_hand()));
        Ok(now.transpose()?)
    }
}

/// Tells on the side that nobody vouches for what was fetched, if so.
pub(super) fn note_unvouched(context: &Context, artifact: &Artifact) {
    if artifact.verdict == Standing::Unvouched {
        context.note(&format!(
            "note: nobody vouches for {}: no trust rule asks for a signature of it \
             (modelyard explain nobody-vouches)",
            artifact.name()
        ));
    }
}

impl Pulled {
    fn artifacts(&self) -> impl Iterator<Item = &Artifact> {
        std::iter::once(&self.artifact).chain(&self.dependencies)
    }
}

impl Artifact {
    /// Its name in the yard, or its place.
    pub(super) fn name(&self) -> String {
        match (&self.model, &self.version) {
            (Some(model), Some(version)) => format!("{model}:{version}"),
            _ => self.repository.at(self.digest).to_string(),
        }
    }
}

impl Report for Pulled {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let folder = printable(&self.folder.display().to_string());
        writeln!(page, "pulled {} into {folder}", self.artifact.name())?;
        for artifact in self.artifacts() {
            if artifact.model.is_some() {
                writeln!(
                    page,
                    "  artifact  {}",
                    artifact.repository.at(artifact.digest)
                )?;
            }
            for signer in &artifact.signers {
                writeln!(page, "  signed    by {}", printable(&signer.key))?;
            }
        }
        for dependency in &self.dependencies {
            writeln!(page, "  with      files of {}", dependency.name())?;
        }
        writeln!(page)?;
        let paths: Vec<String> = self
            .files
            .iter()
            .map(|file| printable(&file.path))
            .collect();
        let width = paths.iter().map(|path| path.width()).max().unwrap_or(0);
        for (file, path) in self.files.iter().zip(paths).take(TOLD_FILES) {
            let from = match file.from {
                From::Store => "",
                From::Cache => "  from the cache",
                From::Folder => "  was there",
            };
            let gap = " ".repeat(width - path.width());
            let size = HumanBytes(file.size).to_string();
            writeln!(page, "  {path}{gap}  {size:>11}{from}")?;
        }
        if let Some(more @ 1..) = self.files.len().checked_sub(TOLD_FILES) {
            writeln!(page, "  and {more} more files")?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }
}
