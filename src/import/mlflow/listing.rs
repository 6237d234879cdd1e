//! What a server has: its registered models, their versions, and what of it is no model.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::api::Api;
use super::said::{NoList, Said};
use super::words;
use crate::import::{ImportError, LeftOut, Listed, Listing, ModelListed};
use crate::record::Version;

/// The tag of what is a prompt for a language model and lies in the registry of models.
const PROMPT: &str = "mlflow.prompt.is_prompt";

/// The one status of a version that is whole.
const READY: &str = "READY";

/// What a server has.
///
/// # Errors
/// If it can't be asked, or its answers can't be understood.
pub(super) async fn of(api: &Api) -> Result<Listing, ImportError> {
    let order = ("order_by", "name ASC");
    let models = ["registered-models", "search"];
    let models = api
        .pages(&models, "registered_models", &[order], "list its models")
        .await?;
    let prompts = prompts(api).await?;
    let order = [order, ("order_by", "version_number ASC")];
    let versions = ["model-versions", "search"];
    let versions = api
        .pages(&versions, "model_versions", &order, "list its versions")
        .await?;
    listing(models, prompts, versions).map_err(|error| api.malformed("list its models", &error))
}

/// The prompts, which servers that know them leave out of their lists unless they are asked for.
async fn prompts(api: &Api) -> Result<Vec<Said>, ImportError> {
    let filter = format!("tags.`{PROMPT}` = 'true'");
    let path = ["registered-models", "search"];
    let query = [("filter", &*filter)];
    match api
        .pages(&path, "registered_models", &query, "list its prompts")
        .await
    {
        // What knows no prompts may not know the filter.
        Err(ImportError::Refused { .. }) => Ok(Vec::new()),
        answered => answered,
    }
}

/// Puts together what was answered.
fn listing(models: Vec<Said>, prompts: Vec<Said>, versions: Vec<Said>) -> Result<Listing, NoList> {
    let mut listing = Listing::default();
    let mut aliases: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut left_out = BTreeMap::new();
    for mut said in models.into_iter().chain(prompts) {
        let Some(name) = said.text("name") else {
            continue;
        };
        let tags = said.pairs("tags")?;
        if is_prompt(&tags) {
            left_out.insert(name, "it is a prompt, and no model".to_owned());
            continue;
        }
        for mut alias in said.list("aliases")? {
            if let (Some(alias), Some(version)) = (alias.text("alias"), alias.text("version")) {
                let names = aliases.entry((name.clone(), version)).or_default();
                names.push(alias);
            }
        }
        listing.models.insert(name, model(said, tags));
    }
    for mut said in versions {
        let (Some(name), Some(label)) = (said.text("name"), said.text("version")) else {
            continue;
        };
        let tags = said.pairs("tags")?;
        if left_out.contains_key(&name) || is_prompt(&tags) {
            continue;
        }
        if let Some(why) = unready(&said) {
            left_out.insert(reference(&name, &label), why);
            continue;
        }
        let names = aliases.remove(&(name.clone(), label.clone()));
        listing.models.entry(name.clone()).or_default();
        listing
            .versions
            .push(version(said, &name, &label, tags, names));
    }
    listing.versions.sort_by(by_model_and_age);
    let left_out = left_out
        .into_iter()
        .map(|(what, why)| LeftOut { what, why });
    listing.left_out = left_out.collect();
    Ok(listing)
}

