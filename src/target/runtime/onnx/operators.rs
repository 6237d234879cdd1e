//! Which operators tract has.

use std::collections::BTreeSet;

use tract_onnx::Onnx;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto};

/// How deep graphs may lie in graphs (`If`, `Loop`, `Scan`).
const MAX_DEPTH: usize = 32;

/// Those of `operators`, each as `Name` or `domain:Name`, that the built-in runtime lacks.
pub fn lacking<'a>(operators: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let onnx = tract_onnx::onnx();
    let mut lacking: Vec<_> = operators.into_iter().collect();
    lacking.retain(|operator| !has(&onnx, operator));
    lacking
}

/// Whether tract has an operator; it tells them apart by their names alone.
fn has(onnx: &Onnx, operator: &str) -> bool {
    let name = operator.rsplit(':').next().unwrap_or(operator);
    onnx.op_register.0.contains_key(name)
}

/// All operators of a model that tract lacks.
pub(super) fn lacking_of(onnx: &Onnx, model: &ModelProto) -> Vec<String> {
    let mut lacking = BTreeSet::new();
    if let Some(graph) = &model.graph {
        walk(onnx, graph, 0, &mut lacking);
    }
    lacking.into_iter().collect()
}

fn walk(onnx: &Onnx, graph: &GraphProto, depth: usize, lacking: &mut BTreeSet<String>) {
    for node in &graph.node {
        let operator = named(node);
        if !has(onnx, &operator) {
            lacking.insert(operator);
        }
        let attributes = node.attribute.iter();
        let within = attributes.flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs));
        for graph in within.filter(|_| depth < MAX_DEPTH) {
            walk(onnx, graph, depth + 1, lacking);
        }
    }
}

fn named(node: &NodeProto) -> String {
    match node.domain.as_str() {
        "" | "ai.onnx" => node.op_type.clone(),
        domain => format!("{domain}:{}", node.op_type),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scikit_learns_exports_bring_is_lacking_or_not() {
        let used = ["Gemm", "Softmax", "ai.onnx.ml:ZipMap", "ai.onnx.ml:Scaler"];
        assert_eq!(lacking(used), ["ai.onnx.ml:ZipMap", "ai.onnx.ml:Scaler"]);
        assert_eq!(lacking(["ai.onnx.ml:TreeEnsembleClassifier"]), [""; 0]);
    }
}
