//! Takes away what left the yard: its route, then its replicas, then what is remembered of it.

use std::sync::Arc;

use crate::record::Name;
use crate::record::kind::Span;
use crate::rollout::plan::Plan;
use crate::rollout::progress::Progress;
use crate::rollout::step::Step;
use crate::rollout::wait::Why;

use super::site::Site;
use super::staff;

/// How long replicas may finish their requests where nothing is remembered of their deployment.
const DRAIN: Span = Span::seconds(30);

/// The steps by which a deployment leaves, once `after` is gone.
pub(super) fn plan(
    site: &Site<'_>,
    stored: Option<&Arc<Progress>>,
    after: Option<&Name>,
    plan: &mut Plan,
) {
    if let Some(after) = after {
        plan.waits
            .push(site.wait(Why::Dependents(after.clone()), None));
        return;
    }
    let deployment = || site.name.clone();
    if site.route.is_some() {
        plan.steps.push(Step::RemoveRoute {
            deployment: deployment(),
        });
    }
    let wanted = stored.map(|progress| &progress.wanted);
    let timeouts = wanted.map_or((DRAIN, DRAIN), |wanted| {
        (wanted.health_timeout, wanted.drain_timeout)
    });
    let steps = staff::dismiss(site, |_| false, timeouts, &mut plan.waits);
    plan.steps.extend(steps);
    if site.instances.is_empty() && stored.is_some() {
        plan.steps.push(Step::Prune {
            deployment: deployment(),
        });
    }
}
