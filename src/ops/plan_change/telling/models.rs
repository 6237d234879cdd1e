//! Models in words.

use super::{Block, Line, Section, Sign, counted, size};
use crate::ops::plan_change::Fate;
use crate::ops::plan_change::{
    Bytes, ContractChange, Evidence, FilePlan, Files, MetricPlan, ModelPlan, Signatures,
    VersionPlan,
};
use crate::record::Lifecycle;

/// What stands for nothing.
const NOTHING: &str = "-";

/// What matters most of a model.
pub(super) fn glance(plan: &ModelPlan) -> Vec<Line> {
    let mut lines = Vec::new();
    match plan.is {
        Some(Fate::Added) => lines.push(Line::quoted(&plan.model).say(": a new model")),
        Some(Fate::Removed) => {
            let line = Line::quoted(&plan.model).say(": the model is removed");
            lines.push(line.sign(Sign::Warning));
        }
        _ => {}
    }
    if let Some(license) = &plan.license
        && plan.is != Some(Fate::Added)
    {
        let line = Line::quoted(&plan.model).say(": its licence changes, ");
        lines.push(moved(line, license.from.as_ref(), license.to.as_ref()).sign(Sign::Warning));
    }
    for moves in &plan.aliases {
        let line = Line::quoted(&plan.model)
            .say(": alias ")
            .quote(&moves.alias)
            .say(", ");
        let (from, to) = (moves.version.from.as_ref(), moves.version.to.as_ref());
        lines.push(moved(line, from, to));
    }
    lines.extend(
        plan.versions
            .iter()
            .filter_map(|version| self::version(plan, version)),
    );
    for version in &plan.versions {
        let breaking = version
            .contract
            .iter()
            .filter(|change| change.breaking)
            .count();
        if breaking > 0 {
            let line = name(plan, version)
                .stress(" breaks")
                .say(" those who call it: ");
            let first = version.contract.iter().find(|change| change.breaking);
            let line = first.map_or(line.clone(), |first| contract(line, first));
            let line = match breaking {
                1 => line,
                more => line.say(format!(", and {} more", more - 1)),
            };
            lines.push(line.sign(Sign::Warning));
        }
        if version.evidence.bytes == Bytes::Missing {
            let line = name(plan, version).say(": its bytes are not in their store");
            lines.push(line.sign(Sign::Stop));
        }
        if let Signatures::Refused { why } = &version.evidence.signatures {
            let line = name(plan, version).say(" falls short of the trust policy: ");
            lines.push(line.list(why).sign(Sign::Stop));
        }
    }
    lines
}

fn name(plan: &ModelPlan, version: &VersionPlan) -> Line {
    Line::quoted(&format!("{} {}", plan.model, version.version))
}

/// A version in one line; nothing where only something else begins to mean it.
fn version(model: &ModelPlan, plan: &VersionPlan) -> Option<Line> {
    let line = name(model, plan);
    let stage = |stage: Option<Lifecycle>| stage.map_or(NOTHING, Lifecycle::as_str);
    let mut line = match (plan.is?, &plan.lifecycle) {
        (Fate::Added, lifecycle) => {
            let to = lifecycle.as_ref().and_then(|moved| moved.to);
            line.say(format!(": a new version, {}", stage(to)))
        }
        (Fate::Removed, _) => line.say(": its record is removed").sign(Sign::Warning),
        (Fate::Changed, Some(moved)) => {
            line.say(format!(": {} → {}", stage(moved.from), stage(moved.to)))
        }
        (Fate::Changed, None) => line.say(": its record changes"),
    };
    let score = plan.metrics.iter().find(|metric| metric.score);
    if let Some(metric) = score
        && let (Some(value), Some(before)) = (metric.value, metric.champion.or(metric.previous))
        && plan.against.is_some()
    {
        let than = match metric.champion {
            Some(_) => "the champion's",
            None => "the previous version's",
        };
        line = line.say(format!(", score {value} beside {than} {before}"));
        line = match metric.better {
            Some(true) => line.say(" (better)"),
            Some(false) => line.say(" (").stress("worse").say(")"),
            None => line,
        };
    }
    let worse = plan.metrics.iter().filter(|one| !one.score);
    let worse: Vec<&String> = worse
        .filter(|one| one.better == Some(false))
        .map(|one| &one.name)
        .collect();
    if !worse.is_empty() {
        line = line.say("; ").stress("worse").say(" in ").list(worse);
    }
    Some(line)
}

