//! Pools: what is started takes from them, and nothing is started that they don't have.

use std::collections::BTreeMap;

use crate::record::Name;
use crate::rollout::choice::Claim;
use crate::rollout::desired::Capacity;
use crate::rollout::observed::{Instance, Phase};

/// What the pools have, and what is taken.
#[derive(Debug)]
pub(super) struct Pools<'a> {
    capacity: Option<&'a BTreeMap<Name, Capacity>>,
    taken: BTreeMap<Name, Claim>,
}

impl<'a> Pools<'a> {
    /// The pools as replicas leave them; all is there where nobody knows the pools.
    pub(super) fn new(
        capacity: Option<&'a BTreeMap<Name, Capacity>>,
        instances: &[Instance],
    ) -> Self {
        let mut pools = Self {
            capacity,
            taken: BTreeMap::new(),
        };
        if capacity.is_none_or(BTreeMap::is_empty) {
            return pools;
        }
        for instance in instances {
            let runs = !matches!(instance.phase, Phase::Failed { .. });
            if let Some(unit) = instance.choice.unit(instance.part)
                && runs
            {
                pools.add(&unit.claim);
            }
        }
        pools
    }

    fn add(&mut self, claim: &Claim) {
        let Some(pool) = &claim.pool else {
            return;
        };
        let taken = self.taken.entry(pool.clone()).or_default();
        taken.cpu_milli = taken.cpu_milli.saturating_add(claim.cpu_milli);
        taken.memory_bytes = taken.memory_bytes.saturating_add(claim.memory_bytes);
        taken.gpu = taken.gpu.saturating_add(claim.gpu);
    }

    /// Takes what `claim` says.
    ///
    /// # Errors
    /// The pool's name, if it has no more to give.
    pub(super) fn take(&mut self, claim: &Claim) -> Result<(), Name> {
        if let Some(pool) = &claim.pool
            && let Some(capacity) = self.capacity.and_then(|pools| pools.get(pool))
        {
            let none = Claim::default();
            let taken = self.taken.get(pool).unwrap_or(&none);
            let fits = |has: Option<u64>, taken: u64, claim: u64| {
                claim == 0 || has.is_none_or(|has| taken.saturating_add(claim) <= has)
            };
            let cpu = fits(capacity.cpu_milli, taken.cpu_milli, claim.cpu_milli);
            let memory = fits(
                capacity.memory_bytes,
                taken.memory_bytes,
                claim.memory_bytes,
            );
            let gpu = fits(
                capacity.gpu.map(u64::from),
                taken.gpu.into(),
                claim.gpu.into(),
            );
            if !(cpu && memory && gpu) {
                return Err(pool.clone());
            }
        }
        self.add(claim);
        Ok(())
    }
}
