//! OpenVINO's intermediate representation: a graph in XML, its weights in a `.bin` beside it.
//!
//! ```text
//! <net name version="11"><layers>
//!   <layer id name type="Parameter"><data shape="1,3,8,8" element_type="f32"/>
//!     <output><port id precision="FP32" names="image"><dim>1</dim>…</port></output></layer>
//!   <layer id name type="Const"><data element_type="f16" shape="8, 3" offset size/>…
//!   <layer id name type="Result"><input><port id precision="FP32"><dim>1</dim>…
//! </layers><edges><edge from-layer from-port to-layer to-port/>…</edges>
//! <rt_info>…<model_info><labels value="cat dog"/>…
//! ```

use std::collections::HashMap;
use std::io::{self, Read, Seek};

use super::element::Element as Type;
use super::port::{MAX_PORTS, Port, PortKind};
use super::told::{Told, named};
use super::weights;
use super::xml::{Element, Tag, Xml};

/// The most bytes of the graph that are read.
const MAX_GRAPH_BYTES: u64 = 256 * 1024 * 1024;
/// The most ports whose names are held.
const MAX_NAMES: usize = 262_144;
/// The most settings that are kept.
const MAX_SETTINGS: usize = 128;
/// The most dimensions.
const MAX_DIMENSIONS: usize = 64;

/// What is held while the graph is read.
#[derive(Debug, Default)]
struct Graph {
    /// The layer that is being read.
    layer: Layer,
    /// A name for what comes out of a layer's port, both by their numbers.
    names: HashMap<(String, String), String>,
    /// By the numbers of result layers, their places among the outputs.
    results: HashMap<String, usize>,
}

#[derive(Debug, Default)]
struct Layer {
    id: String,
    name: String,
    kind: String,
}

/// What the document says of itself; `stem` is its name without `.xml`.
///
/// # Errors
/// If it is no such graph.
pub(super) fn tell(mut file: impl Read + Seek, stem: &str) -> io::Result<Told> {
    file.rewind()?;
    let mut xml = Xml::new(file, MAX_GRAPH_BYTES);
    let mut told = named("openvino");
    let mut graph = Graph::default();
    let mut path: Vec<String> = Vec::new();
    while let Some(tag) = xml.tag()? {
        let element = match tag {
            Tag::Open { element, .. } => element,
            Tag::Close { depth, text } => {
                if path.last().is_some_and(|name| name == "dim") && path.len() == 6 {
                    graph.dimension(&text, &mut told);
                }
                path.truncate(depth - 1);
                continue;
            }
        };
        path.push(element.name.clone());
        let place: Vec<&str> = path.iter().map(String::as_str).collect();
        match place[..] {
            ["net"] => {
                told.version = element.get("version").map(str::to_owned);
                if let Some(name) = element.get("name") {
                    told.metadata.insert("name".to_owned(), name.to_owned());
                }
            }
            ["net", "layers", "layer"] => graph.begin(&element, &mut told),
            ["net", "layers", "layer", "data"] => graph.data(&element, &mut told),
            [
                "net",
                "layers",
                "layer",
                side @ ("input" | "output"),
                "port",
            ] => {
                graph.port(&element, side, &mut told);
            }
            ["net", "edges", "edge"] => graph.edge(&element, &mut told),
            ["net", "rt_info", ..] => setting(&element, &place, &mut told),
            ["net", ..] => {}
            _ => return Err(io::Error::other("it is no OpenVINO graph")),
        }
    }
    if !told.weight_bytes.is_empty() {
        told.external_files.insert(format!("{stem}.bin"));
    }
    Ok(told)
}

impl Graph {
    fn begin(&mut self, element: &Element, told: &mut Told) {
        let text = |key| element.get(key).unwrap_or_default().to_owned();
        self.layer = Layer {
            id: text("id"),
            name: text("name"),
            kind: text("type"),
        };
        if self.layer.kind == "Result" && told.outputs.len() < MAX_PORTS {
            self.results
                .insert(self.layer.id.clone(), told.outputs.len());
            told.outputs.push(Port {
                // Until the edges tell what leads here.
                name: self.layer.name.clone(),
                ..Port::default()
            });
        }
    }

    fn data(&self, element: &Element, told: &mut Told) {
        let kind = element.get("element_type").and_then(element_type);
        let shape = element.get("shape").map_or(Some(Vec::new()), shape);
        match (&*self.layer.kind, kind, shape) {
            ("Parameter", kind, shape) if told.inputs.len() < MAX_PORTS => {
                told.inputs.push(Port {
                    name: self.layer.name.clone(),
                    kind: kind.map_or(PortKind::Unknown, PortKind::Tensor),
                    shape,
                    ..Port::default()
                });
            }
            ("Const", Some(kind), Some(shape)) => {
                let sizes = shape.iter().map(|size| u64::try_from(*size).unwrap_or(0));
                let count = sizes.fold(1, u64::saturating_mul);
                weights::add(&mut told.weight_bytes, kind, count);
            }
            _ => {}
        }
    }

