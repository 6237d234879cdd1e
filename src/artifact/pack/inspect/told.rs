//! What one file is, told by its content first and its name where content has no mark.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek};

use super::compressed::Compression;
use super::content::Content;
use super::onnx::{self, Onnx};
use super::port::Port;
use super::weights::WeightBytes;
use super::wire::WireError;
use super::{
    gguf, keras, lightgbm, mojo, openvino, pickle, pmml, rds, safetensors, saved_model, spark,
    torch, xgboost,
};

/// What one file is.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The format's name, as records write it.
    pub(super) format: &'static str,
    pub(super) version: Option<String>,
    /// What in it can run code when it is loaded.
    pub(super) code: Vec<&'static str>,
    /// What made it, and its version.
    pub(super) framework: Option<(String, Option<String>)>,
    pub(super) weight_bytes: WeightBytes,
    /// The type of its weights, where the file has a word for it.
    pub(super) precision: Option<String>,
    /// How many weights it has, where the file tells that and no types.
    pub(super) parameter_count: Option<u64>,
    pub(super) inputs: Vec<Port>,
    pub(super) outputs: Vec<Port>,
    /// An ONNX model's operators.
    pub(super) operators: BTreeSet<String>,
    pub(super) metadata: BTreeMap<String, String>,
    /// Files beside it that weights lie in.
    pub(super) external_files: BTreeSet<String>,
    pub(super) remarks: Vec<Remark>,
}

/// What a person should know of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Remark {
    /// It imports what can do anything.
    Dangerous(Vec<String>),
    /// It uses operations that reach beyond the model.
    Operations(Vec<String>),
    /// Not all of it was looked at: why.
    Partly(String),
}

/// Why a file that has the mark or the name of a format is not told as it.
#[derive(Debug, thiserror::Error)]
pub(super) enum TellError {
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What the file at `path` is, if it is a model's file.
pub(super) fn tell<R: Read + Seek>(
    content: Content,
    path: &str,
    open: impl Fn() -> io::Result<R>,
) -> Result<Option<Told>, TellError> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let extension = extension.to_lowercase();
    let extension = extension.as_str();
    let told = match content {
        Content::Onnx => return onnx_file(extension, open),
        Content::Safetensors => safetensors::tell(open()?)?,
        Content::Gguf => gguf::tell(open()?)?,
        Content::TfLite => by("tflite", "tensorflow"),
        Content::Hdf5 => keras::hdf5(open()?, extension)?,
        Content::Xgboost => xgboost::tell(open()?)?,
        Content::LightGbm => lightgbm::tell(open()?)?,
        Content::CatBoost => by("catboost", "catboost"),
        Content::Pickle => pickle::tell(open()?, extension)?,
        Content::TorchZip => torch::tell(open()?)?,
        Content::KerasZip => keras::zipped(open()?)?,
        Content::MojoZip => mojo::tell(open()?)?,
        Content::NumpyZip | Content::Numpy => named("numpy"),
        Content::Pmml => pmml::tell(open()?)?,
        Content::OpenVino => openvino::tell(open()?, stem)?,
        Content::Rds => return Ok(rds::tell(open()?)?),
        Content::Text if spark::is_metadata(path) => return Ok(spark::tell(open()?)?),
        Content::Binary => return binary(extension, name, open),
        _ => return by_name(extension, content, open),
    };
    Ok(Some(told))
}

pub(super) fn named(format: &'static str) -> Told {
    Told {
        format,
        ..Told::default()
    }
}

pub(super) fn by(format: &'static str, framework: &'static str) -> Told {
    Told {
        framework: Some((framework.to_owned(), None)),
        ..named(format)
    }
}

/// Formats whose content begins with no mark, or lies in something compressed.
fn binary<R: Read + Seek>(
    extension: &str,
    name: &str,
    open: impl Fn() -> io::Result<R>,
) -> Result<Option<Told>, TellError> {
    match extension {
        "joblib" | "pkl" | "pickle" => return Ok(Some(pickle::tell(open()?, extension)?)),
        "pb" if name == "saved_model.pb" => return Ok(Some(saved_model::tell(open()?)?)),
        "ubj" | "bst" | "xgb" | "model" | "deprecated" => {
            if let Some(told) = xgboost::tell_binary(open()?)? {
                return Ok(Some(told));
            }
        }
        "mlmodel" => return Ok(Some(named("coreml"))),
        "engine" | "plan" => return Ok(Some(named("tensorrt"))),
        _ => {}
    }
    let mut head = Vec::new();
    let mut file = open()?;
    file.by_ref().take(8).read_to_end(&mut head)?;
    if let Some(compression) = Compression::tell(&head) {
        return compressed(compression, file);
    }
    by_name(extension, Content::Binary, open)
}

/// What a file is that is compressed as a whole: joblib's, R's, or anybody's.
fn compressed<R: Read + Seek>(
    compression: Compression,
    mut file: R,
) -> Result<Option<Told>, TellError> {
    let begin = match compression.inflate(&mut file)? {
        // What can't be inflated only looked like it.
        Some(mut stream) => stream.array::<3>().ok(),
        None => None,
    };
    Ok(match begin {
        Some([0x80, 2..=5, _]) => Some(pickle::tell(file, "joblib")?),
        Some([b'X' | b'A', b'\n', _] | [b'R', b'D', b'X' | b'A']) => rds::tell(file)?,
        _ => None,
    })
}

