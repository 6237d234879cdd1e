//! Puts a reconciler together from the parts that this host has.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::front::{GatewayFront, NoFront};
use crate::artifact::StoreOptions;
use crate::artifact::cache::Cache;
use crate::cli::context::{process_variable, process_variables};
use crate::cli::{Context, proposing};
use crate::gateway::Gateway;
use crate::ops::pull_request::{NoForge, Way};
use crate::platform::atomic;
use crate::reconcile::branch::{Branch, Words};
use crate::reconcile::bytes::{self, Pulls};
use crate::reconcile::edges::{Bytes, Edges, Front, Main, Memory, Wanted};
use crate::reconcile::foreseen::{Foreseen, Reviews};
use crate::reconcile::gauge::{self, Gauges};
use crate::reconcile::herald::{self, Herald};
use crate::reconcile::inbox::Inbox;
use crate::reconcile::memory::{Glance, StateFolder};
use crate::reconcile::revert::Reverts;
use crate::reconcile::{PATIENCE, Reconciler};
use crate::record::kind::SecretReference;
use crate::record::{Failure, Name, with_causes, with_help};
use crate::rollout::Outcome;
use crate::target::Target;
use crate::target::process::{Ground, Groups, Limiting, Processes, is_inherited};
use crate::yard::Yard;

/// How long a runtime may take to answer what it has once it is told to end.
const GRACE: Duration = Duration::from_secs(10);
/// The largest file of a secret.
const MAX_SECRET_BYTES: u64 = 1024 * 1024;

/// What is to be put together.
pub(in crate::cli) struct Assembly {
    pub(in crate::cli) environment: Name,
    pub(in crate::cli) yard: Yard,
    /// The folder of the environment's state.
    pub(in crate::cli) folder: PathBuf,
    pub(in crate::cli) words: Words,
    pub(in crate::cli) stores: StoreOptions,
    pub(in crate::cli) prometheus: Option<Url>,
}

/// For what it is.
pub(in crate::cli) enum Role {
    /// To look only, beside whoever acts.
    Looks,
    /// To act without a gateway.
    Acts,
    /// To act, with this gateway in front.
    Serves(Gateway),
}

/// A reconciler, and what it follows.
pub(in crate::cli) struct Assembled {
    pub(in crate::cli) reconciler: Reconciler,
    pub(in crate::cli) branch: Arc<Branch>,
    pub(in crate::cli) target: Arc<dyn Target>,
    pub(in crate::cli) inbox: Inbox,
    /// What limits the runtimes that it starts.
    pub(in crate::cli) limiting: Limiting,
    /// Who tells pull requests what became of them, if anybody.
    pub(in crate::cli) herald: Option<Herald>,
}

impl Assembly {
    /// Who holds main to what reviewers were shown.
    fn foreseen(&self, role: &Role, way: &Result<Way, Failure>) -> Foreseen {
        let forge = way.as_ref().ok().and_then(|way| way.forge().ok());
        let reviews = forge.map(|forge| Arc::new(forge) as Arc<dyn Reviews>);
        let (yard, environment) = (self.yard.clone(), self.environment.clone());
        let foreseen = Foreseen::new(yard, environment, &self.folder, reviews, self.words.plan);
        match role {
            Role::Looks => foreseen.looking(),
            Role::Acts | Role::Serves(_) => foreseen,
        }
    }

    /// Who tells pull requests what became of them, where there is a forge that we may write to.
    /// That there is none is said, and keeps nothing from being served.
    fn herald(&self, way: Result<Way, Failure>, context: &Context) -> Option<Herald> {
        let begun = way.and_then(|way| {
            let forge = match way {
                Way::Forge(forge) => forge,
                Way::None(NoForge::Git) => return Ok(None),
                Way::None(why) => {
                    let why = with_help(&why);
                    context.note(&format!("pull requests are told nothing: {why}"));
                    return Ok(None);
                }
            };
            let ground = herald::Ground {
                yard: self.yard.clone(),
                environment: self.environment.clone(),
                folder: self.folder.clone(),
                forge,
                clock: Arc::clone(&context.clock),
            };
            Herald::start(ground).map(Some)
        });
        begun.unwrap_or_else(|error| {
            tracing::warn!(error = %with_causes(&*error), "pull requests are told nothing");
            None
        })
    }

