//! Deployments: what they refer to is there, and their environment takes it.

use super::duplicate_names;
use crate::check::closest::{closest, suggest};
use crate::check::codes;
use crate::check::diagnostic::Diagnostic;
use crate::check::document::Document;
use crate::check::records::{Records, Resolved};
use crate::record::kind::{
    Coprocessor, Deployment, Environment, Measure, ModelVersion, TestChoice,
};
use crate::record::{Lifecycle, ModelName, Name, Selector};

/// A version that a deployment names: where it does, and what it leads to.
pub(super) struct Use<'a> {
    /// The pointer of what names it; it has `model` and `version`.
    pub pointer: String,
    /// Which version is meant.
    pub selector: Option<&'a Selector>,
    /// The pool that it takes from, for what serves and not for coprocessors.
    pub pool: Option<&'a Name>,
    /// Whether it serves, or is a coprocessor.
    pub serves: bool,
    /// What it leads to.
    pub resolved: Resolved<'a>,
}

/// Every version that `deployment` names.
pub(super) fn uses<'a>(records: &Records<'a>, deployment: &'a Deployment) -> Vec<Use<'a>> {
    let spec = &deployment.spec;
    let mut uses = Vec::new();
    let mut add = |pointer: String, model: &ModelName, selector, pool, serves| {
        uses.push(Use {
            pointer,
            selector,
            pool,
            serves,
            resolved: records.resolve(model, selector),
        });
    };
    if let Some(model) = &spec.model {
        add(
            "/spec".to_owned(),
            model,
            spec.version.as_ref(),
            spec.pool.as_ref(),
            true,
        );
    }
    for (index, share) in spec.split.iter().enumerate() {
        let pointer = format!("/spec/split/{index}");
        let pool = share.pool.as_ref().or(spec.pool.as_ref());
        add(pointer, &share.model, share.version.as_ref(), pool, true);
    }
    for (list, coprocessors) in [("before", &spec.before), ("after", &spec.after)] {
        for (index, coprocessor) in coprocessors.iter().enumerate() {
            if let Coprocessor::Model(named) = coprocessor {
                let pointer = format!("/spec/{list}/{index}");
                add(pointer, &named.model, named.version.as_ref(), None, false);
            }
        }
    }
    uses
}

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    for (document, environment) in records.environments() {
        let names = environment.spec.pools.iter().map(|pool| pool.name.as_str());
        duplicate_names(document, "/spec/pools", names, found);
    }
    for (document, deployment) in records.deployments() {
        depends_on(records, document, deployment, found);
        weights(document, deployment, found);
        route(document, deployment, found);
        let environment = environment(records, document, deployment, found);
        for used in uses(records, deployment) {
            if let Some((_, environment)) = environment {
                pool(document, environment, &used, found);
            }
            match used.resolved {
                Resolved::Nothing(dangling) => {
                    let model = format!("{}/model", used.pointer);
                    let version = format!("{}/version", used.pointer);
                    found.push(dangling.at(document, &model, &version));
                }
                Resolved::Found(_, record) if used.serves => {
                    tests(document, deployment, record, found);
                    if let Some(environment) = environment {
                        requires(document, environment, &used.pointer, record, found);
                    }
                }
                _ => {}
            }
        }
    }
}

/// The deployment's environment, if it is there and can be read.
fn environment<'a>(
    records: &Records<'a>,
    document: &Document,
    deployment: &Deployment,
    found: &mut Vec<Diagnostic>,
) -> Option<(&'a Document, &'a Environment)> {
    let name = &deployment.metadata.environment;
    let Some(environment) = records.environment(name) else {
        let message = format!("there is no environment {name} in this yard");
        let pointer = "/metadata/environment";
        let help = records
            .closest_environment(name)
            .unwrap_or_else(|| format!("write environments/{name}.yaml"));
        found.push(
            document
                .error(&codes::UNKNOWN_ENVIRONMENT, pointer, message)
                .help(help),
        );
        return None;
    };
    Some((environment, environment.environment()?))
}

fn pool(
    document: &Document,
    environment: &Environment,
    used: &Use<'_>,
    found: &mut Vec<Diagnostic>,
) {
    let pools = &environment.spec.pools;
    let names = pools.iter().map(|pool| pool.name.as_str());
    let environment = &environment.metadata.name;
    match used.pool {
        Some(name) if pools.iter().all(|pool| pool.name != *name) => {
            // The pool of a share may be the deployment's own.
            let own = format!("{}/pool", used.pointer);
            let shared = document
                .tree()
                .is_some_and(|tree| tree.place(&own).is_none());
            let pointer = if shared { "/spec/pool" } else { &own };
            let message = format!("the environment {environment} has no pool `{name}`");
            let mut diagnostic = document.error(&codes::UNKNOWN_POOL, pointer, message);
            diagnostic.help = suggest(name.as_str(), names);
            found.push(diagnostic);
        }
        None if used.serves && pools.len() > 1 => {
            let message =
                format!("the environment {environment} has several pools, and none is chosen");
            let mut diagnostic = document.error(&codes::UNKNOWN_POOL, &used.pointer, message);
            diagnostic.place = document.key_at(&used.pointer);
            let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
            found.push(diagnostic.help(format!("add `pool`: {}", names.join(" or "))));
        }
        _ => {}
    }
}

