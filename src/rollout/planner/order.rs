//! Who may go on: dependencies, paths that two want, and the order in which deployments leave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::record::Name;
use crate::record::kind::RoutePath;
use crate::rollout::desired::{Desired, Environment, Wanted, Wish};
use crate::rollout::observed::Observed;
use crate::rollout::wait::Why;

/// What is to be done with a deployment.
#[derive(Debug)]
pub(super) enum Mode {
    /// What main says; `unmet` keeps a rollout from beginning.
    Run {
        wanted: Arc<Wanted>,
        unmet: Option<Why>,
    },
    /// What served is kept serving, and nothing else.
    Keep(Why),
    /// Nothing.
    Suspended(Arc<Wanted>),
    /// It leaves, as soon as nothing that needs it is left.
    Leave { after: Option<Name> },
}

/// What is to be done with each deployment that should be or is.
pub(super) fn modes(desired: &Desired, observed: &Observed) -> BTreeMap<Name, Mode> {
    let exists = existing(observed);
    let environment = match desired {
        Desired::Known(environment) => environment,
        Desired::Unknown { why } => {
            let keep = |name| (name, Mode::Keep(Why::UnknownYard(why.clone())));
            return exists.into_iter().map(keep).collect();
        }
    };
    let wishes = &environment.deployments;
    if wishes.is_empty() && !environment.may_be_empty {
        let keep = |name| (name, Mode::Keep(Why::EmptyYard));
        return exists.into_iter().map(keep).collect();
    }
    let gone = |name: &&Name| !wishes.contains_key(*name);
    let leaving: BTreeSet<Name> = exists.iter().filter(gone).cloned().collect();
    let mut modes: BTreeMap<Name, Mode> = leaving
        .iter()
        .map(|name| (name.clone(), leave(name, &leaving, observed)))
        .collect();
    let taken = taken(environment, observed);
    for (name, wish) in wishes {
        let mode = match wish {
            Wish::Held { why } => Mode::Keep(Why::Held(why.clone())),
            Wish::Run(wanted) => run(name, wanted, environment, &taken, observed),
        };
        modes.insert(name.clone(), mode);
    }
    modes
}

/// The deployments of which there is something here.
fn existing(observed: &Observed) -> BTreeSet<Name> {
    let replicas = observed.instances.iter().map(|one| &one.id.deployment);
    let known = observed.state.deployments.keys();
    let names = known.chain(observed.routes.keys()).chain(replicas);
    names.cloned().collect()
}

fn run(
    name: &Name,
    wanted: &Arc<Wanted>,
    environment: &Environment,
    taken: &BTreeMap<&RoutePath, &Name>,
    observed: &Observed,
) -> Mode {
    if wanted.suspend {
        return Mode::Suspended(Arc::clone(wanted));
    }
    let wishes = &environment.deployments;
    if let Some(cycle) = cycle(name, environment) {
        return Mode::Keep(Why::Cycle(cycle));
    }
    if let Some(missing) = wanted
        .depends_on
        .iter()
        .find(|one| !wishes.contains_key(*one))
    {
        return Mode::Keep(Why::NoDependency(missing.clone()));
    }
    if let Some(path) = &wanted.path
        && let Some(owner) = taken.get(path)
        && *owner != name
    {
        return Mode::Keep(Why::PathTaken(path.clone(), (*owner).clone()));
    }
    let mut needs = wanted.depends_on.iter();
    let unmet = needs.find(|one| !serves(one, environment, observed));
    Mode::Run {
        wanted: Arc::clone(wanted),
        unmet: unmet.map(|one| Why::Dependency(one.clone())),
    }
}

/// Whether a deployment serves what main says.
fn serves(name: &Name, environment: &Environment, observed: &Observed) -> bool {
    let Some(Wish::Run(wanted)) = environment.deployments.get(name) else {
        return false;
    };
    let Some(progress) = observed.state.deployments.get(name) else {
        return false;
    };
    let idle = progress
        .scale
        .as_ref()
        .is_some_and(|scale| scale.count == 0);
    let route = observed.routes.get(name);
    progress.stands(wanted) && (idle || route.is_some_and(|route| !route.backends.is_empty()))
}

/// The way from a deployment back to itself, if there is one.
fn cycle(name: &Name, environment: &Environment) -> Option<Vec<Name>> {
    let needs = |name: &Name| match environment.deployments.get(name) {
        Some(Wish::Run(wanted)) => wanted.depends_on.clone(),
        _ => Vec::new(),
    };
    let mut seen = BTreeSet::new();
    let mut ways = vec![vec![name.clone()]];
    while let Some(way) = ways.pop() {
        for next in needs(way.last()?) {
            let mut way = way.clone();
            way.push(next.clone());
            if next == *name {
                return Some(way);
            }
            if seen.insert(next) {
                ways.push(way);
            }
        }
    }
    None
}

/// Who has which path: whoever answers on it, else the first by name.
fn taken<'a>(
    environment: &'a Environment,
    observed: &'a Observed,
) -> BTreeMap<&'a RoutePath, &'a Name> {
    let mut taken = BTreeMap::new();
    for (name, route) in &observed.routes {
        let wish = environment.deployments.get(name);
        let moves = match wish {
            Some(Wish::Run(wanted)) => !wanted.suspend && wanted.path != route.path,
            // What leaves has its path until its route is removed.
            Some(Wish::Held { .. }) | None => false,
        };
        if let Some(path) = &route.path
            && !moves
        {
            taken.entry(path).or_insert(name);
        }
    }
    for (name, wish) in &environment.deployments {
        if let Wish::Run(wanted) = wish
            && let Some(path) = &wanted.path
        {
            taken.entry(path).or_insert(name);
        }
    }
    taken
}

/// Deployments leave in the reverse order of their dependencies; where they depend on each other
/// in a circle, together.
fn leave(name: &Name, leaving: &BTreeSet<Name>, observed: &Observed) -> Mode {
    let states = &observed.state.deployments;
    let needs = |one: &Name| states.get(one).map(|progress| &progress.wanted.depends_on);
    let direct = |one: &&Name| needs(one).is_some_and(|needs| needs.contains(name));
    let mut after = leaving.iter().filter(|one| *one != name).filter(direct);
    let circle = |one: &Name| {
        let mut seen = BTreeSet::new();
        let mut open = vec![name.clone()];
        while let Some(next) = open.pop() {
            for need in needs(&next).into_iter().flatten() {
                if seen.insert(need.clone()) {
                    open.push(need.clone());
                }
            }
        }
        seen.contains(one)
    };
    Mode::Leave {
        after: after.find(|one| !circle(one)).cloned(),
    }
}