/// What is told by its name alone.
fn by_name<R: Read + Seek>(
    extension: &str,
    content: Content,
    open: impl Fn() -> io::Result<R>,
) -> Result<Option<Told>, TellError> {
    Ok(match extension {
        "onnx" => return onnx_file(extension, open),
        // A pickle of the first protocol is text.
        "pkl" | "pickle" => Some(pickle::tell(open()?, extension)?),
        "cbm" => Some(by("catboost", "catboost")),
        "ubj" | "bst" | "xgb" if content == Content::Binary => Some(by("xgboost", "xgboost")),
        "rds" if content == Content::Binary => Some(Told {
            code: vec!["rds"],
            ..by("rds", "r")
        }),
        _ => None,
    })
}

/// A file with ONNX's mark. The mark is weak: a file that isn't called `.onnx` and can't be read
/// as ONNX is something else.
fn onnx_file<R: Read + Seek>(
    extension: &str,
    open: impl Fn() -> io::Result<R>,
) -> Result<Option<Told>, TellError> {
    match onnx::read(open()?) {
        Ok(model) => Ok(Some(from_onnx(model))),
        Err(WireError::Io(error)) if error.kind() != io::ErrorKind::UnexpectedEof => {
            Err(WireError::Io(error).into())
        }
        Err(error) if extension == "onnx" => Err(error.into()),
        Err(_) => Ok(None),
    }
}

fn from_onnx(model: Onnx) -> Told {
    let producer = format!("{} {}", model.producer, model.producer_version);
    let mut metadata = model.metadata.clone();
    if !model.producer.is_empty() {
        metadata.insert("producer".to_owned(), producer.trim_end().to_owned());
    }
    Told {
        version: model.opsets.get("").map(u64::to_string),
        code: python_operators(&model),
        framework: framework_of(&model),
        weight_bytes: model.weight_bytes,
        inputs: model.inputs,
        outputs: model.outputs,
        operators: model.operators,
        metadata,
        external_files: model.external_files,
        ..named("onnx")
    }
}

/// `onnxruntime-extensions` has an operator that calls back into Python.
fn python_operators(model: &Onnx) -> Vec<&'static str> {
    let python = model
        .operators
        .iter()
        .any(|operator| operator.starts_with("ai.onnx.contrib:Py"));
    if python {
        vec!["onnx-python"]
    } else {
        Vec::new()
    }
}

/// What trained the model, where its exporter belongs to that.
fn framework_of(model: &Onnx) -> Option<(String, Option<String>)> {
    let version = Some(model.producer_version.clone()).filter(|version| !version.is_empty());
    let (framework, version) = match model.producer.as_str() {
        "pytorch" => ("pytorch", version),
        // Their versions are the converters' own.
        "skl2onnx" => ("scikit-learn", None),
        "tf2onnx" => ("tensorflow", None),
        "keras2onnx" => ("keras", None),
        _ => return None,
    };
    Some((framework.to_owned(), version))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::HEAD_BYTES;
    use super::super::zip::writing::zip;
    use super::*;

    fn told(name: &str, bytes: &[u8]) -> Option<Told> {
        let content = Content::tell(&bytes[..bytes.len().min(HEAD_BYTES)]);
        tell(content, name, || Ok(Cursor::new(bytes))).unwrap()
    }

    fn format_and_code(name: &str, bytes: &[u8]) -> (String, String) {
        told(name, bytes).map_or(("nothing".to_owned(), String::new()), |told| {
            (told.format.to_owned(), told.code.join(" "))
        })
    }

    #[test]
    fn what_can_run_code_is_marked_and_never_loaded() {
        let pickle = b"\x80\x04\x95\x05\0\0\0\0\0\0\0N.";
        let torch = zip(&[("archive/data.pkl", b"x"), ("archive/data/0", b"x")]);
        let script = zip(&[("m/data.pkl", b"x"), ("m/constants.pkl", b"x")]);
        let plain = zip(&[("metadata.json", b"{}"), ("config.json", b"{}")]);
        let lambda = br#"{"layers":[{"class_name": "Lambda"}]}"#;
        let lambda = zip(&[("metadata.json", b"{}"), ("config.json", lambda)]);
        let hdf5 = b"\x89HDF\r\n\x1a\n...keras_version...{\"class_name\": \"Lambda\"}";
        let gguf = [&b"GGUF\x03\0\0\0"[..], &[0; 16]].concat();
        for (name, bytes, format, code) in [
            ("m.pkl", &pickle[..], "pickle", "pickle"),
            ("m.pkl", b"(dp0\n.", "pickle", "pickle"),
            ("m.joblib", pickle, "joblib", "joblib pickle"),
            ("m.joblib", b"\x78\x9c\x01\x02", "joblib", "joblib pickle"),
            ("pytorch_model.bin", pickle, "pytorch", "pickle"),
            ("m.pt", &torch, "pytorch", "pickle"),
            ("m.pt", &script, "torchscript", "torchscript pickle"),
            ("m.keras", &plain, "keras", ""),
            ("m.keras", &lambda, "keras", "keras-lambda"),
            ("m.h5", hdf5, "keras", "keras-lambda"),
            ("m.h5", b"\x89HDF\r\n\x1a\n....", "hdf5", ""),
            ("m.gguf", &gguf, "gguf", ""),
            ("m.json", b"{\"learner\":{}}", "xgboost", ""),
            ("m.cbm", b"CBM1\0\0\0\0", "catboost", ""),
            ("config.json", b"{}", "nothing", ""),
            ("blob", b"\x08\x08\x12\x03abc\xff", "nothing", ""),
            ("notes.gz", b"\x1f\x8b\x08\0", "nothing", ""),
        ] {
            let expected = (format.to_owned(), code.to_owned());
            assert_eq!(format_and_code(name, bytes), expected, "{name}");
        }
    }

    #[test]
    fn versions_are_told_where_files_have_them() {
        let gguf = [&b"GGUF\x03\0\0\0"[..], &[0; 16]].concat();
        assert_eq!(told("m.gguf", &gguf).unwrap().version.as_deref(), Some("3"));
    }
}
