//! What an artifact's files say of the version that they make.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;

use serde::Serialize;

use super::element::Element;
use super::onnx::{Onnx, Port, PortKind};
use super::told::{Told, tell};
use crate::artifact::pack::packed::PackedFile;
use crate::artifact::pack::path::FilePath;
use crate::platform::redact::printable;
use crate::record::Name;
use crate::record::kind::{Format, Framework, Shape, Tensor};

/// Formats by how sure it is that such a file is what the version is about: a folder that has an
/// ONNX model and the checkpoint that it was exported from is an ONNX model.
const BY_RANK: [&str; 18] = [
    "onnx",
    "tflite",
    "coreml",
    "tensorrt",
    "safetensors",
    "gguf",
    "torchscript",
    "keras",
    "tensorflow",
    "xgboost",
    "lightgbm",
    "catboost",
    "pmml",
    "pytorch",
    "joblib",
    "pickle",
    "hdf5",
    "numpy",
];

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
    /// The tensors it takes.
    pub inputs: Vec<Tensor>,
    /// The tensors it gives.
    pub outputs: Vec<Tensor>,
    /// The operators it uses, as `Gemm` or `ai.onnx.ml:ZipMap`.
    pub operators: BTreeSet<String>,
    /// What else it carries, by name.
    pub metadata: BTreeMap<String, String>,
    /// What a person should know before it is published.
    pub findings: Vec<Finding>,
}

/// Something about a file that a person should know; it hinders nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum Finding {
    /// A file that is not what its name or first bytes say, or is damaged.
    Unreadable {
        /// The file.
        path: FilePath,
        /// What is wrong.
        reason: String,
    },
    /// Several files of one format, none of which stands out.
    Several {
        /// Their format.
        format: String,
        /// The files.
        paths: Vec<FilePath>,
    },
    /// Weights in another file, which is not there.
    MissingWeights {
        /// The model.
        path: FilePath,
        /// What the model calls the other file.
        location: String,
    },
    /// An input or output that a record can't describe.
    Undescribed {
        /// The model.
        path: FilePath,
        /// The input or output.
        tensor: String,
        /// Why.
        reason: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, reason } => {
                write!(formatter, "`{path}` says nothing of itself: {reason}")
            }
            Self::Several { format, paths } => {
                let paths: Vec<_> = paths.iter().map(|path| format!("`{path}`")).collect();
                write!(
                    formatter,
                    "of several {format} files ({}) none is called `model`, so no inputs and \
                     outputs are told",
                    paths.join(", ")
                )
            }
            Self::MissingWeights { path, location } => write!(
                formatter,
                "`{path}` has weights in `{}`, which is not among the files",
                printable(location)
            ),
            Self::Undescribed {
                path,
                tensor,
                reason,
            } => write!(
                formatter,
                "`{}` of `{path}` is {reason}, which no request can carry",
                printable(tensor)
            ),
        }
    }
}

/// What `files` say of themselves.
pub(in crate::artifact::pack) fn describe(files: &[PackedFile]) -> Description {
    let mut description = Description::default();
    let mut told: Vec<(&PackedFile, Told)> = Vec::new();
    for file in files {
        let name = file.path.file_name().to_lowercase();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        match tell(file.content, extension, &name, || File::open(&file.source)) {
            Ok(Some(this)) => told.push((file, this)),
            Ok(None) => {}
            Err(error) => description.findings.push(Finding::Unreadable {
                path: file.path.clone(),
                reason: error.to_string(),
            }),
        }
    }
    let code: BTreeSet<&str> = told
        .iter()
        .flat_map(|(_, told)| told.code.clone())
        .collect();
    let rank = |told: &Told| BY_RANK.iter().position(|format| *format == told.format);
    let Some(best) = told.iter().map(|(_, told)| rank(told)).min().flatten() else {
        return description;
    };
    told.retain(|(_, told)| rank(told) == Some(best));
    description.format = Some(Format {
        name: name(BY_RANK[best]),
        version: None,
        code: Some(code.into_iter().map(name).collect()),
    });
    description.precision = precision(&told);
    match main(&told) {
        Some((file, told)) => from_main(&mut description, file, told, files),
        None => {
            let paths = told.iter().map(|(file, _)| file.path.clone()).collect();
            let format = BY_RANK[best].to_owned();
            // Shards of one model are as good as one file.
            if best == 0 {
                description
                    .findings
                    .push(Finding::Several { format, paths });
            }
        }
    }
    description
}

