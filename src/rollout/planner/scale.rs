//! How many replicas load asks for: more at once, less after a while, none when idle if the
//! record allows it.

use crate::record::kind::Finite;
use crate::rollout::clock;
use crate::rollout::observed::Load;
use crate::rollout::progress::{Progress, Scale};
use crate::rollout::step::Event;
use crate::rollout::wait::{Wait, Why};

use super::site::Site;

/// Follows the load.
pub(super) fn follow(
    progress: &mut Progress,
    site: &Site<'_>,
    events: &mut Vec<Event>,
    waits: &mut Vec<Wait>,
) {
    let replicas = &progress.wanted.replicas;
    let idle_after = replicas.idle_after;
    let (min, max) = (replicas.min, replicas.max.max(replicas.min).max(1));
    let moves = min == 0 || (replicas.target.is_some() && min < max);
    if !moves {
        progress.scale = None;
        return;
    }
    let scale = progress.scale.get_or_insert(Scale {
        count: min.max(1),
        less_since: None,
    });
    scale.count = scale.count.clamp(min, max);
    let Some(load) = site.load else {
        // Nobody counted, so nobody knows that less would be enough.
        scale.less_since = None;
        return;
    };
    let need = need(load, replicas.target, scale.count).clamp(min, max);
    if need > scale.count {
        *scale = Scale {
            count: need,
            less_since: None,
        };
        events.push(Event::Scaled { count: need });
        return;
    }
    if need == scale.count {
        scale.less_since = None;
        return;
    }
    let since = scale
        .less_since
        .map_or(site.now, |since| since.min(site.now));
    scale.less_since = Some(since);
    if clock::passed(since, idle_after, site.now) {
        *scale = Scale {
            count: need,
            less_since: None,
        };
        events.push(Event::Scaled { count: need });
    } else {
        let until = clock::later(since, idle_after);
        waits.push(site.wait(Why::Idle(need), Some(until)));
    }
}

/// How many replicas the load needs.
fn need(load: &Load, target: Option<Finite>, current: u32) -> u32 {
    let asked = u32::from(load.waiting > 0 || load.in_flight > 0);
    let Some(target) = target.map(Finite::get).filter(|target| *target > 0.0) else {
        return asked;
    };
    let Some(value) = load.value else {
        return current.max(asked);
    };
    let exact = (value.get() / target).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "casts from float saturate, and the record bounds what comes of it"
    )]
    let need = exact as u32;
    need.max(asked)
}
