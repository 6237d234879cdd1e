//! Whether what deployments ask for is in their pools.

use std::collections::BTreeMap;

use crate::check::codes;
use crate::check::diagnostic::Diagnostic;
use crate::check::document::Document;
use crate::check::records::Records;
use crate::record::Name;
use crate::record::kind::{Deployment, Pool, ResourceAmounts};

/// A resource, as records and people call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Resource {
    Cpu,
    Memory,
    Gpu,
}

/// What one deployment asks of one pool.
struct Ask<'a> {
    document: &'a Document,
    amounts: &'a ResourceAmounts,
    /// How many replicas there are at least, over all shares in the pool.
    replicas: u128,
}

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    for (environment, record) in records.environments() {
        let pools = &record.spec.pools;
        let asks = asks(records, &record.metadata.name, pools);
        for (index, pool) in pools.iter().enumerate() {
            let asks = asks.get(&index).map(Vec::as_slice).unwrap_or_default();
            for resource in [Resource::Cpu, Resource::Memory, Resource::Gpu] {
                let Some(quota) = resource.quota(pool) else {
                    continue;
                };
                let asked = |ask: &Ask<'_>| {
                    resource
                        .amount(ask.amounts)
                        .unwrap_or(0)
                        .saturating_mul(ask.replicas)
                };
                let sum: u128 = asks.iter().map(asked).fold(0, u128::saturating_add);
                let asking: Vec<_> = asks.iter().filter(|ask| asked(ask) > 0).collect();
                if sum <= quota || asking.is_empty() {
                    continue;
                }
                let pointer = format!("/spec/pools/{index}/{}", resource.word());
                let told = tell(records, resource, pool, sum, quota, &asking);
                found.push(told.related(
                    &environment.path,
                    environment.value_at(&pointer),
                    "the pool ends here",
                ));
            }
        }
    }
}

/// What deployments of `environment` ask for, by the place of the pool.
fn asks<'a>(
    records: &Records<'a>,
    environment: &Name,
    pools: &[Pool],
) -> BTreeMap<usize, Vec<Ask<'a>>> {
    let mut asks: BTreeMap<usize, Vec<Ask<'a>>> = BTreeMap::new();
    for (document, deployment) in records.deployments_of(environment) {
        let resources = deployment.spec.resources.as_ref();
        let Some(amounts) = resources.and_then(|resources| resources.requests.as_ref()) else {
            continue;
        };
        for (pool, shares) in shares(deployment, pools) {
            asks.entry(pool).or_default().push(Ask {
                document,
                amounts,
                replicas: shares.saturating_mul(least_replicas(deployment)),
            });
        }
    }
    asks
}

/// How many shares of the deployment are in each pool.
fn shares(deployment: &Deployment, pools: &[Pool]) -> BTreeMap<usize, u128> {
    let mut shares = BTreeMap::new();
    for share in deployment.spec.shares() {
        let pool = match (&share.pool, pools) {
            (Some(name), _) => pools.iter().position(|pool| pool.name == *name),
            (None, [_]) => Some(0),
            (None, _) => None,
        };
        if let Some(pool) = pool {
            *shares.entry(pool).or_default() += 1;
        }
    }
    shares
}

fn least_replicas(deployment: &Deployment) -> u128 {
    let replicas = deployment.spec.replicas.as_ref();
    u128::from(replicas.and_then(|replicas| replicas.min).unwrap_or(1))
}

/// At the deployment that was changed, or else at the one that asks for most.
fn tell(
    records: &Records<'_>,
    resource: Resource,
    pool: &Pool,
    sum: u128,
    quota: u128,
    asking: &[&Ask<'_>],
) -> Diagnostic {
    let asked = |ask: &Ask<'_>| resource.amount(ask.amounts).unwrap_or(0) * ask.replicas;
    let rank = |ask: &&&Ask<'_>| (records.is_changed(&ask.document.path), asked(ask));
    let first = asking.iter().max_by_key(rank).expect("somebody asks");
    let message = format!(
        "deployments ask the pool `{}` for {} in all, but it has {}",
        pool.name,
        resource.shown(sum),
        resource.shown(quota)
    );
    let pointer = format!("/spec/resources/requests/{}", resource.word());
    let diagnostic = first
        .document
        .error(&codes::QUOTA_EXCEEDED, &pointer, message)
        .help("ask for less, run fewer replicas, or let the pool grow");
    let others = asking
        .iter()
        .filter(|ask| ask.document.path != first.document.path);
    others.fold(diagnostic, |diagnostic, ask| {
        let message = format!("this asks for {}", resource.shown(asked(ask)));
        diagnostic.related(&ask.document.path, ask.document.value_at(&pointer), message)
    })
}

impl Resource {
    fn word(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Gpu => "gpu",
        }
    }

    /// In thousandths.
    fn amount(self, amounts: &ResourceAmounts) -> Option<u128> {
        match self {
            Self::Cpu => amounts.cpu.as_ref().map(|amount| amount.thousandths()),
            Self::Memory => amounts.memory.as_ref().map(|amount| amount.thousandths()),
            Self::Gpu => amounts.gpu.map(|count| u128::from(count) * 1000),
        }
    }

    /// In thousandths; a pool that says nothing of its processors or memory has no end to them,
    /// and that it has no graphics processors is told as such.
    fn quota(self, pool: &Pool) -> Option<u128> {
        match self {
            Self::Cpu => pool.cpu.as_ref().map(|amount| amount.thousandths()),
            Self::Memory => pool.memory.as_ref().map(|amount| amount.thousandths()),
            Self::Gpu => pool
                .gpu
                .filter(|count| *count > 0)
                .map(|count| u128::from(count) * 1000),
        }
    }

    /// An amount for people.
    fn shown(self, thousandths: u128) -> String {
        match self {
            Self::Cpu if !thousandths.is_multiple_of(1000) => format!("{thousandths}m processors"),
            Self::Cpu => format!("{} processors", thousandths / 1000),
            Self::Gpu => format!("{} graphics processors", thousandths / 1000),
            Self::Memory => {
                let bytes = thousandths.div_ceil(1000);
                for (unit, size) in [("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)] {
                    if bytes >= size && bytes.is_multiple_of(size) {
                        return format!("{}{unit} of memory", bytes / size);
                    }
                }
                format!("{bytes} bytes of memory")
            }
        }
    }
}
