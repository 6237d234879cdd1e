//! From the records at a commit to what should be in one environment.
//!
//! Aliases and ranges become versions with their digests, defaults are filled in, and what the
//! environment requires is held against each version. A deployment that can't be done is
//! [`Wish::Held`] with the reason, and keeps what it has; only a yard that can't be read at all,
//! or has no such environment any more, is [`Desired::Unknown`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::record::kind::{
    Analysis as AnalysisRecord, Coprocessor, Deployment, DeploymentSpec, EnvironmentRequirement,
    EnvironmentSpec, ModelVersion, Product, Quantity, ResourceAmounts, ScaleMetric, Span, Strategy,
    StrategyType, Target, WriteBack,
};
use crate::record::{Failure, ModelName, ModelReference, Name, Selector};
use crate::rollout::{
    Analysis, Capacity, Choice, Claim, Content, Desired, Environment, Launch, Release, Replicas,
    Rollback, Side, Unit, Wanted, Wish, generation,
};
use crate::target::Recipe;
use crate::yard::Catalog;

/// How long a replica may take until it answers where nothing is said.
const HEALTH_TIMEOUT: Span = Span::minutes(10);
/// How long a replica that leaves may finish its requests.
const DRAIN_TIMEOUT: Span = Span::seconds(30);
/// How long less load has to be enough before replicas are stopped where nothing is said, as
/// Kubernetes' autoscaler has it.
const SCALE_DOWN_DELAY: Span = Span::minutes(5);

/// What should be, and the records that it was told from.
#[derive(Debug, Clone)]
pub struct Resolution {
    /// What should be.
    pub desired: Arc<Desired>,
    /// The records.
    pub records: Records,
}

/// What is asked for of records beside what should be.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// The record of every version that shall run.
    pub versions: BTreeMap<Release, Arc<ModelVersion>>,
    /// What deployments scale by.
    pub metrics: BTreeMap<Name, ScaleMetric>,
}

/// What the yard says of `environment`. `may_be_empty` is a person's word that an environment
/// without deployments is meant.
pub fn resolve(catalog: &Catalog, environment: &Name, may_be_empty: bool) -> Resolution {
    let mut records = Records::default();
    let desired = match read(catalog, environment, may_be_empty, &mut records) {
        Ok(known) => Desired::Known(known),
        Err(failure) => Desired::Unknown {
            why: failure.to_string(),
        },
    };
    Resolution {
        desired: Arc::new(desired),
        records,
    }
}

fn read(
    catalog: &Catalog,
    name: &Name,
    may_be_empty: bool,
    records: &mut Records,
) -> Result<Environment, Failure> {
    let window = catalog.yard()?.spec.rollback_window();
    let Some(environment) = catalog.environment(name)? else {
        let path = format!("environments/{name}.yaml");
        return Err(crate::yard::CatalogError::missing(&path).into());
    };
    let place = Place {
        catalog,
        name,
        spec: &environment.spec,
        window,
    };
    let mut wishes = BTreeMap::new();
    let mut serving = BTreeMap::new();
    for (other, deployment) in catalog.deployment_names()? {
        if other != *name {
            continue;
        }
        // One that can't be read holds up itself and nobody else.
        let wish = match catalog.deployment(name, &deployment) {
            Ok(None) => continue,
            Ok(Some(record)) => {
                let wish = place.wanted(&record, &mut records.versions);
                let replicas = record.spec.replicas.as_ref();
                if let Some(metric) = replicas.and_then(|replicas| replicas.metric) {
                    records.metrics.insert(deployment.clone(), metric);
                }
                for share in record.spec.shares() {
                    serving.entry(share.model).or_insert(deployment.clone());
                }
                wish.unwrap_or_else(|held| Wish::Held { why: held.0 })
            }
            Err(error) => Wish::Held {
                why: error.to_string(),
            },
        };
        wishes.insert(deployment, wish);
    }
    order(&mut wishes, &serving, &records.versions);
    Ok(Environment {
        name: name.clone(),
        deployments: wishes,
        pools: capacities(&environment.spec),
        may_be_empty,
    })
}

/// Why a deployment can't be done.
struct Held(String);

impl<E: fmt::Display> From<E> for Held {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Where deployments are to run, and what holds there.
struct Place<'a> {
    catalog: &'a Catalog,
    name: &'a Name,
    spec: &'a EnvironmentSpec,
    window: u32,
}

