//! `modelyard publish`: files become a signed artifact and a record on a branch.

mod fields;
mod questions;
mod shown;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::keys::signer::SignerArguments;
use super::proposing::Proposing;
use super::stores::StoreArguments;
use super::{Context, Outcome, completions};
use crate::artifact::pack::RoleRule;
use crate::ops::publish::{self, PublishError, Request, Wanted};
use crate::record::{Alias, Bump, Failure, Lifecycle, ModelReference, Name, Selector};
use shown::Shown;

/// Publish a folder or a file as a model's next version
///
/// The files become one signed artifact in the yard's store, and its record goes on a branch,
/// ready to be reviewed and merged. Your work tree, index and checked-out branch stay as they are.
///
/// Inputs, outputs and formats are read from the files; the rest comes from --from, from flags,
/// and, at a terminal, from questions. Publishing the same again changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  modelyard publish ./digits --as vision/digits:1.0.0
  modelyard publish ./digits --as vision/digits --bump minor --changes 'Trained longer'
  modelyard publish model.onnx --as vision/digits:1.0.0 --title Digits --owner vision
  modelyard publish ./digits --as vision/digits:1.1.0 --from model.yaml --from version.yaml
  modelyard publish ./digits --as vision/digits:1.1.0 --role 'data/**=dataset' --dry-run

What is left out:
  hidden files, leftovers of editors, and what .modelyardignore names, in gitignore's language.")]
pub(super) struct Arguments {
    /// The folder or file to publish
    path: PathBuf,
    /// The model, and the version unless --bump says which part goes up
    #[arg(long = "as", value_name = "MODEL[:VERSION]", add = completions::references())]
    target: ModelReference,
    /// Raise this part of the newest version
    #[arg(long, value_enum, value_name = "PART")]
    bump: Option<BumpPart>,
    /// A record to take fields from, of kind Model or ModelVersion; may be given again
    #[arg(long, value_name = "FILE")]
    from: Vec<PathBuf>,
    /// The role of files that are taken for something else: weight, config, code, dataset, doc
    #[arg(long = "role", value_name = "GLOB=ROLE")]
    roles: Vec<RoleRule>,
    /// A store of the yard, by its name; its first one if none is named
    #[arg(long, value_name = "NAME")]
    store: Option<Name>,
    /// Where the version's life begins: staged or released
    #[arg(long, value_name = "STAGE")]
    lifecycle: Option<Lifecycle>,
    /// Release it, and have this name mean it, in the same commit; may be given again
    #[arg(long, value_name = "ALIAS")]
    promote: Vec<Alias>,
    #[command(flatten)]
    signer: SignerArguments,
    /// Leave the artifact unsigned
    #[arg(long, conflicts_with_all = ["key", "password_file"])]
    unsigned: bool,
    /// Ask nothing, even at a terminal
    #[arg(long)]
    no_questions: bool,
    /// Show what would be published, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    fields: fields::Fields,
    #[command(flatten)]
    stores: StoreArguments,
    #[command(flatten)]
    proposing: Proposing,
}

/// A part of a version.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum BumpPart {
    /// 1.4.2 to 2.0.0
    Major,
    /// 1.4.2 to 1.5.0
    Minor,
    /// 1.4.2 to 1.4.3
    Patch,
}

impl From<BumpPart> for Bump {
    fn from(part: BumpPart) -> Self {
        match part {
            BumpPart::Major => Self::Major,
            BumpPart::Minor => Self::Minor,
            BumpPart::Patch => Self::Patch,
        }
    }
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let wanted = wanted(&self.target, self.bump)?;
        let absolute = |path: PathBuf| context.path(path);
        let model = self.target.model;
        let request = Request {
            path: absolute(self.path),
            model: model.clone(),
            wanted,
            store: self.store,
            roles: self.roles,
            from: self.from.into_iter().map(absolute).collect(),
            lifecycle: self.lifecycle,
            promote: self.promote,
            said: self.fields.said(),
        };
        let (yard, proposer) = self.proposing.begin(context)?;
        // A password is asked for, and found wrong, before anything is packed.
        let signs = !self.unsigned && !self.dry_run;
        let key = if signs {
            Some(
                self.signer
                    .open(context)
                    .await?
                    .ok_or(PublishError::Unsigned)?,
            )
        } else {
            None
        };

        let mut draft = publish::draft(&yard, request, &context.progress).await?;
        if context.interactive && !self.no_questions {
            let open = draft.open_questions();
            if !open.is_empty() {
                let told = format!("{model} is new here. An empty answer leaves a field open.");
                context.progress.step(&told);
            }
            draft.hear(questions::ask(&open, &model)?);
        }
        let now = context.clock.now();
        let published = if self.dry_run {
            draft.rehearse(now).await?
        } else {
            let options = self.stores.options(context);
            draft
                .publish(key.as_ref(), &options, now, &context.progress)
                .await?
        };
        let shown = Shown {
            published,
            dry_run: self.dry_run,
        };
        proposer.finish(context, shown).await
    }
}

fn wanted(target: &ModelReference, bump: Option<BumpPart>) -> Result<Wanted, PublishError> {
    let unclear = |what| PublishError::WhichVersion {
        model: target.model.clone(),
        what,
    };
    match (&target.selector, bump) {
        (Selector::Version(version), None) => Ok(Wanted::Version(version.clone())),
        (Selector::Newest, Some(part)) => Ok(Wanted::Next(part.into())),
        (Selector::Newest, None) => Err(unclear("not said")),
        (_, Some(_)) => Err(unclear("said twice")),
        (_, None) => Err(unclear("not said by a range, an alias or a digest")),
    }
}
