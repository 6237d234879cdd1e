//! `modelyard import`: what another place has becomes records and artifacts here.

mod shown;

use std::path::PathBuf;

use clap::Args;

use super::keys::signer::SignerArguments;
use super::proposing::Proposing;
use super::stores::StoreArguments;
use super::{Context, Outcome, completions};
use crate::import::mapping::{Mapping, name_of};
use crate::import::{Opening, Place};
use crate::ops::import::{self, Followed, Import, Means, Part, Refused, Request, Selection};
use crate::ops::publish::PublishError;
use crate::platform::retry::Policy;
use crate::record::kind::Owner;
use crate::record::{Failure, ModelReference, Name};
use crate::yard::Yard;
use shown::{Imports, NothingToFollow, Rehearsals, Surveys};

/// Import models from another place: MLflow, a folder, and more
///
/// Each version of the source becomes a signed artifact in the yard's store and a record on the
/// branch import/NAME, ready to be reviewed and merged. What the source says that no field of a
/// record takes is kept in the record, and told. Doing it again brings what is new, follows stages
/// and aliases that moved, and changes nothing else.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  modelyard import mlflow:https://mlflow.example.com --list
  modelyard import mlflow:https://mlflow.example.com --namespace vision --owner vision --dry-run
  modelyard import mlflow:https://mlflow.example.com --map names.yaml --select 'name=fraud-*'
  modelyard import ./old-model --as vision/digits:1.0.0 --owner vision
  modelyard import kserve:https://git.example.com/team/deploy.git#main:manifests/prod --list
  modelyard import image:registry.example.com/team/serve:1.2.0 --copy --owner vision
  modelyard import --follow            every source of modelyard.yaml
  modelyard import --follow lab        the one that is called lab

