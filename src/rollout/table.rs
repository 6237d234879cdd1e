//! The routing table: what the gateway is handed, and all that it is told of rollouts.
//!
//! Each deployment has one [`Route`]. Its backends' weights are percent of its requests and sum to
//! exactly 100; [`Backends`] can't be made otherwise. No backend at all means that nothing is
//! ready: requests wait, bounded, and are not refused. A deployment without a route is unknown.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::choice::{Content, Revision};
use super::observed::InstanceId;
use crate::record::Name;
use crate::record::kind::{RoutePath, Sticky};

/// The routes of an environment, by deployment.
pub type Table = BTreeMap<Name, Route>;

/// Where the requests of one deployment go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// The path where it answers, beside its name.
    pub path: Option<RoutePath>,
    /// What keeps a client with one version.
    pub sticky: Option<Sticky>,
    /// Who answers.
    pub backends: Backends,
    /// Who answers where the new version is asked for; nobody mostly.
    pub preview: Backends,
    /// Who gets a copy of each request, and whose answers are only compared; nobody mostly.
    pub mirror: Backends,
}

/// Those among whom requests are split: none, or some whose weights sum to 100.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Backend>", into = "Vec<Backend>")]
pub struct Backends(Vec<Backend>);

/// One of those that answer: a revision, its share, and the replicas that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Backend {
    /// What answers: its version and digest are stamped on the answers.
    pub content: Content,
    /// Of which revision.
    pub revision: Revision,
    /// Its share of the requests, in percent, from 1.
    pub weight: u8,
    /// The replicas, one or more.
    pub instances: Vec<InstanceId>,
    /// What requests pass before it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Hop>,
    /// What answers pass behind it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Hop>,
}

/// A coprocessor on the way, and the replicas that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hop {
    /// What it runs from.
    pub content: Content,
    /// The replicas, one or more.
    pub instances: Vec<InstanceId>,
}

/// Backends whose weights don't sum to 100.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the weights of backends sum to {sum}, not to 100, or one is 0 or has no replica")]
pub struct WeightError {
    /// What they sum to.
    pub sum: u32,
}

impl Backends {
    /// Splits 100 percent: `sides` are parts with their own percentages (which sum to 100), each
    /// a list of backends with shares. Whoever is left with nothing is left out.
    ///
    /// A side's percentage is met exactly; within it, what rounding leaves goes to the largest
    /// remainders, to the first of them where they are equal.
    pub(super) fn split(sides: Vec<(u8, Vec<(u32, Backend)>)>) -> Self {
        let mut all: Vec<Backend> = Vec::new();
        for (percent, side) in sides {
            let shares: Vec<u64> = side.iter().map(|(share, _)| u64::from(*share)).collect();
            for ((_, backend), weight) in side.into_iter().zip(apportion(percent, &shares)) {
                match all
                    .iter_mut()
                    .find(|same| same.revision == backend.revision)
                {
                    Some(same) => same.weight = same.weight.saturating_add(weight),
                    None => all.push(Backend { weight, ..backend }),
                }
            }
        }
        all.retain(|backend| backend.weight > 0);
        Self::try_from(all).expect("parts of 100 were split without a rest")
    }

    /// The backends.
    pub fn all(&self) -> &[Backend] {
        &self.0
    }

    /// Whether nothing is ready.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The replicas of all of them, coprocessors too.
    pub fn instances(&self) -> impl Iterator<Item = &InstanceId> {
        self.0.iter().flat_map(|backend| {
            let hops = backend.before.iter().chain(&backend.after);
            let hops = hops.flat_map(|hop| &hop.instances);
            backend.instances.iter().chain(hops)
        })
    }
}

