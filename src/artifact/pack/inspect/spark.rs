//! Spark ML's folders, told by their metadata.
//!
//! ```text
//! model/metadata/part-00000    {"class": "org.apache.spark.ml.PipelineModel", "sparkVersion": …}
//! model/stages/0_…/metadata/…  the same of each stage
//! model/data/part-….parquet    what was learned
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use serde::Deserialize;
use serde_json::Value;

use super::json;
use super::told::{Told, named};

/// The largest metadata that is read.
const MAX_METADATA_BYTES: u64 = 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    class: String,
    spark_version: Option<String>,
    #[serde(default)]
    param_map: BTreeMap<String, Value>,
}

/// Whether the file at `path` may be such metadata.
pub(in crate::artifact::pack) fn is_metadata(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    name.starts_with("part-") && parts.next() == Some("metadata")
}

/// The folders among `paths` in which models have what they learned, each with its last slash.
pub(in crate::artifact::pack) fn learned<'a>(
    paths: impl Iterator<Item = &'a str>,
) -> BTreeSet<String> {
    let metadata = paths.filter(|path| is_metadata(path));
    let models = metadata.filter_map(|path| path.rsplit_once("metadata/"));
    models.map(|(model, _)| format!("{model}data/")).collect()
}

/// What the metadata says, if it is Spark's.
///
/// # Errors
/// If it can't be read.
pub(super) fn tell(file: impl Read) -> io::Result<Option<Told>> {
    let Ok(metadata) = json::first::<Metadata>(file, MAX_METADATA_BYTES) else {
        return Ok(None);
    };
    let mut told = named("spark-ml");
    told.framework = Some(("spark".to_owned(), metadata.spark_version));
    told.metadata.insert("class".to_owned(), metadata.class);
    for key in ["featuresCol", "labelCol", "predictionCol"] {
        if let Some(Value::String(column)) = metadata.param_map.get(key) {
            told.metadata.insert(key.to_owned(), column.clone());
        }
    }
    Ok(Some(told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_tells_the_class() {
        let text = r#"{"class":"org.apache.spark.ml.PipelineModel","timestamp":1,"sparkVersion":"3.5.1","uid":"p","paramMap":{"stageUids":["a"]}}"#;
        let told = tell(text.as_bytes()).unwrap().unwrap();
        assert_eq!(
            told.framework,
            Some(("spark".to_owned(), Some("3.5.1".to_owned())))
        );
        assert_eq!(told.metadata["class"], "org.apache.spark.ml.PipelineModel");
        assert!(tell(&b"{}"[..]).unwrap().is_none());
        assert!(is_metadata("model/metadata/part-00000"));
        assert!(!is_metadata("model/data/part-00000"));
        let learned = learned(["m/metadata/part-0", "m/data/part-0", "x/data/part-0"].into_iter());
        assert_eq!(learned.into_iter().collect::<Vec<_>>(), ["m/data/"]);
    }
}
