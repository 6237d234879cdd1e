//! Environments in words.

use super::{Block, Line, MOST_IN_A_LINE, Section, Sign, counted, lasting, place, size};
use crate::ops::plan_change::Fate;
use crate::ops::plan_change::{Becomes, DeploymentPlan, EnvironmentPlan, Serving};
use crate::record::kind::PlanMismatch;
use crate::rollout::{Leg, PoolForecast, Usage};

/// How many legs a rollout's line has; of more the first and the last are told.
const LEGS_AT_A_GLANCE: usize = 6;

/// What matters most of an environment.
pub(super) fn glance(plan: &EnvironmentPlan) -> Vec<Line> {
    let mut lines: Vec<Line> = plan
        .deployments
        .iter()
        .map(|deployment| line(deployment, Line::quoted(&place(plan, deployment)).say(": ")))
        .collect();
    if plan.unknown.is_some() {
        let line = Line::quoted(&plan.environment);
        let line = line.say(": nobody knows what should be here; what runs stays");
        lines.push(line.sign(Sign::Stop));
    }
    if let [first, more @ ..] = &plan.cannot[..] {
        let line = Line::quoted(&plan.environment).say(": can't be done there: ");
        let line = match more.len() {
            0 => line.quote(first),
            more => line.quote(first).say(format!(", and {more} more")),
        };
        lines.push(line.sign(Sign::Stop));
    }
    match (&plan.is, plan.deployments.is_empty()) {
        (Some(Fate::Added), _) => {
            lines.push(Line::quoted(&plan.environment).say(": a new environment"));
        }
        (Some(Fate::Changed), true) => {
            lines.push(Line::quoted(&plan.environment).say(": the environment itself changes"));
        }
        _ => {}
    }
    lines
}

/// A deployment in one line.
fn line(plan: &DeploymentPlan, line: Line) -> Line {
    match plan.becomes {
        Becomes::Appears => {
            let line = serving(line.say("appears with "), &plan.to);
            course(line, &plan.course)
        }
        Becomes::Changes => {
            let line = serving(line, &plan.from).say(" → ");
            let line = serving(line, &plan.to);
            match plan.strategy {
                Some(by) => course(line.say(format!(" by {by}")), &plan.course),
                None => line.say(" at once"),
            }
        }
        Becomes::Adjusts => {
            let line = serving(line, &plan.to).say(" stays, ");
            let settings = counted(plan.settings.len().max(1), "setting");
            let verb = if plan.settings.len() < 2 {
                "changes"
            } else {
                "change"
            };
            line.say(format!("{settings} {verb}"))
        }
        Becomes::Leaves => {
            let line = line.stress("leaves").say("; ");
            match plan.from.is_empty() {
                true => line.say("nothing is known to serve it"),
                false => serving(line, &plan.from).say(" is drained and ends"),
            }
            .sign(Sign::Warning)
        }
        Becomes::Held => line
            .say("what is wanted can't be done; what runs stays")
            .sign(Sign::Stop),
        Becomes::Suspended => line.say("is suspended: nothing moves").sign(Sign::Warning),
        Becomes::Stays => {
            let line = line.say("would leave as the last one here, and stays");
            line.sign(Sign::Warning)
        }
    }
}

/// Who serves: `vision/digits 1.0.0`, or several with their shares.
fn serving(mut line: Line, serving: &[Serving]) -> Line {
    let whole: u64 = serving.iter().map(|one| u64::from(one.weight)).sum();
    for (at, one) in serving.iter().take(MOST_IN_A_LINE).enumerate() {
        if at > 0 {
            line = line.say(" + ");
        }
        line = line.quote(&one.what);
        if serving.len() > 1 && whole > 0 {
            let share = u64::from(one.weight) * 100 / whole;
            line = line.say(format!(" ({share} %)"));
        }
    }
    match serving.len() {
        0 => line.say("nothing that is known"),
        count if count > MOST_IN_A_LINE => {
            line.say(format!(" and {} more", count - MOST_IN_A_LINE))
        }
        _ => line,
    }
}

