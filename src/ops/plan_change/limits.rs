//! What can't be done in an environment: by its target, its pools, or what it asks for.

use std::path::Path;

use super::environments::{DeploymentPlan, run, target};
use crate::record::Name;
use crate::record::kind::Target;
use crate::rollout::{Environment, Part, PoolForecast, Wanted, pools};
use crate::target::Recipe;
use crate::target::runtime::arguments;
use crate::target::runtime::onnx::Called;

/// The pools of which something else is taken, before, meanwhile or then.
pub(super) fn taken(old: Option<&Environment>, new: &Environment) -> Vec<PoolForecast> {
    let all = pools(old, new).into_iter();
    all.filter(|one| one.before != one.after || one.during != one.after)
        .collect()
}

/// What can't be done of `deployments`, and why.
pub(super) fn cannot(
    on: Option<&Target>,
    old: Option<&Environment>,
    new: Option<&Environment>,
    deployments: &[DeploymentPlan],
) -> Vec<String> {
    let mut cannot = Vec::new();
    let Some(new) = new else {
        return cannot;
    };
    match on {
        None | Some(Target::Process {}) => {}
        Some(other) => cannot.push(format!(
            "this version of modelyard reconciles environments of processes alone: nothing \
             follows main in one of the target {}",
            target(other)
        )),
    }
    for plan in deployments {
        let name = &plan.deployment;
        if let Some(wanted) = run(new, name) {
            let stable = old.and_then(|old| run(old, name));
            let unable = unable(on, name, wanted, stable, new).into_iter();
            cannot.extend(unable.map(|why| format!("{name}: {why}")));
        }
    }
    for pool in taken(old, new) {
        if pool.after.is_beyond(&pool.has) {
            cannot.push(format!(
                "the pool {} has less than is asked of it",
                pool.pool
            ));
        } else if pool.during.is_beyond(&pool.has) {
            cannot.push(format!(
                "the pool {} has no room for the old and the new side by side: rollouts may wait \
                 for each other, or for somebody to make room",
                pool.pool
            ));
        }
    }
    cannot
}

/// Why what is new in `wanted` can't be done.
fn unable(
    on: Option<&Target>,
    name: &Name,
    wanted: &Wanted,
    stable: Option<&Wanted>,
    environment: &Environment,
) -> Vec<String> {
    let mut why = Vec::new();
    for choice in wanted.side.beyond(stable.map(|stable| &stable.side)) {
        for (part, unit) in choice.units() {
            let content = &unit.content;
            if part == Part::Model && unit.tests < wanted.required_tests {
                why.push(format!(
                    "{content} has {} golden tests, and {} are required here",
                    unit.tests, wanted.required_tests
                ));
            }
            if let (Some(Target::Process {}), Ok(recipe)) = (on, Recipe::read(&unit.launch)) {
                let called = Called {
                    name: name.clone(),
                    version: None,
                };
                let startable = arguments(&recipe, Path::new(""), &called);
                why.extend(startable.err().map(|why| format!("{content}: {why}")));
            }
        }
    }
    let missing = wanted.depends_on.iter();
    let missing = missing.filter(|name| !environment.deployments.contains_key(*name));
    why.extend(missing.map(|name| format!("it depends on {name}, which is not here")));
    why
}