impl Place<'_> {
    fn wanted(
        &self,
        record: &Deployment,
        versions: &mut BTreeMap<Release, Arc<ModelVersion>>,
    ) -> Result<Wish, Held> {
        let spec = &record.spec;
        let mut releases = Vec::new();
        let mut choices = Vec::new();
        for share in spec.shares() {
            let (release, version) = self.version(&share.model, share.version.as_ref(), true)?;
            let limits = spec.resources.as_ref().and_then(|all| all.limits.as_ref());
            let recipe = Recipe::of(&version.spec, spec.runtime.as_ref(), limits)?;
            let model = Unit {
                content: Content::Model(release.clone()),
                launch: recipe.launch(),
                claim: self.claim(spec, share.pool.as_ref())?,
                tests: tests(&version),
            };
            releases.push(release.clone());
            versions.insert(release, version);
            let before = self.beside(&spec.before, &mut releases, versions)?;
            let after = self.beside(&spec.after, &mut releases, versions)?;
            choices.push(Choice::new(
                share.weight,
                model,
                before,
                after,
                spec.restart,
            ));
        }
        let side =
            Side::new(choices).ok_or_else(|| Held("nothing of it has a weight".to_owned()))?;
        Ok(Wish::Run(Arc::new(Wanted {
            generation: generation(spec, &releases),
            side,
            required_tests: self.requires().and_then(|all| all.tests).unwrap_or(0),
            strategy: spec.strategy.clone().unwrap_or(Strategy {
                strategy_type: StrategyType::Rolling,
                steps: Vec::new(),
            }),
            analyses: analyses(&spec.analysis),
            replicas: replicas(spec),
            depends_on: spec.depends_on.clone(),
            path: spec.route.as_ref().map(|route| route.path.clone()),
            sticky: spec.route.as_ref().and_then(|route| route.sticky.clone()),
            rollback: self.rollback(spec),
            health_timeout: spec
                .health
                .as_ref()
                .and_then(|health| health.timeout)
                .unwrap_or(HEALTH_TIMEOUT),
            drain_timeout: DRAIN_TIMEOUT,
            drift: spec.drift(),
            suspend: spec.suspend.unwrap_or(false),
            word: spec.rollout.clone(),
        })))
    }

    /// The version that is meant, if it may run here.
    fn version(
        &self,
        model: &ModelName,
        selector: Option<&Selector>,
        serves: bool,
    ) -> Result<(Release, Arc<ModelVersion>), Held> {
        let reference = ModelReference {
            model: model.clone(),
            selector: selector.cloned().unwrap_or(Selector::Newest),
        };
        let found = self.catalog.resolve(&reference)?;
        let stage = found.record.spec.lifecycle;
        let version = format!("{model} {}", found.version);
        if !stage.can_serve() {
            return Err(Held(format!("{version} is {stage}, and can't serve")));
        }
        let nothing = EnvironmentRequirement::default();
        let requires = self.requires().unwrap_or(&nothing);
        let stages = &requires.lifecycle;
        if serves && !stages.is_empty() && !stages.contains(&stage) {
            return Err(Held(format!(
                "{version} is {stage}, and the environment {} takes only what is {}",
                self.name,
                stages
                    .iter()
                    .map(|stage| stage.as_str())
                    .collect::<Vec<_>>()
                    .join(" or ")
            )));
        }
        if serves && requires.scan.is_some() {
            return Err(Held(format!(
                "the environment {} takes only what was scanned, and nothing tells of a scan of \
                 {version}",
                self.name
            )));
        }
        let release = Release {
            model: model.clone(),
            version: found.version,
            digest: found.record.spec.artifact.digest,
        };
        Ok((release, Arc::new(found.record)))
    }

    /// Coprocessors.
    fn beside(
        &self,
        coprocessors: &[Coprocessor],
        releases: &mut Vec<Release>,
        versions: &mut BTreeMap<Release, Arc<ModelVersion>>,
    ) -> Result<Vec<Unit>, Held> {
        let mut units = Vec::new();
        for coprocessor in coprocessors {
            units.push(match coprocessor {
                Coprocessor::Model(named) => {
                    let (release, version) =
                        self.version(&named.model, named.version.as_ref(), false)?;
                    let recipe = Recipe::of(&version.spec, None, None)?;
                    let tests = tests(&version);
                    releases.push(release.clone());
                    versions.insert(release.clone(), version);
                    Unit {
                        content: Content::Model(release),
                        launch: recipe.launch(),
                        claim: Claim::default(),
                        tests,
                    }
                }
                Coprocessor::Container(_) if matches!(self.spec.target, Target::Process {}) => {
                    return Err(Held(
                        "a container can't run where processes do: name a model as coprocessor"
                            .to_owned(),
                    ));
                }
                Coprocessor::Container(named) => Unit {
                    content: Content::Image(named.container.image.clone()),
                    launch: Launch::default(),
                    claim: Claim::default(),
                    tests: 0,
                },
            });
        }
        Ok(units)
    }

    fn claim(&self, spec: &DeploymentSpec, pool: Option<&Name>) -> Result<Claim, Held> {
        let pools = &self.spec.pools;
        let environment = self.name;
        let pool = match (pool, pools.as_slice()) {
            (Some(name), _) if pools.iter().all(|pool| pool.name != *name) => {
                return Err(Held(format!(
                    "the environment {environment} has no pool {name}"
                )));
            }
            (Some(name), _) => Some(name.clone()),
            (None, []) => None,
            (None, [only]) => Some(only.name.clone()),
            (None, _) => {
                return Err(Held(format!(
                    "the environment {environment} has several pools, and none is chosen"
                )));
            }
        };
        let nothing = ResourceAmounts::default();
        let requests = spec
            .resources
            .as_ref()
            .and_then(|all| all.requests.as_ref());
        let requests = requests.unwrap_or(&nothing);
        Ok(Claim {
            pool,
            cpu_milli: requests.cpu.as_ref().map_or(0, milli),
            memory_bytes: requests.memory.as_ref().map_or(0, whole),
            gpu: requests.gpu.unwrap_or(0),
        })
    }

    fn rollback(&self, spec: &DeploymentSpec) -> Rollback {
        let said = spec.rollback.clone().unwrap_or_default();
        Rollback {
            auto: said.auto.unwrap_or(true),
            window: said.window.unwrap_or(self.window),
            write_back: said.write_back.unwrap_or(WriteBack::PullRequest),
        }
    }

    fn requires(&self) -> Option<&EnvironmentRequirement> {
        self.spec.requires.as_ref()
    }
}