/// `: 25 % → 50 % → 100 %, 4s at the least, 1 approval`.
fn course(line: Line, legs: &[Leg]) -> Line {
    if legs.is_empty() || (legs.len() == 1 && legs[0].lasts.is_none() && !legs[0].approval) {
        return line;
    }
    let weight = |leg: &Leg| match (leg.mirror, leg.preview) {
        (true, _) => "copies".to_owned(),
        (_, true) => "preview".to_owned(),
        _ => format!("{} %", leg.weight),
    };
    let mut weights: Vec<String> = legs.iter().map(weight).collect();
    if weights.len() > LEGS_AT_A_GLANCE {
        let last = weights.pop().unwrap_or_default();
        weights.truncate(LEGS_AT_A_GLANCE - 2);
        weights.extend(["…".to_owned(), last]);
    }
    weights.dedup();
    let mut line = line.say(format!(": {}", weights.join(" → ")));
    let least = least(legs);
    if least > 0 {
        line = line.say(format!(", {} at the least", lasting(least)));
    }
    let approved: Vec<String> = legs.iter().filter(|leg| leg.approval).map(weight).collect();
    match approved.len() {
        0 => line,
        1..=LEGS_AT_A_GLANCE => {
            let line = line.say(", ").stress("a person approves");
            line.say(format!(" at {}", approved.join(", ")))
        }
        count => {
            let line = line.say(", ").stress("a person approves");
            line.say(format!(" {count} steps"))
        }
    }
}

/// How many seconds the legs last at the least.
fn least(legs: &[Leg]) -> u64 {
    legs.last().map_or(0, |last| {
        let lasts = last.lasts.map_or(0, |span| span.to_duration().as_secs());
        last.after_seconds.saturating_add(lasts)
    })
}

/// All of an environment.
pub(super) fn section(plan: &EnvironmentPlan) -> Section {
    let mut title = Line::said("Environment ").quote(&plan.environment);
    if let Some(target) = &plan.target {
        title = title.say(", target ").quote(target);
    }
    let mut blocks = Vec::new();
    if let Some(why) = &plan.unknown {
        let line = Line::said("nobody knows what should be here, and what runs stays: ");
        blocks.push(Block::Lines(vec![line.quote(why).sign(Sign::Stop)]));
    }
    if !plan.cannot.is_empty() {
        let cannot = plan.cannot.iter();
        let cannot = cannot.map(|why| Line::said("can't be done: ").quote(why).sign(Sign::Stop));
        blocks.push(Block::Lines(cannot.collect()));
    }
    for deployment in &plan.deployments {
        blocks.extend(self::deployment(deployment));
    }
    if !plan.pools.is_empty() {
        blocks.push(Block::Heading(Line::said("Pools")));
        let rows = plan.pools.iter().flat_map(pool).collect();
        let headers = vec!["pool", "takes now", "at most meanwhile", "then", "has"];
        blocks.push(Block::Table(headers, rows));
    }
    if !plan.metadata.is_empty() {
        blocks.push(Block::Heading(Line::said("The environment's record")));
        blocks.push(Block::Differences(plan.metadata.clone()));
    }
    if !plan.deployments.is_empty() {
        blocks.push(Block::Lines(rules(plan)));
    }
    Section { title, blocks }
}

/// Who approves, and what is done about another plan.
fn rules(plan: &EnvironmentPlan) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(approvals) = &plan.approvals {
        let required = approvals.required.unwrap_or(1) as usize;
        let mut line = Line::said(format!("asks for {}", counted(required, "approval")));
        if !approvals.from.is_empty() {
            line = line.say(" of ").list(&approvals.from);
        }
        lines.push(line);
    }
    let done = match plan.plan_mismatch {
        PlanMismatch::Refuse => "is not done",
        PlanMismatch::Report => "is done and told",
        PlanMismatch::Continue => "is done",
    };
    lines.push(Line::said(format!(
        "a merge that comes to another plan than this {done}"
    )));
    lines
}

