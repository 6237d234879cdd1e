//! Keras models: version 3's zip, and the HDF5 of older ones.
//!
//! Both have the layers as JSON: what goes in stands in the input layers, what comes out only
//! where the last layer says how wide it is. Weights are in HDF5, which is not read here.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom};

use serde_json::Value;

use super::element::Element;
use super::json;
use super::port::{MAX_PORTS, Port};
use super::told::{Told, by, named};
use super::zip;

/// The largest configuration that is searched for layers that run code.
const MAX_CONFIG_BYTES: u64 = 16 * 1024 * 1024;
/// The largest configuration whose layers are looked at.
const MAX_LAYERS_BYTES: u64 = 4 * 1024 * 1024;
/// The largest `metadata.json`.
const MAX_METADATA_BYTES: u64 = 64 * 1024;
/// What is looked for in HDF5: that Keras wrote it, a layer that runs code, and how the
/// configuration begins, as each generation of Keras writes it.
const LOOKED_FOR: [&[u8]; 6] = [
    b"keras_version",
    b"\"Lambda\"",
    b"{\"class_name\": \"Functional\", \"config\"",
    b"{\"class_name\": \"Sequential\", \"config\"",
    b"{\"class_name\": \"Model\", \"config\"",
    b"{\"module\": \"keras",
];

/// What the zip in `file` is.
///
/// # Errors
/// If it has no whole directory.
pub(super) fn zipped(mut file: impl Read + Seek) -> io::Result<Told> {
    let entries = zip::entries(&mut file)?;
    let mut read = |name: &str, limit| -> io::Result<Option<Vec<u8>>> {
        match entries.iter().find(|entry| entry.name == name) {
            Some(entry) => zip::bytes(&mut file, entry, limit),
            None => Ok(None),
        }
    };
    let metadata = read("metadata.json", MAX_METADATA_BYTES)?;
    let version = metadata.and_then(|bytes| {
        let metadata: Value = serde_json::from_slice(&bytes).ok()?;
        Some(metadata.get("keras_version")?.as_str()?.to_owned())
    });
    let mut told = named("keras");
    told.framework = Some(("keras".to_owned(), version));
    // A configuration that can't be looked into may have anything in it.
    match read("config.json", MAX_CONFIG_BYTES)? {
        Some(config) => {
            if has_lambda(&config) {
                told.code.push("keras-lambda");
            }
            if config.len() as u64 <= MAX_LAYERS_BYTES
                && let Ok(config) = serde_json::from_slice(&config)
            {
                from_config(&config, &mut told);
            }
        }
        None => told.code.push("keras-lambda"),
    }
    Ok(told)
}

/// What the HDF5 in `file` is: that which Keras wrote has its configuration as JSON in it.
///
/// # Errors
/// If it can't be read.
pub(super) fn hdf5(mut file: impl Read + Seek, extension: &str) -> io::Result<Told> {
    let [written, lambda, begins @ ..] = find(&mut file, LOOKED_FOR)?;
    if written.is_none() && extension != "keras" {
        return Ok(named("hdf5"));
    }
    let mut told = by("keras", "keras");
    if lambda.is_some() {
        told.code.push("keras-lambda");
    }
    for begin in begins.into_iter().flatten() {
        file.seek(SeekFrom::Start(begin))?;
        if let Ok(config) = json::first(&mut file, MAX_LAYERS_BYTES) {
            from_config(&config, &mut told);
            break;
        }
    }
    Ok(told)
}

/// Whether a configuration has a `Lambda` layer, which holds Python bytecode.
fn has_lambda(config: &[u8]) -> bool {
    config.windows(8).any(|eight| eight == b"\"Lambda\"")
}

/// Where each of `needles` first occurs in `file`, which is read once, a chunk at a time.
fn find<const N: usize>(
    file: &mut (impl Read + Seek),
    needles: [&[u8]; N],
) -> io::Result<[Option<u64>; N]> {
    const CHUNK_BYTES: usize = 1024 * 1024;
    let longest = needles.iter().map(|needle| needle.len()).max().unwrap_or(1);
    let mut firsts = [false; 256];
    for first in needles.iter().filter_map(|needle| needle.first()) {
        firsts[usize::from(*first)] = true;
    }
    file.rewind()?;
    let mut found = [None; N];
    let mut chunk = vec![0; CHUNK_BYTES];
    let (mut kept, mut begin) = (0, 0_u64);
    loop {
        let count = file.read(&mut chunk[kept..])?;
        if count == 0 {
            return Ok(found);
        }
        let filled = kept + count;
        for at in 0..filled {
            if !firsts[usize::from(chunk[at])] {
                continue;
            }
            for (needle, place) in needles.iter().zip(&mut found) {
                if place.is_none() && chunk[at..filled].starts_with(needle) {
                    *place = Some(begin + at as u64);
                }
            }
        }
        // A needle may lie across two reads.
        kept = filled.min(longest - 1);
        begin += (filled - kept) as u64;
        chunk.copy_within(filled - kept..filled, 0);
    }
}

fn from_config(config: &Value, told: &mut Told) {
    let modules = modules(config);
    if !modules.is_empty() {
        told.code.push("keras-custom");
        let modules: Vec<_> = modules.into_iter().take(MAX_LISTED).collect();
        told.metadata
            .insert("custom modules".to_owned(), modules.join(", "));
    }
    let Some(layers) = config.pointer("/config/layers").and_then(Value::as_array) else {
        return;
    };
    let graph = &config["config"];
    let named = |name: &String| {
        layers
            .iter()
            .find(|layer| layer_name(layer) == Some(name.as_str()))
    };
    let ins: Vec<&Value> = match names(&graph["input_layers"]) {
        // A chain of layers names none.
        names if names.is_empty() => layers.iter().filter(|layer| is_input(layer)).collect(),
        names => names.iter().filter_map(named).collect(),
    };
    let outs: Vec<&Value> = match names(&graph["output_layers"]) {
        names if names.is_empty() => layers.last().into_iter().collect(),
        names => names.iter().filter_map(named).collect(),
    };
    told.inputs = ins.into_iter().take(MAX_PORTS).filter_map(input).collect();
    told.outputs = outs
        .into_iter()
        .take(MAX_PORTS)
        .filter_map(output)
        .collect();
}