/// `percent` split by `shares`, without a rest (largest remainders).
fn apportion(percent: u8, shares: &[u64]) -> Vec<u8> {
    let sum: u64 = shares.iter().sum::<u64>().max(1);
    let whole = |share: &u64| u128::from(*share) * u128::from(percent);
    let mut weights: Vec<u8> = shares
        .iter()
        .map(|share| u8::try_from(whole(share) / u128::from(sum)).unwrap_or(percent))
        .collect();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(whole(&shares[at]) % u128::from(sum)));
    let given: u32 = weights.iter().map(|&weight| u32::from(weight)).sum();
    let rest = u32::from(percent).saturating_sub(given) as usize;
    for &at in order.iter().take(rest) {
        weights[at] += 1;
    }
    weights
}

impl TryFrom<Vec<Backend>> for Backends {
    type Error = WeightError;

    fn try_from(backends: Vec<Backend>) -> Result<Self, WeightError> {
        let sum = backends
            .iter()
            .map(|backend| u32::from(backend.weight))
            .sum();
        let hollow = |backend: &Backend| backend.weight == 0 || backend.instances.is_empty();
        if !backends.is_empty() && (sum != 100 || backends.iter().any(hollow)) {
            return Err(WeightError { sum });
        }
        Ok(Self(backends))
    }
}

impl From<Backends> for Vec<Backend> {
    fn from(backends: Backends) -> Self {
        backends.0
    }
}

impl Route {
    /// The replicas that it sends anything to.
    pub fn instances(&self) -> impl Iterator<Item = &InstanceId> {
        let parts = [&self.backends, &self.preview, &self.mirror];
        parts.into_iter().flat_map(Backends::instances)
    }
}

impl fmt::Display for Backends {
    /// `75 % vision/digits 1.0.0, 25 % vision/digits 1.1.0`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, backend) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(formatter, "{comma}{} % {}", backend.weight, backend.content)?;
        }
        Ok(())
    }
}

impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.backends.is_empty() {
            formatter.write_str("requests wait")?;
        } else {
            self.backends.fmt(formatter)?;
        }
        let names = |side: &Backends| {
            let names: Vec<_> = side.0.iter().map(|one| one.content.to_string()).collect();
            names.join(", ")
        };
        if !self.preview.is_empty() {
            write!(formatter, "; preview {}", names(&self.preview))?;
        }
        if !self.mirror.is_empty() {
            write!(formatter, "; copies to {}", names(&self.mirror))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_shares_nothing_is_lost() {
        for percent in [0, 1, 5, 33, 50, 99, 100] {
            for shares in [
                vec![1],
                vec![1, 1, 1],
                vec![80, 20],
                vec![7, 0, 3],
                vec![u64::from(u32::MAX); 3],
                vec![1; 250],
            ] {
                let weights = apportion(percent, &shares);
                let sum: u32 = weights.iter().map(|&weight| u32::from(weight)).sum();
                assert_eq!(sum, u32::from(percent), "{percent} {shares:?}");
            }
        }
        assert_eq!(apportion(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(apportion(5, &[80, 20]), [4, 1]);
    }

    #[test]
    fn a_table_whose_weights_lie_is_not_read() {
        let backend = |weight: u8| {
            serde_json::json!({
                "content": {"model": {
                    "model": "vision/digits",
                    "version": "1.0.0",
                    "digest": format!("sha256:{}", "0".repeat(64)),
                }},
                "revision": format!("sha256:{}", "1".repeat(64)),
                "weight": weight,
                "instances": [{"deployment": "digits", "number": 1}],
            })
        };
        let read = |weights: &[u8]| {
            let list: Vec<_> = weights.iter().map(|&weight| backend(weight)).collect();
            serde_json::from_value::<Backends>(list.into()).map_err(|error| error.to_string())
        };
        assert!(read(&[]).unwrap().is_empty());
        assert_eq!(read(&[75, 25]).unwrap().all().len(), 2);
        for wrong in [&[99][..], &[100, 1], &[100, 0]] {
            assert!(read(wrong).unwrap_err().contains("not to 100"), "{wrong:?}");
        }
    }
}