/// Models that use what other models answer come after these, where both are deployed here.
fn order(
    wishes: &mut BTreeMap<Name, Wish>,
    serving: &BTreeMap<ModelName, Name>,
    versions: &BTreeMap<Release, Arc<ModelVersion>>,
) {
    for (name, wish) in wishes {
        let Wish::Run(wanted) = wish else {
            continue;
        };
        let wanted = Arc::make_mut(wanted);
        for content in wanted.side.contents() {
            let Content::Model(release) = content else {
                continue;
            };
            let needs = versions.get(release).and_then(|version| {
                let dependencies = version.spec.dependencies.as_ref()?;
                Some(dependencies.models.as_slice())
            });
            for needed in needs.unwrap_or_default() {
                let answers = matches!(needed.produced_by.product, Product::Output(_));
                if let Some(other) = serving.get(&needed.produced_by.model)
                    && answers
                    && other != name
                    && !wanted.depends_on.contains(other)
                {
                    wanted.depends_on.push(other.clone());
                }
            }
        }
    }
}

fn tests(version: &ModelVersion) -> u32 {
    u32::try_from(version.spec.tests.len()).unwrap_or(u32::MAX)
}

fn analyses(records: &[AnalysisRecord]) -> Vec<Analysis> {
    records.iter().map(Analysis::from).collect()
}

fn replicas(spec: &DeploymentSpec) -> Replicas {
    let said = spec.replicas.clone().unwrap_or_default();
    let min = said.min.unwrap_or(1);
    Replicas {
        min,
        max: said.max.unwrap_or(min).max(min),
        target: said.target,
        idle_after: said.scale_down_delay.unwrap_or(SCALE_DOWN_DELAY),
    }
}

fn capacities(environment: &EnvironmentSpec) -> BTreeMap<Name, Capacity> {
    let pools = environment.pools.iter().map(|pool| {
        let capacity = Capacity {
            cpu_milli: pool.cpu.as_ref().map(milli),
            memory_bytes: pool.memory.as_ref().map(whole),
            gpu: pool.gpu,
        };
        (pool.name.clone(), capacity)
    });
    pools.collect()
}

fn milli(quantity: &Quantity) -> u64 {
    u64::try_from(quantity.thousandths()).unwrap_or(u64::MAX)
}

fn whole(quantity: &Quantity) -> u64 {
    u64::try_from(quantity.thousandths().div_ceil(1_000)).unwrap_or(u64::MAX)
}