/// The most modules that are listed.
const MAX_LISTED: usize = 16;

/// Modules other than Keras's own that loading the configuration imports.
fn modules(value: &Value) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(values) => open.extend(values),
            Value::Object(fields) => {
                if let Some(module) = value["module"].as_str()
                    && value["class_name"].is_string()
                    && !matches!(
                        module.split('.').next(),
                        Some("keras" | "keras_nlp" | "keras_hub")
                    )
                {
                    found.insert(module);
                }
                open.extend(fields.values());
            }
            _ => {}
        }
    }
    found
}

/// The layers that `["name", 0, 0]` or a list of such name.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Array(parts) => match parts.first() {
            Some(Value::String(name)) => vec![name.clone()],
            _ => parts.iter().take(MAX_PORTS).flat_map(names).collect(),
        },
        Value::Object(parts) => parts.values().take(MAX_PORTS).flat_map(names).collect(),
        _ => Vec::new(),
    }
}

fn layer_name(layer: &Value) -> Option<&str> {
    layer["config"]["name"].as_str().or(layer["name"].as_str())
}

fn is_input(layer: &Value) -> bool {
    layer["class_name"] == "InputLayer"
}

fn input(layer: &Value) -> Option<Port> {
    let config = is_input(layer).then(|| &layer["config"])?;
    let shape = shape(&config["batch_shape"]).or_else(|| shape(&config["batch_input_shape"]))?;
    Some(Port::tensor(layer_name(layer)?, element(config)?, shape))
}

/// A dense layer says how wide its output is; of others nothing is told.
fn output(layer: &Value) -> Option<Port> {
    let config = &layer["config"];
    if layer["class_name"] != "Dense" {
        return None;
    }
    let mut shape = shape(&layer["build_config"]["input_shape"])?;
    *shape.last_mut()? = config["units"].as_i64()?;
    Some(Port::tensor(layer_name(layer)?, element(config)?, shape))
}

fn shape(value: &Value) -> Option<Vec<i64>> {
    let sizes = value.as_array()?.iter().map(|size| match size {
        Value::Null => Some(-1),
        size => size.as_i64(),
    });
    sizes.collect()
}

/// The type of a layer: a name, or a policy with one.
fn element(config: &Value) -> Option<Element> {
    let dtype = &config["dtype"];
    let name = dtype.as_str().or(dtype["config"]["name"].as_str())?;
    Some(match name {
        "float32" => Element::Float,
        "float64" => Element::Double,
        // What comes out of `mixed_…` is of its computing type.
        "float16" | "mixed_float16" => Element::Float16,
        "bfloat16" | "mixed_bfloat16" => Element::Bfloat16,
        "int8" => Element::Int8,
        "int16" => Element::Int16,
        "int32" => Element::Int32,
        "int64" => Element::Int64,
        "uint8" => Element::Uint8,
        "bool" => Element::Bool,
        "string" => Element::String,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use serde_json::json;

    use super::super::zip::writing::zip;
    use super::*;

    fn told(config: &Value) -> Told {
        let config = config.to_string();
        let metadata = br#"{"keras_version": "3.5.0"}"#;
        let zip = zip(&[
            ("metadata.json", metadata),
            ("config.json", config.as_bytes()),
        ]);
        zipped(Cursor::new(zip)).unwrap()
    }

    #[test]
    fn input_layers_and_a_dense_end_tell_the_tensors() {
        let told = told(
            &json!({"module": "keras", "class_name": "Functional", "config": {
            "layers": [
                {"class_name": "InputLayer", "config": {"batch_shape": [null, 4], "dtype": "float32", "name": "x"}},
                {"class_name": "Dense", "config": {"name": "label", "units": 3,
                    "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}},
                    "build_config": {"input_shape": [null, 4]}}],
            "input_layers": [["x", 0, 0]], "output_layers": ["label", 0, 0]}}),
        );
        assert_eq!(
            told.inputs,
            [Port::tensor("x", Element::Float, vec![-1, 4])]
        );
        assert_eq!(
            told.outputs,
            [Port::tensor("label", Element::Float, vec![-1, 3])]
        );
        assert_eq!(
            told.framework,
            Some(("keras".to_owned(), Some("3.5.0".to_owned())))
        );
        assert!(told.code.is_empty());
    }

    #[test]
    fn what_imports_other_modules_is_marked() {
        let function = json!({"module": "os", "class_name": "function", "config": "system"});
        let told = told(&json!({"class_name": "Sequential", "config": {"layers": [
            {"module": "keras.layers", "class_name": "Activation", "config": {"activation": function}}]}}));
        assert_eq!(told.code, ["keras-custom"]);
        assert_eq!(told.metadata["custom modules"], "os");
    }

    #[test]
    fn a_needle_across_two_reads_is_found() {
        let mut bytes = vec![0; 1024 * 1024 - 3];
        bytes.extend(b"needle");
        let mut file = Cursor::new(bytes);
        let found = find(&mut file, [b"needle", b"noodle", b"eedle"]).unwrap();
        let place = 1024 * 1024 - 3;
        assert_eq!(found, [Some(place), None, Some(place + 1)]);
    }
}
