//! What an artifact's files say of the version that they make.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

use super::finding::Finding;
use super::folder;
use super::port::{Port, PortKind};
use super::told::{Told, tell};
use super::weights::{self, WeightBytes};
use crate::artifact::pack::packed::PackedFile;
use crate::artifact::pack::path::FilePath;
use crate::record::Name;
use crate::record::kind::{Format, Framework, Shape, Tensor};

/// Formats by how sure it is that such a file is what the version is about: a folder that has an
/// ONNX model and the checkpoint that it was exported from is an ONNX model.
const BY_RANK: [&str; 23] = [
    "onnx",
    "openvino",
    "tflite",
    "coreml",
    "tensorrt",
    "safetensors",
    "gguf",
    "torchscript",
    "keras",
    "tensorflow",
    "h2o-mojo",
    "xgboost",
    "lightgbm",
    "catboost",
    "spark-ml",
    "pmml",
    "pytorch",
    "joblib",
    "pickle",
    "rds",
    "rdata",
    "hdf5",
    "numpy",
];
/// The longest text that is taken over: what a tensor may be called.
const MAX_LINE_BYTES: usize = 1024;
/// The largest count of weights: what every JSON reader keeps exact.
const MAX_COUNT: u64 = (1 << 53) - 1;

/// What the files say of themselves, in the words of a version's record.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// The file that it is told from, where one stands out.
    pub main: Option<FilePath>,
    /// What the version's main file is, and what in any of its files can run code.
    pub format: Option<Format>,
    /// What trained it.
    pub framework: Option<Framework>,
    /// The type of most of its weights.
    pub precision: Option<Name>,
    /// How many weights it has.
    pub parameter_count: Option<u64>,
    /// The tensors it takes.
    pub inputs: Vec<Tensor>,
    /// The tensors it gives.
    pub outputs: Vec<Tensor>,
    /// The operators that an ONNX model uses, as `Gemm` or `ai.onnx.ml:ZipMap`.
    pub operators: BTreeSet<String>,
    /// What else it carries, by name.
    pub metadata: BTreeMap<String, String>,
    /// What a person should know before it is published.
    pub findings: Vec<Finding>,
}

/// What `files` say of themselves.
pub(in crate::artifact::pack) fn describe(files: &[PackedFile]) -> Description {
    let mut description = Description::default();
    let mut told: Vec<(&PackedFile, Told)> = Vec::new();
    for file in files {
        match tell(file.content, file.path.as_str(), || {
            File::open(&file.source)
        }) {
            Ok(Some(this)) => {
                let findings = this
                    .remarks
                    .iter()
                    .map(|remark| Finding::of(&file.path, remark));
                description.findings.extend(findings);
                told.push((file, this));
            }
            Ok(None) => {}
            Err(error) => description.findings.push(Finding::Unreadable {
                path: file.path.clone(),
                reason: error.to_string(),
            }),
        }
    }
    let mut code: BTreeSet<&str> = told
        .iter()
        .flat_map(|(_, told)| told.code.clone())
        .collect();
    let rank = |told: &Told| BY_RANK.iter().position(|format| *format == told.format);
    let Some(best) = told.iter().map(|(_, told)| rank(told)).min().flatten() else {
        return description;
    };
    told.retain(|(_, told)| rank(told) == Some(best));
    // What any of its files tells, until one stands out.
    description.precision = precision(&told);
    // Shards of one model are as good as one file, and one of them is not the model.
    let sharded = told.iter().all(|(file, _)| folder::shards(file).is_some());
    match main(&told) {
        _ if sharded => from_shards(&mut description, &told, files),
        Some((file, told)) => {
            description.main = Some(file.path.clone());
            from_main(&mut description, file, told, files);
        }
        None if best == 0 => description.findings.push(Finding::Several {
            format: BY_RANK[best].to_owned(),
            paths: told.iter().map(|(file, _)| file.path.clone()).collect(),
        }),
        None => {}
    }
    if let Some((file, _)) = told.first() {
        let config = folder::config(files, file.path.as_str());
        if config.runs_code {
            code.insert("remote-code");
        }
        description.metadata.extend(config.metadata);
    }
    description.format = Some(Format {
        name: name(BY_RANK[best]),
        version: description.format.and_then(|format| format.version),
        code: Some(code.into_iter().map(name).collect()),
    });
    description
}