    /// Puts it together.
    ///
    /// # Errors
    /// If another reconciler has the state, or it can't be read.
    pub(in crate::cli) async fn build(
        self,
        role: Role,
        context: &Context,
    ) -> Result<Assembled, Failure> {
        let clock = Arc::clone(&context.clock);
        let memory: Arc<dyn Memory> = match role {
            Role::Looks => Arc::new(Glance::of(&self.folder)),
            Role::Acts | Role::Serves(_) => Arc::new(StateFolder::take(&self.folder).await?),
        };
        let branch = Branch::new(
            self.yard.clone(),
            self.environment.clone(),
            &self.folder,
            self.words,
        );
        let way = proposing::way(context, &self.yard, None, PATIENCE);
        let branch = Arc::new(branch.held_to(self.foreseen(&role, &way)));
        let herald = match role {
            Role::Looks => None,
            Role::Acts | Role::Serves(_) => self.herald(way, context),
        };
        let bytes: Arc<dyn Bytes> = Arc::new(Pulls::new(
            Arc::clone(&branch),
            bytes::Ground {
                folder: self.folder.join("versions"),
                directory: context.directory.clone(),
                stores: self.stores,
                cache: Cache::new(&context.places.cache),
                clock: Arc::clone(&clock),
            },
        )?);
        let environment = process_variables(is_inherited);
        let program = context.program()?;
        let groups = match role {
            Role::Looks => Groups::none("nothing is started here"),
            Role::Acts | Role::Serves(_) => Groups::find(),
        };
        let limiting = groups.limiting().clone();
        tracing::info!(?limiting, "limits of runtimes");
        let target: Arc<dyn Target> = Arc::new(Processes::new(Ground {
            state: self.folder.clone(),
            program,
            grace: GRACE,
            clock: Arc::clone(&clock),
            secrets: Arc::new(secrets(context)),
            environment: environment.clone(),
            groups,
        }));
        let (front, counted): (Arc<dyn Front>, Box<gauge::Counted>) = match role {
            Role::Looks | Role::Acts => (Arc::new(NoFront::default()), Box::new(uncounted)),
            Role::Serves(gateway) => {
                let measuring = gateway.clone();
                let counted = move |wanted: &Wanted, metric: &str| {
                    let (ask, side) = (&wanted.ask, &wanted.candidate);
                    measuring.measure(&ask.deployment, metric, side, wanted.since)
                };
                let branch = Arc::clone(&branch);
                let front = GatewayFront { gateway, branch };
                (Arc::new(front), Box::new(counted))
            }
        };
        let main: Arc<dyn Main> = Arc::clone(&branch) as Arc<dyn Main>;
        let gauge = Gauges::new(gauge::Ground {
            main: Arc::clone(&main),
            bytes: Arc::clone(&bytes),
            target: Arc::clone(&target),
            counted,
            environment,
            prometheus: self.prometheus,
            clock: Arc::clone(&clock),
        })?;
        let scribe = Reverts::new(
            self.yard,
            self.environment,
            Arc::clone(&clock),
            herald.clone(),
        );
        let reconciler = Reconciler::new(Edges {
            main,
            bytes,
            target: Arc::clone(&target),
            front,
            gauge: Arc::new(gauge),
            memory,
            scribe: Arc::new(scribe),
            clock,
        });
        Ok(Assembled {
            reconciler: reconciler.await?,
            branch,
            target,
            inbox: Inbox::of(&self.folder),
            limiting,
            herald,
        })
    }
}

fn uncounted(_: &Wanted, _: &str) -> Outcome {
    Outcome::Error {
        why: "no gateway runs here".to_owned(),
    }
}

/// Where secrets are on this host: in our own environment, or each in a file of the configuration,
/// `secrets/NAME/KEY`.
fn secrets(
    context: &Context,
) -> impl Fn(&SecretReference) -> Option<SecretString> + Send + Sync + 'static {
    let folder = context.places.config.join("secrets");
    move |reference| match reference {
        SecretReference::Variable(variable) => process_variable(variable.env.as_str()),
        SecretReference::Stored(stored) => {
            let path = folder
                .join(stored.secret.as_str())
                .join(stored.key.as_str());
            let bytes = atomic::read_at_most(&path, MAX_SECRET_BYTES).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            Some(SecretString::from(text.trim_end_matches('\n')))
        }
    }
}
