//! Judges a rollout: what failed goes back, what holds goes on.

use jiff::Timestamp;

use crate::record::Digest;
use crate::record::kind::{RolloutAction, WriteBack};
use crate::rollout::analysis::{Ask, Tally, Verdict};
use crate::rollout::cause::Cause;
use crate::rollout::choice::{Content, Side};
use crate::rollout::clock;
use crate::rollout::observed::{ArtifactPhase, Golden, Instance};
use crate::rollout::progress::{Failure, Progress, Revert};
use crate::rollout::stage::Stage;
use crate::rollout::step::{Event, Step};
use crate::rollout::wait::{Wait, Why};

use super::settle::{aborted, concerns, stages};
use super::shape::Shape;
use super::site::Site;
use super::staff::MAX_STARTS;

/// What a look at a rollout came to, beside what changed in its progress.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    pub(super) waits: Vec<Wait>,
    pub(super) measure: Vec<Step>,
}

/// Judges the rollout, if there is one: at most one move, and none forward when `stays`.
pub(super) fn judge(
    progress: &mut Progress,
    site: &Site<'_>,
    shape: &Shape,
    stays: bool,
    events: &mut Vec<Event>,
) -> Judgement {
    let mut judgement = Judgement::default();
    let Some(rollout) = &progress.rollout else {
        return judgement;
    };
    let candidate = rollout.candidate.clone();
    if aborted(progress, &candidate) {
        progress.rollout = None;
        events.push(Event::Aborted(candidate.clone()));
        judgement
            .waits
            .push(site.wait(Why::Aborted(candidate), None));
        return judgement;
    }
    count(progress, site);
    if let Some((cause, digests)) = fault(progress, site)
        && progress
            .rollout
            .as_ref()
            .is_some_and(|rollout| rollout.halted.is_none())
    {
        if progress.wanted.rollback.auto {
            events.push(Event::Failed(cause.clone()));
            judgement
                .waits
                .push(site.wait(Why::Failed(cause.clone()), None));
            fail(progress, cause, digests, site.now);
            return judgement;
        }
        halt(progress, cause, events);
    }
    let Some((index, stage)) = current(progress) else {
        // The strategy has become shorter than what was done already.
        if !stays {
            finish(progress, events);
        }
        return judgement;
    };
    let paused = hear(progress, index, &stage, stays, events);
    if let Some(why) = paused {
        judgement.waits.push(site.wait(why, None));
    }
    let stays = stays || !judgement.waits.is_empty();
    if progress
        .rollout
        .as_ref()
        .is_none_or(|rollout| rollout.stage != index)
    {
        return judgement;
    }
    watch(progress, site, shape, &stage, stays, events, &mut judgement);
    judgement
}

/// The stage that the rollout is at.
fn current(progress: &Progress) -> Option<(u32, Stage)> {
    let rollout = progress.rollout.as_ref()?;
    let stage = stages(progress, rollout).stage(rollout.stage)?;
    Some((rollout.stage, stage))
}

/// Takes in the measurements of this stage.
fn count(progress: &mut Progress, site: &Site<'_>) {
    let wanted = std::sync::Arc::clone(&progress.wanted);
    let Some(rollout) = &mut progress.rollout else {
        return;
    };
    if rollout.halted.is_some() {
        return;
    }
    for measurement in &site.measurements {
        let ask = &measurement.ask;
        let here = ask.rollout == rollout.number && ask.stage == rollout.stage;
        if let Some(analysis) = wanted.analysis(&ask.analysis)
            && here
            && rollout.since.is_some()
        {
            let tally = rollout.tallies.entry(ask.analysis.clone()).or_default();
            analysis.take(tally, measurement);
        }
    }
    rollout.tallies.retain(|_, tally| tally.taken > 0);
}

