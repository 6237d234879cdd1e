//! Dependencies that come back to where they began.

use std::collections::BTreeMap;

use crate::check::codes;
use crate::check::diagnostic::Diagnostic;
use crate::check::document::Document;
use crate::check::records::{Records, Resolved};

/// What needs what, by the paths of the records.
type Needs<'a> = BTreeMap<&'a str, Node<'a>>;

struct Node<'a> {
    document: &'a Document,
    edges: Vec<Edge<'a>>,
}

struct Edge<'a> {
    /// Where the need is said.
    pointer: String,
    to: &'a Document,
}

/// How many steps of a cycle are told; nobody reads more.
const MAX_TOLD: usize = 20;

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    for needs in [versions(records), deployments(records)] {
        for cycle in cycles(&needs) {
            found.push(tell(&cycle));
        }
    }
}

fn versions<'a>(records: &Records<'a>) -> Needs<'a> {
    let mut needs = Needs::new();
    for (document, record) in records.versions() {
        let dependencies = record.spec.dependencies.iter();
        let models = dependencies.flat_map(|dependencies| &dependencies.models);
        let edges = models.enumerate().filter_map(|(index, dependency)| {
            let producer = &dependency.produced_by;
            match records.resolve(&producer.model, producer.version.as_ref()) {
                Resolved::Found(to, _) => Some(Edge {
                    pointer: format!("/spec/dependencies/models/{index}/producedBy/model"),
                    to,
                }),
                _ => None,
            }
        });
        insert(&mut needs, document, edges.collect());
    }
    needs
}

fn deployments<'a>(records: &Records<'a>) -> Needs<'a> {
    let mut needs = Needs::new();
    for (document, record) in records.deployments() {
        let names = record.spec.depends_on.iter().enumerate();
        let edges = names.filter_map(|(index, name)| {
            let to = records
                .deployments
                .get(&(&record.metadata.environment, name))?;
            Some(Edge {
                pointer: format!("/spec/dependsOn/{index}"),
                to,
            })
        });
        insert(&mut needs, document, edges.collect());
    }
    needs
}

fn insert<'a>(needs: &mut Needs<'a>, document: &'a Document, edges: Vec<Edge<'a>>) {
    if !edges.is_empty() {
        needs.insert(&document.path, Node { document, edges });
    }
}

/// Every cycle that a walk through all needs comes upon, each as its steps. The walk keeps its
/// own stack: chains may be as long as there are records.
fn cycles<'n, 'a>(needs: &'n Needs<'a>) -> Vec<Vec<(&'a Document, &'n Edge<'a>)>> {
    let mut cycles = Vec::new();
    let mut done: BTreeMap<&str, bool> = BTreeMap::new();
    for start in needs.values() {
        if done.contains_key(start.document.path.as_str()) {
            continue;
        }
        done.insert(&start.document.path, false);
        let mut walk: Vec<(&Node<'a>, usize)> = vec![(start, 0)];
        while let Some((node, next)) = walk.last_mut() {
            let node: &'n Node<'a> = node;
            let Some(edge) = node.edges.get(*next) else {
                done.insert(&node.document.path, true);
                walk.pop();
                continue;
            };
            *next += 1;
            let to = edge.to.path.as_str();
            match (done.get(to), needs.get(to)) {
                (None, Some(target)) => {
                    done.insert(to, false);
                    walk.push((target, 0));
                }
                (Some(false), Some(_)) => {
                    let begin = walk.iter().position(|(node, _)| node.document.path == to);
                    let steps = walk[begin.unwrap_or_default()..].iter();
                    let step = |(node, next): &(&'n Node<'a>, usize)| {
                        (node.document, &node.edges[next - 1])
                    };
                    cycles.push(steps.map(step).collect());
                }
                _ => {}
            }
        }
    }
    cycles
}

fn tell(cycle: &[(&Document, &Edge<'_>)]) -> Diagnostic {
    let name = |document: &Document| match &document.seat {
        crate::check::layout::Seat::Version(model, version) => format!("{model} {version}"),
        crate::check::layout::Seat::Deployment { name, .. } => name.to_string(),
        _ => document.path.clone(),
    };
    let (first, edge) = cycle[0];
    let mut names: Vec<_> = cycle
        .iter()
        .take(MAX_TOLD)
        .map(|(document, _)| name(document))
        .collect();
    if cycle.len() > MAX_TOLD {
        names.push(format!("… {} more …", cycle.len() - MAX_TOLD));
    }
    names.push(name(first));
    let message = format!("this needs itself: {}", names.join(" -> "));
    let diagnostic = first
        .error(&codes::DEPENDENCY_CYCLE, &edge.pointer, message)
        .help("take one of these needs away");
    let others = cycle.iter().take(MAX_TOLD).skip(1);
    others.fold(diagnostic, |diagnostic, (document, edge)| {
        let message = format!("{} needs {}", name(document), name(edge.to));
        diagnostic.related(&document.path, document.value_at(&edge.pointer), message)
    })
}
