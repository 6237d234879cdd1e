//! Changes: where a plan leads from what is seen, in a line each.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::choice::{Content, Side};
use super::desired::{Desired, Wish};
use super::observed::Observed;
use crate::record::Name;
use crate::record::kind::StrategyType;

/// What changes of a deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// The deployment.
    pub deployment: Name,
    /// What serves it.
    pub from: Vec<Portion>,
    /// What will serve it.
    pub to: Vec<Portion>,
    /// How; nothing where it appears or leaves.
    pub by: Option<StrategyType>,
}

/// Something that serves, and how much of the traffic it gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Portion {
    /// What.
    pub content: Content,
    /// Its weight among the others.
    pub weight: u32,
    /// What of it beside the bytes.
    pub revision: super::choice::Revision,
}

/// Where it leads to make `desired` of what is `observed`: one change for each deployment that
/// will be served by something else, that appears or that leaves.
pub(super) fn changes(desired: &Desired, observed: &Observed) -> Vec<Change> {
    let Desired::Known(environment) = desired else {
        return Vec::new();
    };
    let wishes = &environment.deployments;
    if wishes.is_empty() && !environment.may_be_empty {
        return Vec::new();
    }
    let states = &observed.state.deployments;
    let stable = |name: &Name| states.get(name)?.stable.as_ref();
    let portions = |side: Option<&Side>| side.map(portions).unwrap_or_default();
    let mut changes = Vec::new();
    for (name, wish) in wishes {
        let Wish::Run(wanted) = wish else {
            continue;
        };
        let now = stable(name);
        if wanted.suspend || now.is_some_and(|now| now.same(&wanted.side)) {
            continue;
        }
        changes.push(Change {
            deployment: name.clone(),
            from: portions(now),
            to: portions(Some(&wanted.side)),
            by: now.map(|_| wanted.strategy.strategy_type),
        });
    }
    for name in states.keys().filter(|name| !wishes.contains_key(*name)) {
        changes.push(Change {
            deployment: name.clone(),
            from: portions(stable(name)),
            to: Vec::new(),
            by: None,
        });
    }
    changes.sort_by(|one, other| one.deployment.cmp(&other.deployment));
    changes
}

fn portions(side: &Side) -> Vec<Portion> {
    let portion = |choice: &std::sync::Arc<super::choice::Choice>| Portion {
        content: choice.content().clone(),
        weight: choice.weight(),
        revision: choice.revision(),
    };
    side.choices().iter().map(portion).collect()
}

impl fmt::Display for Change {
    /// One line: `digits: vision/digits 1.0.0 -> vision/digits 1.1.0 (canary)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |side: &[Portion]| match side {
            [] => "nothing".to_owned(),
            [one] => one.content.to_string(),
            all => {
                let name = |one: &Portion| format!("{} ({})", one.content, one.weight);
                all.iter().map(name).collect::<Vec<_>>().join(", ")
            }
        };
        let (from, to) = (list(&self.from), list(&self.to));
        write!(formatter, "{}: {from} -> {to}", self.deployment)?;
        match self.by {
            Some(by) => write!(formatter, " ({by})"),
            None => Ok(()),
        }
    }
}
