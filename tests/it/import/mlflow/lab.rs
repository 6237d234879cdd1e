//! Servers that `fill.py` filled: one for each major version, shared by all who only read.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use crate::harness::mlflow::Mlflow;

/// For each version, by its reference: its files and their digests, as MLflow itself loads them.
pub(super) type Told = BTreeMap<String, BTreeMap<String, String>>;

/// A server with everything in it.
pub(in crate::import) struct Lab {
    pub(in crate::import) server: Mlflow,
    pub(super) told: Told,
}

/// The lab of a major version.
pub(in crate::import) fn lab(major: u8) -> &'static Lab {
    static THREE: OnceLock<Lab> = OnceLock::new();
    static TWO: OnceLock<Lab> = OnceLock::new();
    // A large file once; the other has to show only that old servers give any.
    let (lab, big_megabytes) = match major {
        3 => (&THREE, 300),
        _ => (&TWO, 4),
    };
    lab.get_or_init(|| {
        let server = Mlflow::start(major);
        let told = fill(&server, big_megabytes, &[]);
        Lab { server, told }
    })
}

/// Fills a server, and tells what is in it.
pub(super) fn fill(server: &Mlflow, big_megabytes: u32, variables: &[(&str, &str)]) -> Told {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = root.join("tests/it/import/mlflow/fill.py");
    let onnx = root.join("examples/diabetes/1.0.0/model.onnx");
    let told = server.folder().join("told.json");
    let database = server.folder().join("mlflow.db");
    let big = big_megabytes.to_string();
    let words = [&*program, &database, Path::new(&big), &onnx, &told];
    server.run(&words, variables);
    let told = fs::read(told).expect("it was told");
    serde_json::from_slice(&told).expect("it was told as JSON")
}

/// The digests of all files below a folder.
pub(super) fn digests(folder: &Path) -> BTreeMap<String, String> {
    let files = walkdir::WalkDir::new(folder).into_iter();
    let files = files.map(|entry| entry.expect("it can be read").into_path());
    files
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.strip_prefix(folder).expect("it is below").to_owned();
            let mut digest = Sha256::new();
            let mut file = fs::File::open(&path).expect("it can be read");
            let mut chunk = vec![0; 1 << 20];
            loop {
                match file.read(&mut chunk).expect("it can be read") {
                    0 => break,
                    length => digest.update(&chunk[..length]),
                }
            }
            let digest = digest.finalize();
            let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            (name.to_string_lossy().into_owned(), digest)
        })
        .collect()
}
