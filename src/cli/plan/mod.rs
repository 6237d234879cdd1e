//! `modelyard plan`: what would be done, by a merge or by a pass.

mod merge;
mod pass;

use std::path::PathBuf;

use super::host::HostArguments;
use super::serve::WordArguments;
use super::stores::StoreArguments;
use super::{Context, Outcome, completions};
use crate::record::{Failure, Name};
use crate::yard::Revision;

/// Show what a merge would do, or what a pass over an environment of this host would do now
///
/// With --base: compares two states of the yard, and tells what merging the change would do: to each
/// environment's deployments (steps, weights over time, pools, what is drained, what can't be done)
/// and to each model (metadata, metrics, files, inputs and outputs, licence, evidence, dependents).
/// It needs no host; of stores it reads manifests and signatures. Its hash is over what should
/// change of deployments, and over nothing else: an environment whose record says so refuses a merge
/// that comes to another hash than its reviewers were shown (planMismatch).
///
/// With --environment: fetches main, and tells what a pass over that environment of this host would
/// do, without doing it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard plan --base main                      the work tree, as a change of main
  modelyard plan --base origin/main --at HEAD     what a pull request's pipeline runs
  modelyard plan --base origin/main --at HEAD --output markdown
                                                  the comment on a pull request
  modelyard plan --base main --output json | jq -r .hash
  modelyard plan -e host                          what is about to be done on this host")]
pub(super) struct Arguments {
    /// Compare with where this left REV: what a merge would do
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// The change, in place of the work tree
    #[arg(long, value_name = "REV", requires = "base")]
    at: Option<String>,
    /// Do not ask the stores: files and signatures are told as unknown
    #[arg(long, requires = "base")]
    no_stores: bool,
    /// The environment of this host, as `environments/NAME.yaml` has it
    #[arg(short, long, value_name = "NAME", env = "MODELYARD_ENVIRONMENT",
          required_unless_present = "base", add = completions::environments())]
    environment: Option<Name>,
    /// Where the state of this environment is kept on this host; by default
    /// $MODELYARD_STATE, else $XDG_STATE_HOME/modelyard, in a folder of the yard's
    #[arg(long = "state", value_name = "FOLDER", conflicts_with = "base")]
    state: Option<PathBuf>,
    #[command(flatten)]
    words: WordArguments,
    #[command(flatten)]
    stores: StoreArguments,
}

impl Arguments {
    /// Whether it compares two states, and so tells reviewers.
    pub(super) const fn is_of_merge(&self) -> bool {
        self.base.is_some()
    }

    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let stores = self.stores.options(context);
        match (self.base, self.environment) {
            (Some(base), _) => {
                let at = self.at.map(Revision::Commit);
                merge::run(base, at, (!self.no_stores).then_some(stores), context).await
            }
            (None, Some(environment)) => {
                let host = HostArguments::of(environment, self.state);
                pass::run(&host, self.words, stores, context).await
            }
            (None, None) => unreachable!("one of the two is required"),
        }
    }
}