fn deployment(plan: &DeploymentPlan) -> Vec<Block> {
    let heading = Line::quoted(&plan.deployment).say(": ");
    let mut blocks = vec![Block::Heading(line(plan, heading))];
    if !plan.course.is_empty() {
        let headers = vec![
            "step",
            "new version gets",
            "from",
            "until",
            "replicas new + old",
        ];
        let legs = plan.course.iter().enumerate();
        let rows = legs.map(|(at, leg)| row(at, leg, plan)).collect();
        blocks.push(Block::Table(headers, rows));
    }
    let mut lines: Vec<Line> = Vec::new();
    lines.extend(
        plan.analyses
            .iter()
            .map(|one| Line::said("measures ").quote(one)),
    );
    if !plan.drained.is_empty() {
        let mut line = Line::said("drains ").list(&plan.drained);
        if let Some(timeout) = plan.drain_timeout {
            line = line.say(format!(
                ": no new requests, {timeout} for those that it has"
            ));
        }
        lines.push(line);
    }
    for one in &plan.to {
        lines.push(Line::quoted(&one.what).say(" is ").quote(&one.digest));
    }
    let sign = match plan.becomes {
        Becomes::Held => Sign::Stop,
        Becomes::Stays => Sign::Warning,
        _ => Sign::Plain,
    };
    lines.extend(plan.notes.iter().map(|note| Line::quoted(note).sign(sign)));
    if !lines.is_empty() {
        blocks.push(Block::Lines(lines));
    }
    if !plan.settings.is_empty() {
        blocks.push(Block::Differences(plan.settings.clone()));
    }
    blocks
}

fn row(at: usize, leg: &Leg, plan: &DeploymentPlan) -> Vec<Line> {
    let gets = match (leg.mirror, leg.preview) {
        (true, _) => "copies of all requests".to_owned(),
        (_, true) => "who asks for it".to_owned(),
        _ => format!("{} %", leg.weight),
    };
    let from = match leg.after_seconds {
        0 => "when it is ready".to_owned(),
        seconds => format!("{} later, at the earliest", lasting(seconds)),
    };
    let mut until = Line::default();
    let mut said = false;
    if let Some(lasts) = leg.lasts {
        until = until.say(format!("{lasts}"));
        said = true;
    }
    if !leg.analyses.is_empty() {
        until = until
            .say(if said { " and " } else { "" })
            .list(&leg.analyses)
            .say(" hold");
        said = true;
    }
    if leg.approval {
        until = until
            .say(if said { ", then " } else { "" })
            .stress("a person approves");
        said = true;
    }
    if !said {
        until = until.say(if at + 1 == plan.course.len() {
            "-"
        } else {
            "it is ready"
        });
    }
    vec![
        Line::said((at + 1).to_string()),
        Line::said(gets),
        Line::said(from),
        until,
        Line::said(format!("{} + {}", leg.candidates, leg.stables)),
    ]
}

/// A row for each resource that somebody takes.
fn pool(pool: &PoolForecast) -> Vec<Vec<Line>> {
    type Shown = fn(u64) -> String;
    let cpu: Shown = |milli| match milli % 1000 {
        0 => format!("{} processors", milli / 1000),
        _ => format!("{milli}m processors"),
    };
    let memory: Shown = |bytes| format!("{} memory", size(bytes));
    let gpu: Shown = |count| format!("{count} GPUs");
    type Of = fn(&Usage) -> u64;
    let resources: [(Of, Option<u64>, Shown); 3] = [
        (|usage| usage.cpu_milli, pool.has.cpu_milli, cpu),
        (|usage| usage.memory_bytes, pool.has.memory_bytes, memory),
        (|usage| usage.gpu, pool.has.gpu.map(u64::from), gpu),
    ];
    let mut rows = Vec::new();
    for (of, has, shown) in resources {
        let [before, during, after] = [&pool.before, &pool.during, &pool.after].map(of);
        if before.max(during).max(after) == 0 {
            continue;
        }
        let amount = |amount: u64| match has {
            Some(has) if amount > has => Line::default().stress(format!("{} !", shown(amount))),
            _ => Line::said(shown(amount)),
        };
        rows.push(vec![
            Line::quoted(&pool.pool),
            amount(before),
            amount(during),
            amount(after),
            Line::said(has.map_or("no bound".to_owned(), shown)),
        ]);
    }
    rows
}