/// What speaks against the candidate, and the digests that are to blame.
fn fault(progress: &Progress, site: &Site<'_>) -> Option<(Cause, Vec<Digest>)> {
    let rollout = progress.rollout.as_ref()?;
    let stable = progress.stable.as_ref();
    for choice in rollout.candidate.beyond(stable) {
        for (part, unit) in choice.units() {
            let content = &unit.content;
            let mine =
                |one: &&&Instance| one.part == part && one.choice.revision() == choice.revision();
            for instance in site.instances.iter().filter(mine) {
                if let Golden::Failed { why } = &instance.golden {
                    let (content, why) = (content.clone(), why.clone());
                    let digest = content.digest();
                    return Some((Cause::Golden { content, why }, vec![digest]));
                }
            }
            if let Some(ArtifactPhase::Refused { why }) = site.artifacts.get(content) {
                let (content, why) = (content.clone(), why.clone());
                let digest = content.digest();
                return Some((Cause::Refused { content, why }, vec![digest]));
            }
        }
        if let Some(starts) = progress.starts.get(&choice.revision())
            && starts.failures >= MAX_STARTS
        {
            let cause = Cause::Starts {
                content: choice.content().clone(),
                failures: starts.failures,
                why: starts.why.clone(),
            };
            return Some((cause, vec![choice.content().digest()]));
        }
    }
    let wanted = &progress.wanted;
    let (_, stage) = current(progress)?;
    let named = |name| Some((wanted.analysis(name)?, rollout.tallies.get(name)?));
    for (analysis, tally) in stage.analyses.iter().filter_map(named) {
        if analysis.verdict(tally) == Verdict::Fails {
            let (name, last) = (analysis.name.clone(), tally.last.clone());
            let new = rollout.candidate.beyond(stable);
            let digests = new.map(|choice| choice.content().digest()).collect();
            return Some((Cause::Analysis { name, last }, digests));
        }
    }
    None
}

/// Gives the traffic back, holds it against the digests, and wants a revert where there is
/// something to go back to.
fn fail(progress: &mut Progress, cause: Cause, digests: Vec<Digest>, now: Timestamp) {
    let Some(rollout) = progress.rollout.take() else {
        return;
    };
    let contents = |side: &Side| side.contents().cloned().collect();
    let from: Vec<Content> = contents(&rollout.candidate);
    let to: Vec<Content> = progress.stable.as_ref().map(contents).unwrap_or_default();
    // Where the record was changed and not the version, no line chose the version anew.
    let chosen = !to.is_empty() && from != to;
    let silent = progress.wanted.rollback.write_back == WriteBack::None;
    let evidence = rollout.tallies.iter().map(|(name, tally)| {
        let Tally {
            good, bad, last, ..
        } = tally;
        format!("{name}: {good} good, {bad} bad; {last}")
    });
    progress.failures.push(Failure {
        digests,
        generation: progress.wanted.generation,
        rollout: rollout.number,
        from,
        to,
        cause,
        at: now,
        evidence: evidence.collect(),
        revert: if chosen && !silent {
            Revert::Due
        } else {
            Revert::Unwanted
        },
    });
}

fn halt(progress: &mut Progress, cause: Cause, events: &mut Vec<Event>) {
    if let Some(rollout) = &mut progress.rollout {
        events.push(Event::Halted(cause.clone()));
        rollout.halted = Some(cause);
    }
}

/// Hears a person's word. Returns why the rollout stays, if it does.
fn hear(
    progress: &mut Progress,
    index: u32,
    stage: &Stage,
    stays: bool,
    events: &mut Vec<Event>,
) -> Option<Why> {
    let candidate = progress.rollout.as_ref()?.candidate.clone();
    let word = progress.word().cloned();
    let word = word.filter(|word| concerns(progress, &candidate, word));
    let rollout = progress.rollout.as_mut()?;
    if let Some(word) = word
        && word.step.is_none_or(|step| step == index + 1)
    {
        let new = rollout.heard.as_ref() != Some(&word);
        match word.action {
            RolloutAction::Pause => return Some(Why::Paused(index)),
            RolloutAction::Resume | RolloutAction::Continue if new && rollout.halted.is_some() => {
                let cause = rollout.halted.take();
                rollout.tallies.clear();
                rollout.heard = Some(word.clone());
                let reached = rollout.since.is_some();
                progress
                    .starts
                    .retain(|revision, _| !candidate.has(*revision));
                // A person may think more of measurements than we do, but what never became
                // ready, or fails its golden tests, serves nowhere.
                let measured =
                    matches!(cause, Some(Cause::Analysis { .. } | Cause::Unclear { .. }));
                if word.action == RolloutAction::Continue && measured && reached && !stays {
                    events.push(Event::Approved { stage: index });
                    advance(progress, events);
                }
                return None;
            }
            RolloutAction::Continue if new && stage.approval && !rollout.approved => {
                rollout.approved = true;
                rollout.heard = Some(word);
                events.push(Event::Approved { stage: index });
            }
            _ => {}
        }
    }
    rollout.halted.clone().map(Why::Halted)
}

