//! What is counted, as Prometheus reads it (text format 0.0.4).

use std::fmt::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::map::{Backend, Deployment};
use super::shared::Shared;
use super::tally::Tally;
use crate::rollout::Content;

/// The bounds of latencies' buckets, in milliseconds.
const BOUNDS_MILLIS: [u64; 14] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000,
];

/// Writes all metrics.
pub(super) fn write(shared: &Shared) -> String {
    let mut text = String::new();
    // Writing to a String can't fail.
    let _ = server(shared, &mut text);
    let map = shared.map();
    let mut deployments: Vec<_> = map.deployments().collect();
    deployments.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let _ = gates(&deployments, &mut text);
    let _ = weights(&deployments, &mut text);
    let tallies: Vec<_> = deployments
        .iter()
        .flat_map(|deployment| {
            let tallies = shared.tallies(&deployment.name);
            // What was restarted has another revision and the same labels: they are one series.
            let mut of_content: Vec<(String, Vec<_>)> = Vec::new();
            for (_, tally) in tallies {
                let labels = labels(deployment.name.as_str(), tally.content());
                match of_content.iter_mut().find(|(known, _)| *known == labels) {
                    Some((_, all)) => all.push(tally),
                    None => of_content.push((labels, vec![tally])),
                }
            }
            of_content
        })
        .map(|(labels, tallies)| (labels, sum(&tallies)))
        .collect();
    let _ = answers(&tallies, &mut text);
    text
}

fn sum(tallies: &[std::sync::Arc<Tally>]) -> super::tally::Counts {
    let counts = tallies.iter().map(|tally| tally.counts());
    counts.fold(super::tally::Counts::default(), |all, counts| {
        all.and(&counts)
    })
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn server(shared: &Shared, text: &mut String) -> std::fmt::Result {
    head(
        text,
        "modelyard_gateway_connections",
        "gauge",
        "Clients that are connected.",
    )?;
    let connections = shared.connections.load(Ordering::Relaxed);
    writeln!(text, "modelyard_gateway_connections {connections}")?;
    let name = "modelyard_gateway_refused_total";
    head(
        text,
        name,
        "counter",
        "Requests not answered as asked, by the error's code.",
    )?;
    for (code, count) in shared.refusals() {
        writeln!(text, "{name}{{code=\"{code}\"}} {count}")?;
    }
    Ok(())
}

fn gates(deployments: &[&std::sync::Arc<Deployment>], text: &mut String) -> std::fmt::Result {
    let name = "modelyard_gateway_in_flight";
    head(text, name, "gauge", "Requests that are being answered.")?;
    for deployment in deployments {
        let (label, inside) = (&deployment.name, deployment.standing.gate.inside());
        writeln!(text, "{name}{{deployment=\"{label}\"}} {inside}")?;
    }
    let name = "modelyard_gateway_waiting";
    head(
        text,
        name,
        "gauge",
        "Requests that wait for a place, or for something to be ready.",
    )?;
    for deployment in deployments {
        let (label, waiting) = (&deployment.name, deployment.standing.gate.waiting());
        writeln!(text, "{name}{{deployment=\"{label}\"}} {waiting}")?;
    }
    Ok(())
}

fn weights(deployments: &[&std::sync::Arc<Deployment>], text: &mut String) -> std::fmt::Result {
    let name = "modelyard_gateway_weight_percent";
    head(
        text,
        name,
        "gauge",
        "The share of requests that a version gets.",
    )?;
    for deployment in deployments {
        let mut told: Vec<(String, u32)> = Vec::new();
        for backend in &deployment.backends {
            let backend: &Backend = backend;
            let labels = labels(deployment.name.as_str(), backend.tally.content());
            match told.iter_mut().find(|(known, _)| *known == labels) {
                Some((_, weight)) => *weight += u32::from(backend.weight),
                None => told.push((labels, u32::from(backend.weight))),
            }
        }
        for (labels, weight) in told {
            writeln!(text, "{name}{{{labels}}} {weight}")?;
        }
    }
    Ok(())
}

fn answers(tallies: &[(String, super::tally::Counts)], text: &mut String) -> std::fmt::Result {
    let name = "modelyard_gateway_errors_total";
    head(
        text,
        name,
        "counter",
        "Answers that failed by the fault of what serves.",
    )?;
    for (labels, counts) in tallies {
        writeln!(text, "{name}{{{labels}}} {}", counts.errors)?;
    }
    let name = "modelyard_gateway_mirrored_total";
    head(
        text,
        name,
        "counter",
        "Mirrored answers, by whether they were as the client's.",
    )?;
    for (labels, counts) in tallies {
        let (agreeing, differing) = (counts.agreeing, counts.differing);
        writeln!(text, "{name}{{{labels},agrees=\"true\"}} {agreeing}")?;
        writeln!(text, "{name}{{{labels},agrees=\"false\"}} {differing}")?;
    }
    let name = "modelyard_gateway_request_duration_seconds";
    head(text, name, "histogram", "How long answers took.")?;
    for (labels, counts) in tallies {
        for millis in BOUNDS_MILLIS {
            let bound = Duration::from_millis(millis);
            let (seconds, count) = (bound.as_secs_f64(), counts.times.at_most(bound));
            writeln!(text, "{name}_bucket{{{labels},le=\"{seconds}\"}} {count}")?;
        }
        let (count, seconds) = (counts.times.count(), counts.times.sum().as_secs_f64());
        writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}")?;
        writeln!(text, "{name}_sum{{{labels}}} {seconds}")?;
        writeln!(text, "{name}_count{{{labels}}} {count}")?;
    }
    Ok(())
}

/// What tells one version from another; names, versions and images have nothing to escape.
fn labels(deployment: &str, content: &Content) -> String {
    let digest = content.digest();
    match content {
        Content::Model(release) => {
            let (model, version) = (&release.model, &release.version);
            format!(
                "deployment=\"{deployment}\",model=\"{model}\",version=\"{version}\",digest=\"{digest}\""
            )
        }
        Content::Image(image) => {
            format!(
                "deployment=\"{deployment}\",model=\"{image}\",version=\"\",digest=\"{digest}\""
            )
        }
    }
}