    fn port(&mut self, element: &Element, side: &str, told: &mut Told) {
        let names = element
            .get("names")
            .and_then(|names| names.split(',').next());
        match (side, &*self.layer.kind) {
            ("output", kind) => {
                let name = names.unwrap_or(&self.layer.name).to_owned();
                if kind == "Parameter"
                    && let Some(input) = told.inputs.last_mut()
                {
                    input.name.clone_from(&name);
                }
                if self.names.len() < MAX_NAMES {
                    let port = element.get("id").unwrap_or_default().to_owned();
                    self.names.insert((self.layer.id.clone(), port), name);
                }
            }
            (_, "Result") => {
                if let Some(output) = told.outputs.last_mut() {
                    let kind = element.get("precision").map(str::to_lowercase);
                    let kind = kind.as_deref().and_then(precision);
                    output.kind = kind.map_or(PortKind::Unknown, PortKind::Tensor);
                    output.shape = Some(Vec::new());
                }
            }
            _ => {}
        }
    }

    fn dimension(&self, text: &str, told: &mut Told) {
        if self.layer.kind == "Result"
            && let Some(output) = told.outputs.last_mut()
            && let Some(sizes) = &mut output.shape
            && sizes.len() < MAX_DIMENSIONS
        {
            sizes.push(size(text));
        }
    }

    fn edge(&self, element: &Element, told: &mut Told) {
        let text = |key| element.get(key).unwrap_or_default().to_owned();
        let Some(place) = self.results.get(&text("to-layer")) else {
            return;
        };
        if let Some(name) = self.names.get(&(text("from-layer"), text("from-port"))) {
            told.outputs[*place].name.clone_from(name);
        }
    }
}

/// A setting of `rt_info`, such as what converted the model, and how.
fn setting(element: &Element, place: &[&str], told: &mut Told) {
    let Some(value) = element.get("value") else {
        return;
    };
    let name = place[2..].join(".");
    if name == "conversion_parameters.framework" && matches!(value, "pytorch" | "tensorflow") {
        told.framework = Some((value.to_owned(), None));
    }
    if told.metadata.len() < MAX_SETTINGS {
        told.metadata.insert(name, value.to_owned());
    }
}

/// A size, or -1 for one that is not fixed: `?`, `-1`, `1..8`.
fn size(text: &str) -> i64 {
    text.trim().parse().map_or(-1, |size: i64| size.max(-1))
}

fn shape(text: &str) -> Option<Vec<i64>> {
    // Not even the rank is fixed.
    if text == "..." {
        return None;
    }
    let sizes: Vec<_> = text.split(',').take(MAX_DIMENSIONS).map(size).collect();
    Some(sizes)
}

/// What constants and parameters call their types.
fn element_type(name: &str) -> Option<Type> {
    Some(match name {
        "f16" => Type::Float16,
        "f32" => Type::Float,
        "f64" => Type::Double,
        "i4" => Type::Int4,
        "u4" => Type::Uint4,
        "i8" => Type::Int8,
        "i16" => Type::Int16,
        "i32" => Type::Int32,
        "i64" => Type::Int64,
        "u8" => Type::Uint8,
        "u16" => Type::Uint16,
        "u32" => Type::Uint32,
        "u64" => Type::Uint64,
        "bf16" => Type::Bfloat16,
        "boolean" | "bool" => Type::Bool,
        "string" => Type::String,
        "f8e4m3" | "f8e5m2" | "f8e8m0" => Type::Float8,
        "f4e2m1" | "nf4" => Type::Float4,
        _ => return None,
    })
}

/// What ports call their types, in lower case.
fn precision(name: &str) -> Option<Type> {
    match name.strip_prefix("fp") {
        Some(bits) => element_type(&format!("f{bits}")),
        None => element_type(name),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn parameters_and_results_are_its_tensors() {
        let text = r#"<?xml version="1.0"?>
<net name="small" version="11"><layers>
  <layer id="0" name="x" type="Parameter" version="opset1"><data shape="?,3" element_type="f32"/>
    <output><port id="0" precision="FP32" names="image,other"><dim>-1</dim><dim>3</dim></port></output></layer>
  <layer id="1" name="w" type="Const" version="opset1"><data element_type="f16" shape="2, 3" offset="0" size="12"/></layer>
  <layer id="2" name="mul" type="MatMul" version="opset1">
    <output><port id="2" precision="FP32" names="logits"><dim>-1</dim><dim>2</dim></port></output></layer>
  <layer id="3" name="logits/sink_port_0" type="Result" version="opset1">
    <input><port id="0" precision="FP32"><dim>-1</dim><dim>2</dim></port></input></layer>
</layers><edges><edge from-layer="2" from-port="2" to-layer="3" to-port="0"/></edges>
<rt_info><Runtime_version value="2025.3"/><model_info><labels value="cat dog"/></model_info></rt_info></net>"#;
        let told = tell(Cursor::new(text), "model").unwrap();
        assert_eq!(
            told.inputs,
            [Port::tensor("image", Type::Float, vec![-1, 3])]
        );
        assert_eq!(
            told.outputs,
            [Port::tensor("logits", Type::Float, vec![-1, 2])]
        );
        assert_eq!(weights::count(&told.weight_bytes), Some(6));
        assert_eq!(told.metadata["model_info.labels"], "cat dog");
        assert!(told.external_files.contains("model.bin"));
    }
}