fn name(word: &str) -> Name {
    word.parse().expect("names of formats are names")
}

/// The file that the version is about: the only one, or the topmost one called `model`.
fn main<'a, 'b>(told: &'a [(&'b PackedFile, Told)]) -> Option<(&'b PackedFile, &'a Told)> {
    if let [(file, told)] = told {
        return Some((file, told));
    }
    let called = told.iter().filter(|(file, _)| {
        let name = file.path.file_name();
        name.split('.').next() == Some("model")
    });
    let depth = |file: &PackedFile| file.path.folders().count();
    let topmost = called.clone().map(|(file, _)| depth(file)).min()?;
    let mut topmost = called.filter(|(file, _)| depth(file) == topmost);
    let (file, told) = topmost.next()?;
    topmost.next().is_none().then_some((*file, told))
}

/// The type of most bytes of weights, among the types that weights have.
fn precision(told: &[(&PackedFile, Told)]) -> Option<Name> {
    let mut sums: BTreeMap<Element, u64> = BTreeMap::new();
    for (element, bytes) in told.iter().flat_map(|(_, told)| &told.weight_bytes) {
        let sum = sums.entry(*element).or_default();
        *sum = sum.saturating_add(*bytes);
    }
    let weights = sums
        .into_iter()
        .filter_map(|(element, bytes)| Some((element.precision()?, bytes)));
    let (precision, _) = weights.max_by_key(|(_, bytes)| *bytes)?;
    Some(name(precision))
}

fn from_main(description: &mut Description, file: &PackedFile, told: &Told, files: &[PackedFile]) {
    description.main = Some(file.path.clone());
    if let Some(format) = &mut description.format {
        format.version.clone_from(&told.version);
    }
    description.framework = told.framework.as_ref().map(|(name, version)| Framework {
        name: (*name).to_owned(),
        version: version.clone(),
    });
    if let Some(onnx) = &told.onnx {
        from_onnx(description, &file.path, onnx, files);
    }
}

fn from_onnx(description: &mut Description, path: &FilePath, onnx: &Onnx, files: &[PackedFile]) {
    description.operators.clone_from(&onnx.operators);
    description.metadata.clone_from(&onnx.metadata);
    for location in &onnx.external_files {
        if !is_among(files, path, location) {
            description.findings.push(Finding::MissingWeights {
                path: path.clone(),
                location: location.clone(),
            });
        }
    }
    for (ports, tensors) in [
        (&onnx.inputs, &mut description.inputs),
        (&onnx.outputs, &mut description.outputs),
    ] {
        for port in ports {
            match tensor(port) {
                Ok(tensor) => tensors.push(tensor),
                Err(reason) => description.findings.push(Finding::Undescribed {
                    path: path.clone(),
                    tensor: port.name.clone(),
                    reason,
                }),
            }
        }
    }
}

/// Whether `location`, which lies beside the model at `path`, is packed.
fn is_among(files: &[PackedFile], path: &FilePath, location: &str) -> bool {
    let folder = path.as_str().rsplit_once('/').map(|(folder, _)| folder);
    let place = match folder {
        Some(folder) => format!("{folder}/{location}"),
        None => location.to_owned(),
    };
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
    let datatype = element
        .datatype()
        .ok_or_else(|| format!("of the type {element:?}"))?;
    let sizes = port.shape.clone().ok_or("of no told shape")?;
    let shape = Shape::try_from(sizes).map_err(|error| error.to_string())?;
    Ok(Tensor {
        name: port.name.clone(),
        datatype,
        shape,
        description: None,
        image: None,
        labels: Vec::new(),
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