fn moved<T: ToString>(line: Line, from: Option<&T>, to: Option<&T>) -> Line {
    let one = |line: Line, value: Option<&T>| match value {
        Some(value) => line.quote(&value.to_string()),
        None => line.say("none"),
    };
    one(one(line, from).say(" → "), to)
}

/// All of a model.
pub(super) fn section(plan: &ModelPlan) -> Section {
    let mut blocks = Vec::new();
    let mut lines = Vec::new();
    if let Some(license) = &plan.license {
        let line = moved(
            Line::said("licence: "),
            license.from.as_ref(),
            license.to.as_ref(),
        );
        lines.push(line);
    }
    for moves in &plan.aliases {
        let line = Line::said("alias ").quote(&moves.alias).say(": ");
        let (from, to) = (moves.version.from.as_ref(), moves.version.to.as_ref());
        lines.push(moved(line, from, to));
    }
    if let Some(card) = plan.card {
        let becomes = match card {
            Fate::Added => "is new",
            Fate::Changed => "changes",
            Fate::Removed => "is removed",
        };
        lines.push(Line::said(format!("the model card {becomes}")));
    }
    if !lines.is_empty() {
        blocks.push(Block::Lines(lines));
    }
    if !plan.metadata.is_empty() {
        blocks.push(Block::Differences(plan.metadata.clone()));
    }
    for version in &plan.versions {
        blocks.extend(details(plan, version));
    }
    let dependents = &plan.dependents;
    if !dependents.told.is_empty() {
        blocks.push(Block::Heading(Line::said("Who depends on it")));
        let told = dependents.told.iter();
        let mut lines: Vec<Line> = told
            .map(|one| Line::quoted(&one.who).say(": ").quote(&one.on))
            .collect();
        if dependents.more > 0 {
            lines.push(Line::said(format!("… and {} more", dependents.more)));
        }
        blocks.push(Block::Lines(lines));
    }
    Section {
        title: Line::said("Model ").quote(&plan.model),
        blocks,
    }
}

fn details(model: &ModelPlan, plan: &VersionPlan) -> Vec<Block> {
    let heading = version(model, plan).unwrap_or_else(|| name(model, plan));
    let mut blocks = vec![Block::Heading(heading)];
    if plan.is == Some(Fate::Removed) {
        return blocks;
    }
    if !plan.contract.is_empty() {
        let lines = plan.contract.iter().map(|change| {
            let line = match change.breaking {
                true => Line::default().stress("breaking: ").sign(Sign::Warning),
                false => Line::default(),
            };
            contract(line, change)
        });
        blocks.push(Block::Lines(lines.collect()));
    }
    if !plan.metrics.is_empty() {
        blocks.push(metrics(plan));
    }
    blocks.push(Block::Lines(evidence(&plan.evidence)));
    blocks.extend(files(plan));
    if !plan.metadata.is_empty() {
        if let (Some(against), None | Some(Fate::Added)) = (&plan.against, plan.is) {
            let line = Line::said("what its record says, against ").quote(against);
            blocks.push(Block::Lines(vec![line]));
        }
        blocks.push(Block::Differences(plan.metadata.clone()));
    }
    blocks
}

/// `input image: [1, 28, 28] -> [1, 32, 32]`.
fn contract(line: Line, change: &ContractChange) -> Line {
    let becomes = match change.is {
        Fate::Added => "new ",
        Fate::Removed => "no more ",
        Fate::Changed => "",
    };
    let line = line.say(format!("{becomes}{} ", change.part.as_str()));
    line.quote(&change.name).say(", ").quote(&change.what)
}

fn metrics(plan: &VersionPlan) -> Block {
    let mut headers = vec!["metric", "this version"];
    let has = (
        plan.champion.is_some(),
        plan.previous.is_some() && plan.previous != plan.champion,
    );
    if has.0 {
        headers.push("champion");
    }
    if has.1 {
        headers.push("previous");
    }
    let rows = plan.metrics.iter().map(|metric| {
        let mut row = vec![label(metric), value(metric)];
        let other = |value: Option<_>| Line::said(value.map_or(NOTHING.to_owned(), shown));
        if has.0 {
            row.push(other(metric.champion));
        }
        if has.1 {
            row.push(other(metric.previous));
        }
        row
    });
    Block::Table(headers, rows.collect())
}

