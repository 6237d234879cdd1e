//! `modelyard export`: a version as another tool has it, or how it runs as a cluster's manifests.

mod shown;

use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::NonEmptyStringValueParser;

use super::pull::note_unvouched;
use super::stores::StoreArguments;
use super::{Context, Format, Outcome, completions};
use crate::artifact::cache::Cache;
use crate::import::{LeftOut, Opening};
use crate::ops::export::{self, At, Exported, Request, To};
use crate::ops::pull::Ground;
use crate::ops::show::Wanted;
use crate::platform::redact::printable;
use crate::platform::retry::Policy;
use crate::record::{Failure, Name};
use crate::yard::{Depth, Snapshot};

/// Export a version as MLflow, Hugging Face, KServe or Seldon have it
///
/// As a folder it has the artifact's files, verified as a pull verifies them, and what the other
/// tool needs beside them; it appears whole or not at all. For KServe and Seldon it becomes the
/// manifests of a version, or of a deployment with its split, strategy and resources. What the
/// other side has no place for is told, and an import of what was written gives the records back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  modelyard export vision/digits:champion --to mlflow
  modelyard export vision/digits:1.0.0 --to mlflow --register --tracking-uri http://localhost:5000
  modelyard export vision/digits:1.0.0 out/digits --to huggingface
  modelyard export vision/digits --to folder --dry-run
  modelyard export vision/digits --to kserve --namespace models | kubectl apply -f -
  modelyard export factory/digits digits.yaml --to seldon")]
pub(super) struct Arguments {
    /// What to export: MODEL:VERSION (or :RANGE, :ALIAS, @DIGEST); for manifests a deployment,
    /// too: ENVIRONMENT/DEPLOYMENT
    #[arg(value_name = "NAME", add = completions::shown())]
    wanted: Wanted,
    /// The folder, one of the model's name if it is left out; or the file of the manifests, which
    /// are printed if it is left out
    #[arg(value_name = "PATH")]
    place: Option<PathBuf>,
    /// What it becomes
    #[arg(long, value_enum, value_name = "WHAT")]
    to: Target,
    /// The cluster's namespace that manifests name
    #[arg(long, value_name = "NAME")]
    namespace: Option<Name>,
    /// Where the cluster finds the files, with {namespace}, {name} and {version} in it; the image
    /// or artifact in the registry if it is left out
    #[arg(long, value_name = "URI", value_parser = NonEmptyStringValueParser::new())]
    storage_uri: Option<String>,
    /// Register the model of MLflow's at the tracking server, too, under this name; under its own
    /// if it is left out
    #[arg(long, value_name = "NAME", num_args = 0..=1, requires = "tracking_uri")]
    register: Option<Option<String>>,
    /// The tracking server, whose tokens are read from MLflow's own variables
    #[arg(long, value_name = "URL", env = "MLFLOW_TRACKING_URI")]
    tracking_uri: Option<String>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// The yard whose records and trust policy count, by its git URL or path; no clone is kept
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    yard: Option<String>,
    /// Overwrite files that differ
    #[arg(long)]
    force: bool,
    /// Neither read nor fill the cache
    #[arg(long)]
    no_cache: bool,
    #[command(flatten)]
    stores: StoreArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Target {
    /// A folder with the records, the card and the files
    Folder,
    /// A model of MLflow's: `MLmodel`, requirements, files
    Mlflow,
    /// A snapshot of Hugging Face's hub: card and files
    Huggingface,
    /// `InferenceService`s, and an `InferenceGraph` for a split
    Kserve,
    /// Seldon Core 2: `Model`s, `Experiment`s, `Pipeline`s
    Seldon,
    /// Seldon Core 1: `SeldonDeployment`s
    SeldonV1,
}

impl From<Target> for To {
    fn from(target: Target) -> Self {
        match target {
            Target::Folder => Self::Folder,
            Target::Mlflow => Self::Mlflow,
            Target::Huggingface => Self::Huggingface,
            Target::Kserve => Self::Kserve,
            Target::Seldon => Self::Seldon,
            Target::SeldonV1 => Self::SeldonV1,
        }
    }
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
        let at = self
            .tracking_uri
            .clone()
            .filter(|_| self.register.is_some());
        let variables = |name: &str| context.variable(name);
        let opening = Opening {
            folder: context.directory.clone(),
            variables: &variables,
            retry: Policy::default(),
            stores: self.stores.options(context),
            probe: false,
        };
        let request = Request {
            register: at.map(|uri| At {
                uri,
                name: self.register.clone().flatten(),
            }),
            yard: self.yard(context).await?,
            wanted: self.wanted,
            to: self.to.into(),
            place: self.place,
            force: self.force,
            dry_run: self.dry_run,
            namespace: self.namespace,
            storage_uri: self.storage_uri,
        };
        let exported = export::export(&request, &ground, &opening).await?;
        match &exported {
            // Their text goes on to `kubectl`, and nothing else stands among it.
            Exported::Manifests(manifests) if manifests.file.is_none() => {
                if context.format == Format::Text {
                    context.print_text(&manifests.text())?;
                } else {
                    context.print(&exported)?;
                }
                for LeftOut { what, why } in &manifests.left_out {
                    context.note(&format!("no place for {} ({why})", printable(what)));
                }
                return Ok(Outcome::Done);
            }
            Exported::Folder(folder) => note_unvouched(context, &folder.artifact),
            Exported::Manifests(_) => {}
        }
        context.print(&exported)?;
        Ok(Outcome::Done)
    }

    /// The yard that is named, or the one we are in.
    async fn yard(&self, context: &Context) -> Result<Snapshot, Failure> {
        let yard = match self.yard.clone() {
            Some(url) => context.fetched(url, Depth::Tip).await?,
            None => context.yard()?,
        };
        Ok(yard.snapshot(&yard.at_hand())?)
    }
}
