//! Coprocessors: what each gives is what the next one takes.
//!
//! Requests pass `before` in order, then the model, then `after`. Each tensor that the next one
//! takes has to come, by its name, from the one before it. A container tells nothing of its
//! tensors, and so fits everything.

use super::deployments::{Use, uses};
use super::tensors::misfit;
use crate::check::codes;
use crate::check::diagnostic::Diagnostic;
use crate::check::document::Document;
use crate::check::records::{Records, Resolved};
use crate::record::kind::{Coprocessor, Deployment, ModelVersion};

/// A place of the chain: where it stands, and what it is if that is known.
struct Link<'a> {
    pointer: String,
    version: Option<(&'a Document, &'a ModelVersion)>,
}

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    for (document, deployment) in records.deployments() {
        let spec = &deployment.spec;
        if spec.before.is_empty() && spec.after.is_empty() {
            continue;
        }
        let uses = uses(records, deployment);
        let mut told: Vec<Diagnostic> = Vec::new();
        for serving in uses.iter().filter(|used| used.serves) {
            let chain = chain(deployment, &uses, serving);
            for pair in chain.windows(2) {
                pass(document, &pair[0], &pair[1], &mut told);
            }
        }
        // Several shares have the same coprocessors: what holds between those is told once.
        for diagnostic in told {
            if !found.contains(&diagnostic) {
                found.push(diagnostic);
            }
        }
    }
}

fn chain<'a>(deployment: &Deployment, uses: &[Use<'a>], serving: &Use<'a>) -> Vec<Link<'a>> {
    let known = |pointer: &str| {
        let used = uses.iter().find(|used| used.pointer == pointer)?;
        version(used)
    };
    let links = |list: &'static str, coprocessors: &[Coprocessor]| -> Vec<Link<'a>> {
        let pointers = (0..coprocessors.len()).map(|index| format!("/spec/{list}/{index}"));
        let link = |pointer: String| Link {
            version: known(&pointer),
            pointer,
        };
        pointers.map(link).collect()
    };
    let mut chain = links("before", &deployment.spec.before);
    chain.push(Link {
        pointer: serving.pointer.clone(),
        version: version(serving),
    });
    chain.extend(links("after", &deployment.spec.after));
    chain
}

fn version<'a>(used: &Use<'a>) -> Option<(&'a Document, &'a ModelVersion)> {
    match used.resolved {
        Resolved::Found(document, record) => Some((document, record)),
        _ => None,
    }
}

fn pass(document: &Document, giver: &Link<'_>, taker: &Link<'_>, found: &mut Vec<Diagnostic>) {
    let (Some((source, gives)), Some((target, takes))) = (giver.version, taker.version) else {
        return;
    };
    let outputs = &gives.spec.outputs;
    if outputs.is_empty() {
        return;
    }
    let name =
        |record: &ModelVersion| format!("{} {}", record.model_name(), record.metadata.version);
    // The coprocessor is what was put beside the model, and so what is pointed at.
    let pointer = if giver.pointer.starts_with("/spec/before") {
        giver
    } else {
        taker
    };
    for (index, input) in takes.spec.inputs.iter().enumerate() {
        let output = outputs.iter().position(|output| output.name == input.name);
        let reason = match output.map(|index| &outputs[index]) {
            None => Some("it does not give that".to_owned()),
            Some(output) => misfit(output.datatype, &output.shape, input),
        };
        let Some(reason) = reason else {
            continue;
        };
        let message = format!(
            "{} takes `{}` from {}, but {reason}",
            name(takes),
            input.name,
            name(gives)
        );
        let outputs_at = match output {
            Some(index) => source.value_at(&format!("/spec/outputs/{index}")),
            None => source.key_at("/spec/outputs"),
        };
        found.push(
            document
                .error(
                    &codes::TENSOR_MISMATCH,
                    &format!("{}/model", pointer.pointer),
                    message,
                )
                .help("put a coprocessor between them that fits both, or choose other versions")
                .related(
                    &target.path,
                    target.value_at(&format!("/spec/inputs/{index}")),
                    "it takes this",
                )
                .related(&source.path, outputs_at, "the one before gives this"),
        );
    }
}