fn shown(value: crate::record::kind::Finite) -> String {
    value.to_string()
}

/// `score accuracy ↑ (holdout, test)`.
fn label(metric: &MetricPlan) -> Line {
    let line = if metric.score {
        Line::said("score ")
    } else {
        Line::default()
    };
    let line = line.quote(&metric.name).say(match metric.higher_is_better {
        Some(true) => " ↑",
        Some(false) => " ↓",
        None => "",
    });
    match metric.with.is_empty() {
        true => line,
        false => line.say(" (").list(&metric.with).say(")"),
    }
}

fn value(metric: &MetricPlan) -> Line {
    let value = metric.value.map_or(NOTHING.to_owned(), shown);
    match metric.better {
        Some(true) => Line::default().stress(value).say(" better"),
        Some(false) => Line::said(value).say(" worse"),
        None => Line::said(value),
    }
}

fn evidence(evidence: &Evidence) -> Vec<Line> {
    let digest = Line::said("bytes ").quote(&evidence.digest);
    let digest = match &evidence.bytes {
        Bytes::There => digest.say(", in their store"),
        Bytes::Missing => digest.say(", not in their store").sign(Sign::Stop),
        Bytes::Unknown { why } => digest
            .say(", nobody knows whether they are there: ")
            .quote(why),
    };
    let signatures = match &evidence.signatures {
        Signatures::Trusted { by } => Line::said("signed by ").list(by),
        Signatures::Refused { why } => {
            let line = Line::said("falls short of the trust policy: ");
            line.list(why).sign(Sign::Stop)
        }
        Signatures::NotAsked => Line::said("nobody asks for a signature"),
        Signatures::Unknown => Line::said("signatures unknown"),
    };
    let tests = Line::said(counted(evidence.tests, "golden test"));
    vec![digest, signatures, tests]
}

fn files(plan: &VersionPlan) -> Vec<Block> {
    let (files, more, new_bytes, reused_bytes) = match &plan.files {
        Files::Unknown { why } => {
            return vec![Block::Lines(vec![Line::said("files unknown: ").quote(why)])];
        }
        Files::Known {
            files,
            more,
            new_bytes,
            reused_bytes,
        } => (files, more, new_bytes, reused_bytes),
    };
    let count = |is: Option<Fate>| files.iter().filter(|file| file.is == is).count();
    let counts: Vec<String> = [
        (Some(Fate::Added), "added"),
        (Some(Fate::Changed), "changed"),
        (Some(Fate::Removed), "removed"),
        (None, "reused"),
    ]
    .into_iter()
    .filter(|(is, _)| count(*is) > 0)
    .map(|(is, word)| format!("{} {word}", count(is)))
    .collect();
    let mut line = Line::said(format!("files: {}", counts.join(", ")));
    if let (Some(against), None | Some(Fate::Added)) = (&plan.against, plan.is) {
        line = line.say(" against ").quote(against);
    }
    line = line.say(format!(
        "; {} new, {} reused",
        size(*new_bytes),
        size(*reused_bytes)
    ));
    let row = |file: &FilePlan| {
        let is = match file.is {
            Some(Fate::Added) => "added",
            Some(Fate::Changed) => "changed",
            Some(Fate::Removed) => "removed",
            None => "reused",
        };
        vec![
            Line::quoted(&file.path),
            Line::said(is),
            Line::said(size(file.size)),
        ]
    };
    let mut blocks = vec![Block::Lines(vec![line])];
    let differing = files.iter().filter(|file| file.is.is_some());
    let rows: Vec<Vec<Line>> = differing.map(row).collect();
    if !rows.is_empty() {
        blocks.push(Block::Table(vec!["file", "", "size"], rows));
    }
    if *more > 0 {
        blocks.push(Block::Lines(vec![Line::said(format!(
            "… and {more} more files"
        ))]));
    }
    blocks
}