The file of --map:
  namespace: vision                    where models go that say no other
  owner: {team: vision}                who answers for models that are new here
  models:                              by their names in the source; * is any characters
    Fraud (EU): {name: risk/fraud-eu, owner: {team: risk}, title: Fraud in Europe}
    tmp-*: {skip: true}
  versions: {\"build *\": \"0.{number}.0\", main: next-minor}
  stages: {Production: released, Archived: deprecated}
  aliases: {Champion: champion, tmp: \"\"}
  environments: {models-prod: factory}
  fields: {properties.team-code: version.properties.code, noise: \"\"}")]
pub(super) struct Arguments {
    /// Where to import from: KIND:PLACE, or a folder or file
    #[arg(value_name = "SOURCE", required_unless_present = "follow")]
    sources: Vec<Place>,
    /// Import from the sources of modelyard.yaml, or from the one with this name
    #[arg(
        long,
        value_name = "NAME",
        num_args = 0..=1,
        conflicts_with_all = ["sources", "called"]
    )]
    follow: Option<Option<Name>>,
    /// Show what is there to import, and how it stands to the yard
    #[arg(long, conflicts_with = "dry_run")]
    list: bool,
    /// Show field by field what would be imported, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Which versions: name=, version=, alias=, stage= or tag.TAG= and a pattern; each given has
    /// to fit
    #[arg(long, value_name = "KEY=PATTERN")]
    select: Vec<Part>,
    /// What the source's words become: namespaces, owners, names, stages
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// The namespace that models go into, where the mapping says no other
    #[arg(long, value_name = "NAME")]
    namespace: Option<Name>,
    /// A team that answers for models that are new here, and how to reach it
    #[arg(long, value_name = "TEAM[=CONTACT]")]
    owner: Option<String>,
    /// What the only version that is meant is here
    #[arg(long = "as", value_name = "MODEL[:VERSION]", add = completions::references())]
    called: Option<ModelReference>,
    /// What the import is called on its branch
    #[arg(long, value_name = "NAME")]
    name: Option<Name>,
    /// A store of the yard, by its name; its first one if none is named
    #[arg(long, value_name = "NAME")]
    store: Option<Name>,
    /// Copy container images into the store, too, beside their models
    #[arg(long)]
    copy: bool,
    /// Start container images by podman or docker, to see which protocol they speak; each is ended
    /// again
    #[arg(long)]
    probe: bool,
    #[command(flatten)]
    signer: SignerArguments,
    /// Leave the artifacts unsigned
    #[arg(long, conflicts_with_all = ["key", "password_file"])]
    unsigned: bool,
    #[command(flatten)]
    stores: StoreArguments,
    #[command(flatten)]
    proposing: Proposing,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let (yard, proposer) = self.proposing.begin(context)?;
        let requests = self.requests(context, &yard).await?;
        let progress = &context.progress;
        if requests.is_empty() {
            context.print(&NothingToFollow([]))?;
            return Ok(Outcome::Done);
        }
        if self.list {
            let mut surveys = Vec::new();
            for request in &requests {
                surveys.push(import::survey(&yard, request, progress).await?);
            }
            context.print(&Surveys(surveys))?;
            return Ok(Outcome::Done);
        }
        if self.dry_run {
            let mut rehearsals = Vec::new();
            for request in &requests {
                rehearsals.push(import::rehearse(&yard, request, progress).await?);
            }
            context.print(&Rehearsals(rehearsals))?;
            return Ok(Outcome::Done);
        }
        let key = match self.unsigned {
            true => None,
            false => {
                let key = self.signer.open(context).await?;
                Some(key.ok_or(PublishError::Unsigned)?)
            }
        };
        let mut imports = Vec::new();
        let mut ended = None;
        for request in &requests {
            let means = Means {
                key: key.as_ref(),
                options: self.stores.options(context),
                cache: context.places.cache.clone(),
                retry: Policy::default(),
                now: context.clock.now(),
            };
            // What one source can't do holds up no other, and what was brought is told.
            let (mut import, failure) = match import::import(&yard, request, &means, progress).await
            {
                Ok(mut import) => {
                    let ended = import.ended.take();
                    (import, ended)
                }
                Err(failure) if requests.len() == 1 => return Err(failure),
                Err(failure) => (Import::nothing(request), Some(failure)),
            };
            if let Some(failure) = failure.as_ref().filter(|_| requests.len() > 1) {
                import.refused.push(Refused::new(&import.source, failure));
            }
            imports.push(import);
            ended = ended.or(failure);
        }
        let refused = imports.iter().any(|import| !import.refused.is_empty());
        let opened = proposer.finish(context, Imports(imports)).await;
        if let Some(failure) = ended {
            return Err(failure);
        }
        let outcome = opened?;
        Ok(if refused { Outcome::Problems } else { outcome })
    }

    /// What is to be imported.
    async fn requests(&self, context: &Context, yard: &Yard) -> Result<Vec<Request>, Failure> {
        let mapping = match &self.map {
            Some(path) => Mapping::read(&context.path(path))?,
            None => Mapping::default(),
        };
        let places = match &self.follow {
            Some(name) => import::followed(yard, name.as_ref()).await?,
            None => {
                let followed = self.sources.iter().map(|place| Followed {
                    name: self.name.clone().unwrap_or_else(|| name_of(place)),
                    place: place.clone(),
                    mapping: mapping.clone(),
                });
                followed.collect()
            }
        };
        let variables = |name: &str| context.variable(name);
        let opening = Opening {
            folder: context.directory.clone(),
            variables: &variables,
            retry: Policy::default(),
            stores: self.stores.options(context),
            probe: self.probe,
        };
        let mut requests = Vec::new();
        for Followed {
            name,
            place,
            mut mapping,
        } in places
        {
            mapping.namespace = self.namespace.clone().or(mapping.namespace);
            mapping.owner = self.owner.as_deref().map(owner).or(mapping.owner);
            requests.push(Request {
                source: place.open(&opening)?,
                name,
                mapping,
                select: Selection::from(self.select.clone()),
                called: self.called.clone(),
                store: self.store.clone(),
                copy_images: self.copy,
            });
        }
        Ok(requests)
    }
}

fn owner(text: &str) -> Owner {
    let (team, contact) = match text.split_once('=') {
        Some((team, contact)) => (team, Some(contact.to_owned())),
        None => (text, None),
    };
    Owner {
        team: team.to_owned(),
        contact,
    }
}
