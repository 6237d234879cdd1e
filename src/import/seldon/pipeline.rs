//! What a `Pipeline` of v2 says: a line of models is a deployment, anything else is left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::v2::{Models, prefixed};
use crate::import::DeploymentListed;
use crate::import::manifest::{Fields, Found, Manifest};

/// The most steps of a pipeline that is read; a deployment has at most 32 coprocessors.
const MAX_STEPS: usize = 33;

/// Puts what `manifest` says into `found`.
pub(super) fn tell(manifest: &Manifest, models: &mut Models, found: &mut Found) {
    match line(manifest, models) {
        Ok(deployment) => found.deployments.push(deployment),
        Err(why) => found.leave_out(manifest, why),
    }
}

fn line(manifest: &Manifest, models: &mut Models) -> Result<DeploymentListed, String> {
    let mut fields = manifest.spec();
    let mut unmapped = manifest.rest();
    let mut inputs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut steps = Vec::new();
    for step in fields.list("steps") {
        let mut step = Fields::of(step).ok_or("a step is no mapping")?;
        let name = step.text("name").ok_or("a step has no name")?;
        steps.push((name, step));
    }
    if steps.len() > MAX_STEPS {
        return Err(format!("it has more than {MAX_STEPS} steps"));
    }
    let names: BTreeSet<String> = steps.iter().map(|(name, _)| name.clone()).collect();
    if names.len() < steps.len() {
        return Err("two of its steps have one name".to_owned());
    }
    for (name, step) in &mut steps {
        let from = sources(manifest, name, step, &names)?;
        inputs.insert(name.clone(), from);
    }
    let order = order(&inputs)?;
    for (name, step) in steps {
        step.left(&format!("steps.{name}."), &mut unmapped);
    }
    let last = order.last().ok_or("it has no steps")?;
    output(&mut fields, last)?;
    fields.left("", &mut unmapped);
    if let Some(missing) = order.iter().find(|name| !models.has(manifest, name)) {
        return Err(format!("its model {missing} is not there"));
    }
    let mut before = Vec::new();
    let mut remarks = Vec::new();
    let mut spec = Map::new();
    for name in &order {
        let Some((reference, serving)) = models.use_of(manifest, name) else {
            continue;
        };
        prefixed(serving.unmapped, name, &mut unmapped);
        remarks.extend(serving.remarks);
        if name == last {
            spec = serving.spec;
        } else {
            before.push(json!({ "model": reference }));
            let rest = serving
                .spec
                .into_iter()
                .filter(|(field, _)| field != "model");
            prefixed(rest.collect(), name, &mut unmapped);
        }
    }
    if !before.is_empty() {
        spec.insert("before".to_owned(), before.into());
        remarks.push(format!(
            "the last of its steps, {last}, is taken for the model, and those before it for \
             coprocessors"
        ));
    }
    Ok(DeploymentListed {
        name: manifest.name().to_owned(),
        environment: manifest.namespace().map(str::to_owned),
        cluster: None,
        reference: manifest.reference(),
        spec,
        unmapped,
        remarks,
    })
}

/// The steps that the step `name` gets its inputs from.
fn sources(
    manifest: &Manifest,
    name: &str,
    step: &mut Fields,
    names: &BTreeSet<String>,
) -> Result<BTreeSet<String>, String> {
    let mut from = BTreeSet::new();
    let mut picked = Vec::new();
    for input in step.list("inputs") {
        let text = input.as_str().unwrap_or_default();
        let first = text.split('.').next().unwrap_or_default();
        if names.contains(first) {
            from.insert(first.to_owned());
            // All that the step gives needs no word here; a single tensor of it does.
            if text != first && text != format!("{first}.outputs") {
                picked.push(input);
            }
        } else if first == manifest.name() || first.is_empty() {
            picked.push(input);
        } else {
            return Err(format!(
                "the step {name} takes `{}`, which is no step of it",
                text.escape_debug()
            ));
        }
    }
    if !picked.is_empty() {
        step.put("inputs", picked.into());
    }
    if step.has("triggers") {
        return Err(format!("the step {name} waits for a trigger"));
    }
    Ok(from)
}

/// The steps one behind the other, each with the one before it as its only input.
fn order(inputs: &BTreeMap<String, BTreeSet<String>>) -> Result<Vec<String>, String> {
    let mut order: Vec<String> = Vec::new();
    while order.len() < inputs.len() {
        let placed: BTreeSet<_> = order.iter().collect();
        let mut open = inputs.iter().filter(|(name, from)| {
            !placed.contains(name) && from.iter().all(|one| placed.contains(one))
        });
        let Some((next, from)) = open.next() else {
            let rest: Vec<_> = inputs
                .keys()
                .filter(|name| !placed.contains(name))
                .collect();
            let rest: Vec<_> = rest.into_iter().map(String::as_str).collect();
            return Err(format!("its steps {} wait for each other", rest.join(", ")));
        };
        let fits = match order.last() {
            None => from.is_empty(),
            Some(last) => from.len() == 1 && from.contains(last),
        };
        if open.next().is_some() || !fits {
            return Err(
                "its steps are no line: they fork or join, which no deployment can".to_owned(),
            );
        }
        order.push(next.clone());
    }
    Ok(order)
}

/// Whether what it gives is what its last step gives.
fn output(fields: &mut Fields, last: &str) -> Result<(), String> {
    let Some(mut output) = fields.fields("output") else {
        return Ok(());
    };
    let steps = output.list("steps");
    let mut picked = Vec::new();
    for step in steps {
        let text = step.as_str().unwrap_or_default();
        if text.split('.').next() != Some(last) {
            return Err(format!(
                "it gives what `{}` gives, which is not its last step",
                text.escape_debug()
            ));
        }
        if text != last && text != format!("{last}.outputs") {
            picked.push(step);
        }
    }
    if !picked.is_empty() {
        output.put("steps", Value::Array(picked));
    }
    fields.put_rest("output", output);
    Ok(())
}
