//! `artifacts.yaml`: what an artifact is, and where it lies at a commit.
//!
//! ```yaml
//! churn:
//!   type: model
//!   path: models/churn.onnx
//!   labels: [tabular, eu]
//!   description: Who is about to leave.
//!   custom: {framework: xgboost}
//! ```
//!
//! Source: `gto.index.Artifact` of GTO 1.10.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::check::yaml;

/// The name of the file.
pub(super) const FILE: &str = "artifacts.yaml";

/// The largest one: what a record may have.
pub(super) const MAX_BYTES: u64 = yaml::MAX_RECORD_BYTES as u64;

/// What is said of an artifact. Whether its path is `virtual` is seen in the commit.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    /// What kind of thing it is, in its team's own words.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Where it lies, from the folder of the file.
    pub path: Option<String>,
    /// Words for it.
    pub labels: Vec<String>,
    /// What it is for.
    pub description: String,
    /// Anything.
    pub custom: Value,
}

/// Reads the file; each artifact that is no artifact for itself.
///
/// # Errors
/// Why it can't be read.
pub(super) fn read(bytes: &[u8]) -> Result<BTreeMap<String, Said>, String> {
    let is_blank = |line: &[u8]| line.is_empty() || line.starts_with(b"#");
    if bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .all(is_blank)
    {
        return Ok(BTreeMap::new());
    }
    let tree = yaml::parse(bytes).map_err(|problems| problems.to_string())?;
    match tree.into_value() {
        Value::Null => Ok(BTreeMap::new()),
        value => serde_json::from_value(value).map_err(|error| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    //! What is written there.

    use super::*;

    #[test]
    fn an_artifact_has_a_path_a_type_labels_and_a_description() {
        let text = "churn:\n  type: model\n  path: models/churn\n  labels: [eu]\n  virtual: false\nempty: {}\n";
        let read = read(text.as_bytes()).unwrap();
        assert_eq!(read["churn"].path.as_deref(), Some("models/churn"));
        assert_eq!(read["churn"].labels, ["eu"]);
        assert_eq!(read["empty"], Said::default());
        assert_eq!(super::read(b"# none\n\n").unwrap(), BTreeMap::new());
        assert!(super::read(b"- churn\n").is_err());
        assert!(super::read(b"churn: [").is_err());
    }
}
