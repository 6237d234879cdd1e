//! Whether a rollout's steps lead anywhere.

use crate::check::closest::suggest;
use crate::check::codes;
use crate::check::diagnostic::{Diagnostic, Severity};
use crate::check::document::Document;
use crate::check::records::Records;
use crate::record::Name;
use crate::record::kind::{Deployment, Step, Strategy};

use super::duplicate_names;

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    for (document, deployment) in records.deployments() {
        let names = deployment
            .spec
            .analysis
            .iter()
            .map(|analysis| analysis.name.as_str());
        duplicate_names(document, "/spec/analysis", names, found);
        unmeasured(document, deployment, found);
        if let Some(strategy) = &deployment.spec.strategy {
            sense(document, strategy, found);
            ascent(document, strategy, found);
            analyses(document, deployment, strategy, found);
        }
    }
}

/// Whether each step says something.
fn sense(document: &Document, strategy: &Strategy, found: &mut Vec<Diagnostic>) {
    for (index, step) in strategy.steps.iter().enumerate() {
        if *step == Step::default() {
            let message = format!("step {} says nothing", index + 1);
            let pointer = format!("/spec/strategy/steps/{index}");
            let diagnostic = document.error(&codes::STRATEGY_STEPS, &pointer, message);
            found.push(diagnostic.help("give it a `weight`, `for`, `analysis` or `approval`"));
        }
    }
}

/// Whether each weight is more than the one before.
fn ascent(document: &Document, strategy: &Strategy, found: &mut Vec<Diagnostic>) {
    let mut before: Option<(usize, u8)> = None;
    for (index, step) in strategy.steps.iter().enumerate() {
        let Some(weight) = step.weight else {
            continue;
        };
        let pointer = |index: usize| format!("/spec/strategy/steps/{index}/weight");
        if let Some((earlier, least)) = before
            && weight <= least
        {
            let message = format!("the weight {weight} is not more than the {least} before");
            found.push(
                document
                    .error(&codes::STRATEGY_STEPS, &pointer(index), message)
                    .help("let the weights ascend; a step without one stays where it is")
                    .related(
                        &document.path,
                        document.value_at(&pointer(earlier)),
                        "it was here",
                    ),
            );
        }
        before = Some((index, weight));
    }
}

/// Whether the analyses that steps name are there.
fn analyses(
    document: &Document,
    deployment: &Deployment,
    strategy: &Strategy,
    found: &mut Vec<Diagnostic>,
) {
    let known = &deployment.spec.analysis;
    for (index, step) in strategy.steps.iter().enumerate() {
        for (item, name) in step.analysis.iter().enumerate() {
            if known.iter().any(|analysis| analysis.name == *name) {
                continue;
            }
            let message = format!("this deployment has no analysis `{name}`");
            let pointer = format!("/spec/strategy/steps/{index}/analysis/{item}");
            let mut diagnostic = document.error(&codes::UNKNOWN_ANALYSIS, &pointer, message);
            let names = known.iter().map(|analysis| analysis.name.as_str());
            diagnostic.help = suggest(name.as_str(), names)
                .or_else(|| Some("describe it under `analysis`".to_owned()));
            found.push(diagnostic);
        }
    }
}

/// Whether each analysis is measured by some step; one that isn't guards nothing.
fn unmeasured(document: &Document, deployment: &Deployment, found: &mut Vec<Diagnostic>) {
    let spec = &deployment.spec;
    let steps = spec.strategy.iter().flat_map(|strategy| &strategy.steps);
    let measured: Vec<_> = steps.flat_map(|step| &step.analysis).collect();
    let is_known = |name: &&Name| spec.analysis.iter().any(|one| one.name == **name);
    if !measured.iter().all(is_known) {
        // One name is mistyped, which is told; the other one is meant by it.
        return;
    }
    for (index, analysis) in spec.analysis.iter().enumerate() {
        if measured.contains(&&analysis.name) {
            continue;
        }
        let message = format!("no step measures the analysis `{}`", analysis.name);
        let pointer = format!("/spec/analysis/{index}/name");
        let diagnostic = document.error(&codes::UNMEASURED_ANALYSIS, &pointer, message);
        let help = "name it under `analysis` of a step, or leave it out";
        found.push(diagnostic.weighing(Severity::Warning).help(help));
    }
}