fn is_prompt(tags: &BTreeMap<String, String>) -> bool {
    tags.get(PROMPT)
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Why a version can't be imported, by its status. Very old servers say none.
fn unready(said: &Said) -> Option<String> {
    let status = said.has("status").filter(|status| *status != READY)?;
    Some(match said.has("status_message") {
        Some(message) => format!("its status is {status}: {message}"),
        None => format!("its status is {status}"),
    })
}

/// What MLflow calls a version for good.
pub(super) fn reference(name: &str, label: &str) -> String {
    format!("models:/{name}/{label}")
}

fn model(mut said: Said, tags: BTreeMap<String, String>) -> ModelListed {
    let mut spec = Map::new();
    if let Some(description) = said.has("description").and_then(words::text) {
        said.text("description");
        spec.insert("description".to_owned(), description.into());
    }
    // What its versions say themselves.
    said.0.shift_remove("latest_versions");
    ModelListed {
        spec,
        tags: tags
            .into_iter()
            .map(|(name, value)| (name, words::without_secrets(&value)))
            .collect(),
        unmapped: said.rest("").collect::<Map<String, Value>>(),
    }
}

fn version(
    mut said: Said,
    name: &str,
    label: &str,
    tags: BTreeMap<String, String>,
    aliases: Option<Vec<String>>,
) -> Listed {
    let created = said.whole("creation_timestamp");
    let mut aliases = aliases.unwrap_or_default();
    aliases.extend(said.texts("aliases"));
    aliases.sort();
    aliases.dedup();
    let tags = tags
        .into_iter()
        .map(|(name, value)| (name, words::without_secrets(&value)));
    Listed {
        version: label.parse().ok().map(|number| Version::new(number, 0, 0)),
        revision: Some(revision(&said, created)),
        created_at: created.and_then(|created| Timestamp::from_millisecond(created).ok()),
        stage: said.text("current_stage"),
        aliases,
        tags: tags.collect(),
        ..Listed::new(name, label, reference(name, label))
    }
}

/// What is another when a version was deleted and its number came again.
fn revision(said: &Said, created: Option<i64>) -> String {
    let created = created.map(|created| created.to_string());
    let model = said
        .has("source")
        .and_then(|source| source.strip_prefix("models:/"));
    let parts = [created.as_deref(), model, said.has("run_id")];
    parts.into_iter().flatten().collect::<Vec<_>>().join("-")
}

fn by_model_and_age(one: &Listed, other: &Listed) -> Ordering {
    let key = |listed: &Listed| listed.label.parse::<u64>().unwrap_or(u64::MAX);
    (one.model.cmp(&other.model))
        .then_with(|| key(one).cmp(&key(other)))
        .then_with(|| one.label.cmp(&other.label))
}

#[cfg(test)]
mod tests {
    //! From answers to what is there.

    use serde_json::json;

    use super::*;

    fn said(values: Value) -> Vec<Said> {
        serde_json::from_value(values).unwrap()
    }

    #[test]
    fn versions_are_told_with_what_their_models_say_of_them() {
        let listing = listing(
            said(json!([{
                "name": "defects", "creation_timestamp": 1, "description": "Finds\r\nscratches.",
                "tags": [{"key": "line", "value": "3"}],
                "aliases": [{"alias": "champion", "version": "2"}, {"alias": "a", "version": 2}],
                "latest_versions": [{"name": "defects", "version": "2"}],
            }])),
            Vec::new(),
            said(json!([
                {"name": "defects", "version": "10", "creation_timestamp": "3000", "status": "READY",
                 "current_stage": "None", "run_id": "r", "source": "models:/m-1"},
                {"name": "defects", "version": 2, "creation_timestamp": 2000, "status": "READY",
                 "current_stage": "Production", "aliases": ["champion"],
                 "tags": [{"key": "from", "value": "https://me:secret@host.example/x"}]},
            ])),
        )
        .unwrap();
        let model = &listing.models["defects"];
        assert_eq!(model.spec["description"], "Finds\nscratches.");
        assert_eq!(model.tags["line"], "3");
        assert_eq!(
            Value::Object(model.unmapped.clone()),
            json!({"creation_timestamp": 1})
        );
        let [two, ten] = &listing.versions[..] else {
            panic!("{listing:?}");
        };
        assert_eq!(two.reference, "models:/defects/2");
        assert_eq!(two.version, Some(Version::new(2, 0, 0)));
        assert_eq!(two.aliases, ["a", "champion"]);
        assert_eq!(two.stage.as_deref(), Some("Production"));
        assert_eq!(
            two.created_at,
            Some("1970-01-01T00:00:02Z".parse().unwrap())
        );
        assert_eq!(two.revision.as_deref(), Some("2000"));
        assert_eq!(two.tags["from"], "https://host.example/x");
        assert_eq!(ten.revision.as_deref(), Some("3000-m-1-r"));
        assert_eq!(listing.left_out, []);
    }

    #[test]
    fn what_is_not_ready_and_what_is_a_prompt_is_left_out_with_the_reason() {
        let prompt = json!([{"key": PROMPT, "value": "true"}]);
        let listing = listing(
            said(json!([{"name": "a"}])),
            said(json!([{"name": "greeting", "tags": prompt}])),
            said(json!([
                {"name": "a", "version": "1", "status": "PENDING_REGISTRATION"},
                {"name": "a", "version": "2", "status": "FAILED_REGISTRATION", "status_message": "disk full"},
                {"name": "greeting", "version": "1", "status": "READY", "tags": prompt},
            ])),
        )
        .unwrap();
        assert_eq!(listing.versions, []);
        assert_eq!(listing.models.keys().collect::<Vec<_>>(), ["a"]);
        let left: Vec<_> = listing
            .left_out
            .iter()
            .map(|one| format!("{}: {}", one.what, one.why))
            .collect();
        assert_eq!(
            left,
            [
                "greeting: it is a prompt, and no model",
                "models:/a/1: its status is PENDING_REGISTRATION",
                "models:/a/2: its status is FAILED_REGISTRATION: disk full",
            ]
        );
    }
}