/// Lets the stage's weight hold once its replicas are ready, and goes on once its conditions do.
fn watch(
    progress: &mut Progress,
    site: &Site<'_>,
    shape: &Shape,
    stage: &Stage,
    stays: bool,
    events: &mut Vec<Event>,
    judgement: &mut Judgement,
) {
    let Some(rollout) = &mut progress.rollout else {
        return;
    };
    let index = rollout.stage;
    let Some(since) = rollout.since else {
        let (ready, wanted) = shape.ready(&rollout.candidate, stage.candidates);
        if ready < wanted {
            let why = Why::Replicas(ready, wanted);
            judgement.waits.push(site.wait(why, None));
        } else if !stays {
            rollout.since = Some(site.now);
            let weight = stage.weight;
            events.push(Event::Reached {
                stage: index,
                weight,
            });
        }
        return;
    };
    if since > site.now {
        // The clock was set back; what was waited for is waited for again.
        rollout.since = Some(site.now);
    }
    let open = conditions(progress, site, stage, since.min(site.now), judgement);
    if let Some(cause) = open.unclear
        && progress
            .rollout
            .as_ref()
            .is_some_and(|rollout| rollout.halted.is_none())
    {
        judgement
            .waits
            .push(site.wait(Why::Halted(cause.clone()), None));
        halt(progress, cause, events);
    } else if !open.any && !stays && site.route == Some(&shape.route) {
        judgement.measure.clear();
        advance(progress, events);
    }
}

/// What keeps a stage open.
struct Open {
    any: bool,
    unclear: Option<Cause>,
}

fn conditions(
    progress: &Progress,
    site: &Site<'_>,
    stage: &Stage,
    since: Timestamp,
    judgement: &mut Judgement,
) -> Open {
    let mut open = Open {
        any: false,
        unclear: None,
    };
    let Some(rollout) = &progress.rollout else {
        return open;
    };
    let index = rollout.stage;
    if let Some(duration) = stage.duration
        && !clock::passed(since, duration, site.now)
    {
        open.any = true;
        let until = clock::later(since, duration);
        judgement
            .waits
            .push(site.wait(Why::Lasts(index), Some(until)));
    }
    let nothing = Tally::default();
    let analyses = stage.analyses.iter();
    for analysis in analyses.filter_map(|name| progress.wanted.analysis(name)) {
        let name = &analysis.name;
        let tally = rollout.tallies.get(name).unwrap_or(&nothing);
        let verdict = analysis.verdict(tally);
        if verdict == Verdict::Unclear {
            let (name, last) = (name.clone(), tally.last.clone());
            open.unclear = Some(Cause::Unclear { name, last });
        }
        if verdict != Verdict::Holds {
            open.any = true;
        }
        if rollout.halted.is_some() {
            continue;
        }
        let due = analysis.due(tally, since, site.now);
        if verdict == Verdict::Open || due.is_some_and(|due| due > site.now) {
            let why = Why::Analysis(name.clone(), tally.last.clone());
            judgement.waits.push(site.wait(why, due));
        }
        if due == Some(site.now) {
            judgement.measure.push(Step::Measure {
                ask: Ask {
                    deployment: site.name.clone(),
                    rollout: rollout.number,
                    stage: index,
                    analysis: name.clone(),
                    number: tally.taken.saturating_add(1),
                },
                analysis: Box::new(analysis.clone()),
                candidate: rollout.candidate.clone(),
                stable: progress.stable.clone(),
                since,
            });
        }
    }
    if stage.approval && !rollout.approved {
        open.any = true;
        judgement.waits.push(site.wait(Why::Approval(index), None));
    }
    open
}

/// Goes to the next stage, or ends the rollout behind the last one.
fn advance(progress: &mut Progress, events: &mut Vec<Event>) {
    let Some(rollout) = &mut progress.rollout else {
        return;
    };
    rollout.stage += 1;
    rollout.restart_stage();
    if current(progress).is_none() {
        finish(progress, events);
    }
}

fn finish(progress: &mut Progress, events: &mut Vec<Event>) {
    if let Some(rollout) = &progress.rollout {
        let candidate = rollout.candidate.clone();
        events.push(Event::Settled(candidate.clone()));
        progress.settle(&candidate);
    }
}
