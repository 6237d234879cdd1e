//! What one file is, told by its content first and its name where content has no mark.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};

use super::content::Content;
use super::element::Element;
use super::onnx::{self, Onnx};
use super::wire::WireError;
use super::{safetensors, zip};

/// The largest configuration within a Keras file that is looked into.
const MAX_KERAS_CONFIG_BYTES: u64 = 16 * 1024 * 1024;

/// What one file is.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The format's name, as records write it.
    pub(super) format: &'static str,
    pub(super) version: Option<String>,
    /// What in it can run code when it is loaded.
    pub(super) code: Vec<&'static str>,
    /// What made it.
    pub(super) framework: Option<(&'static str, Option<String>)>,
    pub(super) weight_bytes: BTreeMap<Element, u64>,
    pub(super) onnx: Option<Onnx>,
}

/// Why a file that has the mark or the name of a format is not told as it.
#[derive(Debug, thiserror::Error)]
pub(super) enum TellError {
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What `file` is, if it is a model's file; `extension` is that of its name, in lower case.
pub(super) fn tell(
    content: Content,
    extension: &str,
    name: &str,
    file: impl FnOnce() -> io::Result<File>,
) -> Result<Option<Told>, TellError> {
    let told = match content {
        Content::Onnx => return onnx_file(extension, file),
        Content::Safetensors => Told {
            weight_bytes: safetensors::weight_bytes(file()?)?,
            ..named("safetensors")
        },
        Content::Gguf => Told {
            version: Some(gguf_version(file()?)?.to_string()),
            ..named("gguf")
        },
        Content::TfLite => by("tflite", "tensorflow"),
        Content::Hdf5 => hdf5(extension, file()?)?,
        Content::Xgboost => by("xgboost", "xgboost"),
        Content::LightGbm => by("lightgbm", "lightgbm"),
        Content::Pickle => pickle(extension),
        Content::TorchZip => torch_zip(file()?)?,
        Content::KerasZip => keras_zip(file()?)?,
        Content::NumpyZip | Content::Numpy => named("numpy"),
        _ => return by_name(extension, name, content, file),
    };
    Ok(Some(told))
}

fn named(format: &'static str) -> Told {
    Told {
        format,
        ..Told::default()
    }
}

fn by(format: &'static str, framework: &'static str) -> Told {
    Told {
        framework: Some((framework, None)),
        ..named(format)
    }
}

/// Formats whose content begins with no mark.
fn by_name(
    extension: &str,
    name: &str,
    content: Content,
    file: impl FnOnce() -> io::Result<File>,
) -> Result<Option<Told>, TellError> {
    Ok(Some(match extension {
        "onnx" => return onnx_file(extension, file),
        // A compressed joblib file, or a pickle of the first two protocols.
        "joblib" | "pkl" | "pickle" if content != Content::Text => pickle(extension),
        "pkl" | "pickle" => pickle(extension),
        "pb" if name == "saved_model.pb" => by("tensorflow", "tensorflow"),
        "cbm" => by("catboost", "catboost"),
        "ubj" | "bst" | "xgb" => by("xgboost", "xgboost"),
        "pmml" => named("pmml"),
        "mlmodel" if content == Content::Binary => named("coreml"),
        "engine" | "plan" if content == Content::Binary => named("tensorrt"),
        _ => return Ok(None),
    }))
}

/// A file with ONNX's mark. The mark is weak: a file that isn't called `.onnx` and can't be read
/// as ONNX is something else.
fn onnx_file(
    extension: &str,
    file: impl FnOnce() -> io::Result<File>,
) -> Result<Option<Told>, TellError> {
    match onnx::read(file()?) {
        Ok(model) => Ok(Some(Told {
            version: model.opsets.get("").map(u64::to_string),
            code: python_operators(&model),
            weight_bytes: model.weight_bytes.clone(),
            framework: framework_of(&model),
            onnx: Some(model),
            ..named("onnx")
        })),
        Err(WireError::Io(error)) if error.kind() != io::ErrorKind::UnexpectedEof => {
            Err(WireError::Io(error).into())
        }
        Err(error) if extension == "onnx" => Err(error.into()),
        Err(_) => Ok(None),
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
fn framework_of(model: &Onnx) -> Option<(&'static str, Option<String>)> {
    let version = Some(model.producer_version.clone()).filter(|version| !version.is_empty());
    Some(match model.producer.as_str() {
        "pytorch" => ("pytorch", version),
        // Their versions are the converters' own.
        "skl2onnx" => ("scikit-learn", None),
        "tf2onnx" => ("tensorflow", None),
        "keras2onnx" => ("keras", None),
        _ => return None,
    })
}

fn pickle(extension: &str) -> Told {
    match extension {
        "joblib" => Told {
            // Whoever denies pickles means this, too.
            code: vec!["joblib", "pickle"],
            ..named("joblib")
        },
        "pt" | "pth" | "ckpt" | "bin" => Told {
            code: vec!["pickle"],
            ..by("pytorch", "pytorch")
        },
        _ => Told {
            code: vec!["pickle"],
            ..named("pickle")
        },
    }
}

fn torch_zip(mut file: File) -> io::Result<Told> {
    let entries = zip::entries(&mut file)?;
    let script = entries
        .iter()
        .any(|entry| entry.name.ends_with("/constants.pkl"));
    Ok(if script {
        Told {
            code: vec!["pickle", "torchscript"],
            ..by("torchscript", "pytorch")
        }
    } else {
        Told {
            code: vec!["pickle"],
            ..by("pytorch", "pytorch")
        }
    })
}

fn keras_zip(mut file: File) -> io::Result<Told> {
    let entries = zip::entries(&mut file)?;
    let mut read = |name: &str| -> io::Result<Option<Vec<u8>>> {
        match entries.iter().find(|entry| entry.name == name) {
            Some(entry) => zip::stored_bytes(&mut file, entry, MAX_KERAS_CONFIG_BYTES),
            None => Ok(None),
        }
    };
    let version = read("metadata.json")?.and_then(|bytes| {
        let metadata: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        Some(metadata.get("keras_version")?.as_str()?.to_owned())
    });
    // A configuration that can't be looked into may have anything in it.
    let lambda = read("config.json")?.is_none_or(|config| has_lambda(&config));
    Ok(Told {
        code: if lambda {
            vec!["keras-lambda"]
        } else {
            Vec::new()
        },
        framework: Some(("keras", version)),
        ..named("keras")
    })
}

/// Whether a Keras configuration has a `Lambda` layer, which holds Python bytecode.
fn has_lambda(config: &[u8]) -> bool {
    config.windows(8).any(|eight| eight == b"\"Lambda\"")
}

/// HDF5 that Keras wrote has its configuration as JSON text somewhere in it.
fn hdf5(extension: &str, mut file: File) -> io::Result<Told> {
    let keras = contains(&mut file, b"keras_version")?;
    if !keras && extension != "keras" {
        return Ok(named("hdf5"));
    }
    io::Seek::rewind(&mut file)?;
    let lambda = contains(&mut file, b"\"Lambda\"")?;
    Ok(Told {
        code: if lambda {
            vec!["keras-lambda"]
        } else {
            Vec::new()
        },
        ..by("keras", "keras")
    })
}

/// Whether `needle` occurs in the rest of `file`, of which one chunk is held at a time.
fn contains(file: &mut impl Read, needle: &[u8]) -> io::Result<bool> {
    const CHUNK_BYTES: usize = 1024 * 1024;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut kept = 0;
    loop {
        let count = file.read(&mut chunk[kept..])?;
        if count == 0 {
            return Ok(false);
        }
        let filled = kept + count;
        if chunk[..filled]
            .windows(needle.len())
            .any(|bytes| bytes == needle)
        {
            return Ok(true);
        }
        // The needle may lie across two reads.
        kept = filled.min(needle.len() - 1);
        chunk.copy_within(filled - kept..filled, 0);
    }
}

/// `GGUF`, then the version, little-endian.
fn gguf_version(mut file: File) -> io::Result<u32> {
    let mut head = [0; 8];
    file.read_exact(&mut head)?;
    Ok(u32::from_le_bytes([head[4], head[5], head[6], head[7]]))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::zip::writing::zip;
    use super::*;

    fn told(name: &str, bytes: &[u8]) -> Option<Told> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let content = Content::tell(&bytes[..bytes.len().min(super::super::HEAD_BYTES)]);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        tell(content, extension, name, || File::open(file.path())).unwrap()
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
        for (name, bytes, format, code) in [
            ("m.pkl", &pickle[..], "pickle", "pickle"),
            ("m.pkl", b"(dp0\n.", "pickle", "pickle"),
            ("m.joblib", pickle, "joblib", "joblib pickle"),
            ("m.joblib", b"\x78\x9c\x01\x02", "joblib", "joblib pickle"),
            ("pytorch_model.bin", pickle, "pytorch", "pickle"),
            ("m.pt", &torch, "pytorch", "pickle"),
            ("m.pt", &script, "torchscript", "pickle torchscript"),
            ("m.keras", &plain, "keras", ""),
            ("m.keras", &lambda, "keras", "keras-lambda"),
            ("m.h5", hdf5, "keras", "keras-lambda"),
            ("m.h5", b"\x89HDF\r\n\x1a\n....", "hdf5", ""),
            ("m.gguf", b"GGUF\x03\0\0\0", "gguf", ""),
            ("m.json", b"{\"learner\":{}}", "xgboost", ""),
            ("config.json", b"{}", "nothing", ""),
            ("blob", b"\x08\x08\x12\x03abc\xff", "nothing", ""),
        ] {
            let expected = (format.to_owned(), code.to_owned());
            assert_eq!(format_and_code(name, bytes), expected, "{name}");
        }
    }

    #[test]
    fn versions_are_told_where_files_have_them() {
        let keras = zip(&[
            ("metadata.json", br#"{"keras_version": "3.5.0"}"#),
            ("config.json", b"{}"),
        ]);
        let keras = told("m.keras", &keras).unwrap();
        assert_eq!(keras.framework, Some(("keras", Some("3.5.0".to_owned()))));
        let gguf = told("m.gguf", b"GGUF\x03\0\0\0").unwrap();
        assert_eq!(gguf.version.as_deref(), Some("3"));
    }

    #[test]
    fn a_needle_across_two_reads_is_found() {
        let mut bytes = vec![0; 1024 * 1024 - 3];
        bytes.extend(b"needle");
        assert!(contains(&mut &bytes[..], b"needle").unwrap());
        assert!(!contains(&mut &bytes[..], b"noodle").unwrap());
    }
}