fn name(word: &str) -> Name {
    word.parse().expect("names of formats are names")
}

/// The file that the version is about: the only one, or the topmost one called `model`; of a
/// folder's parts that are models themselves the topmost.
fn main<'a, 'b>(told: &'a [(&'b PackedFile, Told)]) -> Option<(&'b PackedFile, &'a Told)> {
    if let [(file, told)] = told {
        return Some((file, told));
    }
    let called = told.iter().filter(|(file, told)| {
        let name = file.path.file_name();
        name.split('.').next() == Some("model") || told.format == "spark-ml"
    });
    let depth = |file: &PackedFile| file.path.folders().count();
    let topmost = called.clone().map(|(file, _)| depth(file)).min()?;
    let mut topmost = called.filter(|(file, _)| depth(file) == topmost);
    let (file, told) = topmost.next()?;
    topmost.next().is_none().then_some((*file, told))
}

/// The type of most bytes of weights in all files, among the types that weights have.
fn precision(told: &[(&PackedFile, Told)]) -> Option<Name> {
    let said = told.iter().find_map(|(_, told)| told.precision.as_deref());
    said.or(weights::precision(&sum(told))).map(name)
}

fn sum(told: &[(&PackedFile, Told)]) -> WeightBytes {
    let mut sum = WeightBytes::new();
    for (_, told) in told {
        weights::add_all(&mut sum, &told.weight_bytes);
    }
    sum
}

fn from_main(description: &mut Description, file: &PackedFile, told: &Told, files: &[PackedFile]) {
    from_told(description, told);
    let path = &file.path;
    description.parameter_count = counted(
        told.parameter_count
            .or_else(|| weights::count(&told.weight_bytes)),
    );
    for location in &told.external_files {
        if !is_among(files, path, location) {
            description.findings.push(Finding::MissingWeights {
                path: path.clone(),
                location: location.clone(),
            });
        }
    }
    for (ports, tensors) in [
        (&told.inputs, &mut description.inputs),
        (&told.outputs, &mut description.outputs),
    ] {
        let mut names = BTreeSet::new();
        for port in ports {
            match tensor(port) {
                Ok(tensor) if names.insert(&port.name) => tensors.push(tensor),
                Ok(_) => {}
                Err(reason) => description.findings.push(Finding::Undescribed {
                    path: path.clone(),
                    tensor: port.name.clone(),
                    reason,
                }),
            }
        }
    }
}

/// What a model says whose weights lie in several files.
fn from_shards(description: &mut Description, told: &[(&PackedFile, Told)], files: &[PackedFile]) {
    let Some((first, told_first)) = told.first() else {
        return;
    };
    from_told(description, told_first);
    if folder::shards(first) == Some(told.len()) {
        let mut counts = told.iter().map(|(_, told)| told.parameter_count);
        let counts = counts.try_fold(0_u64, |sum, count| sum.checked_add(count?));
        description.parameter_count = counted(counts.or_else(|| weights::count(&sum(told))));
    }
    for location in folder::indexed(files, first.path.as_str()) {
        if !is_among(files, &first.path, &location) {
            description.findings.push(Finding::MissingWeights {
                path: first.path.clone(),
                location,
            });
        }
    }
}

