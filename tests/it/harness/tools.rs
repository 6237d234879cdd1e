//! Finds other people's programs, which `tests/tools/install` built.

use std::path::PathBuf;

/// The program of this name: `crane`, `oras`, `registry`, `cosign3`, `cosign2`,
/// `referrers-registry`, `token-server`, `check-jsonschema`, `samples-python`, `tools-python`, `uv`, `act`,
/// `actionlint`, `huggingface-python`,
/// `mlflow3`, `mlflow3-python`, `mlflow2`, `mlflow2-python`, `minio`, `model-server`, `kubectl` and what [`cluster`](super::cluster) is of; and `kill-at`, for
/// [`killed_at_every_write`](super::killed_at_every_write).
///
/// A test that needs a tool fails without it; it is never skipped.
pub fn path(name: &str) -> PathBuf {
    let path = folder().join(name);
    assert!(
        path.is_file(),
        "{} is not there: run `make test`, or `tests/tools/install` once",
        path.display()
    );
    path
}

/// Where `make test` says they are; without it, where the last install left them.
fn folder() -> PathBuf {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    variable("MODELYARD_TOOLS_BIN").unwrap_or_else(|| {
        let tools = variable("MODELYARD_TOOLS").unwrap_or_else(|| {
            let cache = variable("XDG_CACHE_HOME")
                .or_else(|| variable("HOME").map(|home| home.join(".cache")))
                .expect("HOME is set");
            cache.join("modelyard/tools")
        });
        tools.join("current/bin")
    })
}