fn depends_on(
    records: &Records<'_>,
    document: &Document,
    deployment: &Deployment,
    found: &mut Vec<Diagnostic>,
) {
    let environment = &deployment.metadata.environment;
    for (index, name) in deployment.spec.depends_on.iter().enumerate() {
        if records.deployment(environment, name).is_some() {
            continue;
        }
        let names = records.deployment_names(environment).map(Name::as_str);
        let message = format!("there is no deployment {name} in the environment {environment}");
        let mut diagnostic = document.error(
            &codes::UNKNOWN_DEPLOYMENT,
            &format!("/spec/dependsOn/{index}"),
            message,
        );
        diagnostic.help =
            closest(name.as_str(), names).map(|meant| format!("did you mean `{meant}`?"));
        found.push(diagnostic);
    }
}

fn weights(document: &Document, deployment: &Deployment, found: &mut Vec<Diagnostic>) {
    let split = &deployment.spec.split;
    let sum: u64 = split.iter().map(|share| u64::from(share.weight)).sum();
    if split.is_empty() || sum == 100 {
        return;
    }
    let message = format!("the weights of the split sum to {sum}, not to 100");
    let mut diagnostic = document.error(&codes::SPLIT_WEIGHTS, "/spec/split", message);
    diagnostic.place = document.key_at("/spec/split");
    found.push(diagnostic.help("weights are percents of the traffic"));
}

/// Whether the deployment is who answers at its path.
fn route(document: &Document, deployment: &Deployment, found: &mut Vec<Diagnostic>) {
    let route = deployment.spec.route.as_ref();
    let Some((path, why)) = route.and_then(|route| Some((&route.path, route.path.taken_by()?)))
    else {
        return;
    };
    let message = format!("nobody would reach the deployment at `{path}`: {why}");
    let diagnostic = document.error(&codes::ROUTE_RESERVED, "/spec/route/path", message);
    found.push(diagnostic.help("choose another path"));
}

/// Whether the golden tests that the analyses name are the version's.
fn tests(
    document: &Document,
    deployment: &Deployment,
    record: &ModelVersion,
    found: &mut Vec<Diagnostic>,
) {
    for (index, analysis) in deployment.spec.analysis.iter().enumerate() {
        let Measure::Golden {
            tests: TestChoice::Named(chosen),
        } = &analysis.measure
        else {
            continue;
        };
        let known = || record.spec.tests.iter().map(|test| test.name.as_str());
        for (item, name) in chosen.iter().enumerate() {
            if known().all(|known| known != name) {
                let message = format!(
                    "{} {} has no golden test `{name}`",
                    record.model_name(),
                    record.metadata.version
                );
                let pointer = format!("/spec/analysis/{index}/tests/{item}");
                let mut diagnostic = document.error(&codes::UNKNOWN_TEST, &pointer, message);
                let names: Vec<_> = known().collect();
                diagnostic.help = suggest(name, names);
                found.push(diagnostic);
            }
        }
    }
}

/// Whether the environment takes this version.
fn requires(
    document: &Document,
    (environment_document, environment): (&Document, &Environment),
    pointer: &str,
    record: &ModelVersion,
    found: &mut Vec<Diagnostic>,
) {
    let Some(requires) = &environment.spec.requires else {
        return;
    };
    let name = format!("{} {}", record.model_name(), record.metadata.version);
    let stage = record.spec.lifecycle;
    let mut refuse = |field: &str, message: String, help: &str| {
        found.push(
            document
                .error(
                    &codes::ENVIRONMENT_REFUSES,
                    &format!("{pointer}/version"),
                    message,
                )
                .help(help)
                .related(
                    &environment_document.path,
                    environment_document.value_at(&format!("/spec/requires/{field}")),
                    "the environment requires it here",
                ),
        );
    };
    // What can't serve anywhere is told as such.
    let stages = &requires.lifecycle;
    if !stages.is_empty() && !stages.contains(&stage) && stage.can_serve() {
        let wanted: Vec<_> = stages.iter().copied().map(Lifecycle::as_str).collect();
        let message = format!(
            "{name} is {stage}, but the environment {} takes only what is {}",
            environment.metadata.name,
            wanted.join(" or ")
        );
        refuse(
            "lifecycle",
            message,
            "promote the version first, or deploy another one",
        );
    }
    let tests = u32::try_from(record.spec.tests.len()).unwrap_or(u32::MAX);
    if let Some(least) = requires.tests.filter(|least| tests < *least) {
        let message = format!(
            "{name} has {tests} golden tests, but the environment {} requires {least}",
            environment.metadata.name
        );
        refuse("tests", message, "publish a version with more tests");
    }
}