fn from_told(description: &mut Description, told: &Told) {
    description.format = Some(Format {
        name: name(told.format),
        version: told
            .version
            .clone()
            .filter(|version| is_line(version) && version.len() <= 255),
        code: None,
    });
    description.framework = told.framework.as_ref().map(|(name, version)| Framework {
        name: name.clone(),
        version: version
            .clone()
            .filter(|version| is_line(version) && version.len() <= 255),
    });
    description.operators.clone_from(&told.operators);
    description.metadata.clone_from(&told.metadata);
}

/// Whether a record can have the text: what a hostile file says may be anything.
fn is_line(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_LINE_BYTES && !text.chars().any(char::is_control)
}

fn counted(count: Option<u64>) -> Option<u64> {
    count.filter(|count| *count <= MAX_COUNT)
}

/// Whether `location`, which lies beside the model at `path`, is packed.
fn is_among(files: &[PackedFile], path: &FilePath, location: &str) -> bool {
    let place = format!("{}{location}", folder::folder(path.as_str()));
    files.iter().any(|file| file.path.as_str() == place)
}

/// The port as a record describes it, or what it is instead.
fn tensor(port: &Port) -> Result<Tensor, String> {
    let element = match port.kind {
        PortKind::Tensor(element) => element,
        PortKind::Sequence => return Err("a sequence (as `ZipMap` makes them)".to_owned()),
        PortKind::Map => return Err("a map".to_owned()),
        PortKind::Sparse => return Err("a sparse tensor".to_owned()),
        PortKind::Optional => return Err("optional".to_owned()),
        PortKind::Unknown => return Err("of no told type".to_owned()),
    };
    if !is_line(&port.name) {
        return Err("of no name that a record can have".to_owned());
    }
    let datatype = element
        .datatype()
        .ok_or_else(|| format!("of the type {element:?}"))?;
    let sizes = port.shape.clone().ok_or("of no told shape")?;
    let shape = Shape::try_from(sizes).map_err(|error| error.to_string())?;
    Ok(Tensor {
        name: port.name.clone(),
        datatype,
        shape,
        description: port.description.clone().filter(|text| is_line(text)),
        image: None,
        labels: port.labels.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::onnx::writing::{model, node, port};
    use super::super::wire::writing::{bytes, number};
    use super::*;
    use crate::artifact::pack::pack;
    use crate::platform::progress::Silent;

    #[test]
    fn what_a_record_cannot_say_and_what_is_missing_is_found() {
        let place = [bytes(1, "location"), bytes(2, "weights.bin")].concat();
        let external = [number(1, 4), number(2, 16), bytes(8, "w"), bytes(13, place)].concat();
        let graph = [
            bytes(1, node("ZipMap", "ai.onnx.ml")),
            bytes(5, external),
            bytes(11, port("x", 1, &[-1, 4])),
            bytes(11, port("half", 16, &[-1, 4])),
            bytes(
                12,
                [bytes(1, "probabilities"), bytes(2, bytes(4, []))].concat(),
            ),
        ];
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("sub/model.onnx");
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        std::fs::write(&place, model(&graph.concat())).unwrap();
        let told = pack(folder.path(), &[], &Silent).unwrap().description;
        let findings: Vec<_> = told.findings.iter().map(Finding::to_string).collect();
        insta::assert_debug_snapshot!(findings, @r#"
        [
            "`sub/model.onnx` has weights in `weights.bin`, which is not among the files",
            "`half` of `sub/model.onnx` is of the type Bfloat16, which no request can carry",
            "`probabilities` of `sub/model.onnx` is a sequence (as `ZipMap` makes them), which no request can carry",
        ]
        "#);
        assert_eq!(told.inputs.len(), 1);
        assert_eq!(told.precision.unwrap().as_str(), "bf16");
        assert_eq!(told.framework.unwrap().name, "pytorch");

        std::fs::write(folder.path().join("sub/weights.bin"), [0; 8]).unwrap();
        let told = pack(folder.path(), &[], &Silent).unwrap().description;
        assert_eq!(told.findings.len(), 2);
    }
}
