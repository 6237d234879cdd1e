//! Dependencies that come back to where they began.

use std::collections::{BTreeMap, BTreeSet};

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

/// What is told of a cycle depends on nothing but the records that need each other, so that it is
/// the same whatever else is looked at.
pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    for needs in [versions(records), deployments(records)] {
        for circle in circles(&needs) {
            if circle
                .iter()
                .any(|path| records.holds(&needs[path].document.seat))
            {
                found.extend(cycles(&needs, &circle).iter().map(|cycle| tell(cycle)));
            }
        }
    }
}

fn versions<'a>(records: &Records<'a>) -> Needs<'a> {
    let all = records.versions().into_iter();
    gathered(all.map(|(document, _)| document).collect(), |document| {
        let dependencies = document.version().into_iter();
        let dependencies = dependencies.flat_map(|record| &record.spec.dependencies);
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
        edges.collect()
    })
}

fn deployments<'a>(records: &Records<'a>) -> Needs<'a> {
    let all = records.deployments().into_iter();
    gathered(all.map(|(document, _)| document).collect(), |document| {
        let Some(record) = document.deployment() else {
            return Vec::new();
        };
        let names = record.spec.depends_on.iter().enumerate();
        let edges = names.filter_map(|(index, name)| {
            Some(Edge {
                pointer: format!("/spec/dependsOn/{index}"),
                to: records.deployment(&record.metadata.environment, name)?,
            })
        });
        edges.collect()
    })
}

/// What `starts` need, and what these need in turn. What needs nothing is left out.
fn gathered<'a>(
    starts: Vec<&'a Document>,
    edges: impl Fn(&'a Document) -> Vec<Edge<'a>>,
) -> Needs<'a> {
    let mut needs = Needs::new();
    let mut open = starts;
    while let Some(document) = open.pop() {
        if needs.contains_key(document.path.as_str()) {
            continue;
        }
        let edges = edges(document);
        if !edges.is_empty() {
            open.extend(edges.iter().map(|edge| edge.to));
            needs.insert(&document.path, Node { document, edges });
        }
    }
    needs
}

/// When a record was come upon, the earliest one that it leads back to, and whether it is still open
/// which circle it is in.
struct Met {
    at: usize,
    back_to: usize,
    open: bool,
}

/// The records that need each other, each with all the others, by Tarjan's algorithm. The walk
/// keeps its own stack: chains may be as long as there are records.
fn circles<'a>(needs: &Needs<'a>) -> Vec<BTreeSet<&'a str>> {
    let mut circles = Vec::new();
    let mut met: BTreeMap<&'a str, Met> = BTreeMap::new();
    let mut open: Vec<&'a str> = Vec::new();
    for &start in needs.keys() {
        let mut walk: Vec<(&'a str, usize)> = Vec::new();
        let mut next = (!met.contains_key(start)).then_some(start);
        loop {
            if let Some(path) = next.take() {
                let at = met.len();
                let back_to = at;
                let opened = Met {
                    at,
                    back_to,
                    open: true,
                };
                met.insert(path, opened);
                open.push(path);
                walk.push((path, 0));
            }
            let Some((path, step)) = walk.last_mut() else {
                break;
            };
            let path = *path;
            if let Some(edge) = needs[path].edges.get(*step) {
                *step += 1;
                let to: &'a str = &edge.to.path;
                match met.get(to) {
                    None => next = needs.contains_key(to).then_some(to),
                    Some(there) if there.open => {
                        let back_to = there.at;
                        lower(&mut met, path, back_to);
                    }
                    Some(_) => {}
                }
                continue;
            }
            walk.pop();
            let Met { at, back_to, .. } = met[path];
            if let Some((above, _)) = walk.last() {
                lower(&mut met, above, back_to);
            }
            if at == back_to {
                let first = open.iter().rposition(|one| *one == path);
                let circle: BTreeSet<_> = open
                    .split_off(first.unwrap_or_default())
                    .into_iter()
                    .collect();
                for path in &circle {
                    met.entry(path).and_modify(|one| one.open = false);
                }
                circles.push(circle);
            }
        }
    }
    circles.retain(|circle| {
        let to_itself = |path: &&str| needs[path].edges.iter().any(|edge| edge.to.path == *path);
        circle.len() > 1 || circle.iter().any(to_itself)
    });
    circles
}

fn lower(met: &mut BTreeMap<&str, Met>, path: &str, back_to: usize) {
    if let Some(one) = met.get_mut(path) {
        one.back_to = one.back_to.min(back_to);
    }
}

/// Every cycle that a walk through `circle` from its first record comes upon, each as its steps.
fn cycles<'n, 'a>(
    needs: &'n Needs<'a>,
    circle: &BTreeSet<&'a str>,
) -> Vec<Vec<(&'a Document, &'n Edge<'a>)>> {
    let mut cycles = Vec::new();
    let mut done: BTreeMap<&str, bool> = BTreeMap::new();
    let Some(start) = circle.first() else {
        return cycles;
    };
    done.insert(start, false);
    let mut walk: Vec<(&Node<'a>, usize)> = vec![(&needs[start], 0)];
    while let Some((node, next)) = walk.last_mut() {
        let node: &'n Node<'a> = node;
        let Some(edge) = node.edges.get(*next) else {
            done.insert(&node.document.path, true);
            walk.pop();
            continue;
        };
        *next += 1;
        let to = edge.to.path.as_str();
        if !circle.contains(to) {
            continue;
        }
        match done.get(to) {
            None => {
                done.insert(to, false);
                walk.push((&needs[to], 0));
            }
            Some(false) => {
                let begin = walk.iter().position(|(node, _)| node.document.path == to);
                let steps = walk[begin.unwrap_or_default()..].iter();
                let step =
                    |(node, next): &(&'n Node<'a>, usize)| (node.document, &node.edges[next - 1]);
                cycles.push(steps.map(step).collect());
            }
            Some(true) => {}
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
