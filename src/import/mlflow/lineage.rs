//! Where a version comes from: its run, its code and its data.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::said::{NoList, Said};
use super::words;
use crate::record::kind::{Address, CommitId, RelativePath, WebUrl};

/// The most data sets that a record takes.
const MAX_DATASETS: usize = 1024;

/// The run that made it.
pub(super) fn run(version: &mut Said, info: &mut Said, pages: Option<&str>) -> Option<Value> {
    let id = version
        .text("run_id")
        .or_else(|| info.has("run_id").map(str::to_owned))?;
    info.text("run_id");
    let experiment = info.has("experiment_id");
    let page = || Some(format!("{}/experiments/{}/runs/{id}", pages?, experiment?));
    let link = version.has("run_link").map(str::to_owned);
    let is_link = |url: &String| url.parse::<WebUrl>().is_ok();
    let mut told = json!({"system": "mlflow", "id": id});
    if let Some(link) = link.filter(is_link) {
        version.text("run_link");
        told["url"] = link.into();
    } else if let Some(page) = page().filter(is_link) {
        told["url"] = page.into();
    }
    Some(told)
}

/// The code that made it, by the tags of its run; those that say it are taken.
///
/// A run of a project has `<repository>#<folder>` as its name; any other has its file there, and
/// the repository in a tag of its own, where it had one.
pub(super) fn source(tags: &mut BTreeMap<String, String>) -> Option<Value> {
    let name = tags.get("mlflow.source.name").cloned().unwrap_or_default();
    let is_project = tags
        .get("mlflow.source.type")
        .is_some_and(|kind| kind == "PROJECT");
    let (of_name, path) = match name.split_once('#') {
        Some((repository, path)) if is_project => (Some(repository), path),
        None if is_project => (Some(&*name), ""),
        _ => (None, &*name),
    };
    let known = ["mlflow.source.git.repoURL", "mlflow.gitRepoURL"];
    let tag = known.into_iter().find(|tag| tags.contains_key(*tag));
    let repository = tag
        .and_then(|tag| tags.get(tag))
        .map(String::as_str)
        .or(of_name)?;
    let repository = words::without_secrets(repository);
    repository.parse::<Address>().ok()?;
    let mut told = json!({ "repository": repository });
    let path = path.parse::<RelativePath>().ok().map(|_| path.to_owned());
    if let Some(tag) = tag {
        tags.remove(tag);
    }
    let is_commit = |commit: &String| commit.parse::<CommitId>().is_ok();
    if let Some(commit) = tags
        .get("mlflow.source.git.commit")
        .filter(|commit| is_commit(commit))
    {
        told["commit"] = commit.clone().into();
        tags.remove("mlflow.source.git.commit");
    }
    if let Some(path) = path {
        told["path"] = path.into();
        tags.remove("mlflow.source.name");
    } else if of_name.is_some() && tag.is_none() {
        tags.remove("mlflow.source.name");
    }
    Some(told)
}

/// The data that it was made with. What has no field stays in `run`: MLflow's digest of a data set
/// is a short one of its own kind.
///
/// # Errors
/// If they are no list.
pub(super) fn datasets(run: &mut Said) -> Result<Option<Value>, NoList> {
    let mut inputs = run.object("inputs");
    let mut told: Vec<Value> = Vec::new();
    let mut left: Vec<Value> = Vec::new();
    for mut input in inputs.list("dataset_inputs")? {
        let mut data = input.object("dataset");
        let tags = input.pairs("tags")?;
        let uri = data.has("source").and_then(address);
        if let Some(name) = data.has("name").and_then(words::line) {
            let mut one = json!({ "name": name });
            if let Some(uri) = uri {
                one["uri"] = uri.into();
                data.text("source");
            }
            if told.len() < MAX_DATASETS && !told.contains(&one) {
                told.push(one);
            }
        }
        read(&mut data);
        input.0.insert(
            "dataset".to_owned(),
            data.rest("").collect::<Map<_, _>>().into(),
        );
        input.0.insert("tags".to_owned(), json!(tags));
        left.push(input.rest("").collect::<Map<_, _>>().into());
    }
    if !left.is_empty() {
        inputs.0.insert("dataset_inputs".to_owned(), left.into());
    }
    let rest: Map<_, _> = inputs.rest("").collect();
    if !rest.is_empty() {
        run.0.insert("inputs".to_owned(), rest.into());
    }
    Ok((!told.is_empty()).then(|| told.into()))
}

/// Where data lies, if that is all its source says: a text that is JSON of its own.
fn address(source: &str) -> Option<String> {
    let Ok(Value::Object(said)) = serde_json::from_str(source) else {
        return None;
    };
    let mut fields = said.into_iter().filter(|(_, value)| !value.is_null());
    let (name, value) = fields.next()?;
    if fields.next().is_some() || !matches!(&*name, "uri" | "url" | "path") {
        return None;
    }
    let uri = words::without_secrets(value.as_str()?);
    uri.parse::<Address>().ok()?;
    Some(uri)
}

/// Texts that are JSON of their own become what they say, so that nothing in them hides.
fn read(data: &mut Said) {
    for field in ["source", "schema", "profile"] {
        let text = data.has(field).unwrap_or_default();
        if let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
            data.0.insert(field.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    //! Tags of runs, and their data.

    use super::*;

    fn source_of<const N: usize>(tags: [(&str, &str); N]) -> (Option<Value>, Vec<String>) {
        let named = |(name, value): (&str, &str)| (format!("mlflow.{name}"), value.to_owned());
        let mut tags: BTreeMap<_, _> = tags.map(named).into();
        let told = source(&mut tags);
        (told, tags.into_keys().collect())
    }

    #[test]
    fn code_is_known_by_its_repository() {
        let commit = "4f2c1e9b7a6d5c4b3a2918070605040302010f0e";
        let (told, left) = source_of([
            ("source.git.commit", commit),
            ("source.git.repoURL", "git@git.example:acme/train.git"),
            ("source.name", "/home/ada/train.py"),
        ]);
        let repository = "git@git.example:acme/train.git";
        assert_eq!(
            told.unwrap(),
            json!({"repository": repository, "commit": commit})
        );
        assert_eq!(left, ["mlflow.source.name"]);

        let (told, left) = source_of([
            ("source.type", "PROJECT"),
            ("source.name", "https://git.example/acme/train.git#models/a"),
            ("source.git.commit", "4f2c1e9"),
        ]);
        let repository = "https://git.example/acme/train.git";
        assert_eq!(
            told.unwrap(),
            json!({"repository": repository, "path": "models/a"})
        );
        assert_eq!(left, ["mlflow.source.git.commit", "mlflow.source.type"]);

        // A commit of nobody knows what is none that could be fetched.
        let (told, left) = source_of([("source.git.commit", commit), ("source.name", "train.py")]);
        assert_eq!(told, None);
        assert_eq!(left.len(), 2);
    }

    #[test]
    fn data_is_known_by_where_it_lies() {
        for (source, uri) in [
            (r#"{"uri": "s3://data/line3"}"#, Some("s3://data/line3")),
            (
                r#"{"url": "https://u:p@x.example/d.csv"}"#,
                Some("https://x.example/d.csv"),
            ),
            (
                r#"{"path": "s3://data/x", "data_files": null}"#,
                Some("s3://data/x"),
            ),
            (r#"{"path": "squad"}"#, None),
            (r#"{"tags": {"mlflow.user": "ada"}}"#, None),
            (r#"{"uri": "s3://a", "version": 3}"#, None),
            ("nothing", None),
        ] {
            assert_eq!(address(source).as_deref(), uri, "{source}");
        }
    }
}
