//! Hugging Face's own client: it fills the caches that we read, and reads what we export.

use super::{CARD, RECORD, pushed, steady};
use crate::harness::{FakeHub, Sandbox, tools};

/// Runs a program of the client's against the hub.
fn client(sandbox: &Sandbox, hub: &FakeHub, program: &str) -> String {
    let python = tools::path("huggingface-python");
    let run = sandbox.program(python, ["-c", program]);
    let run = run
        .env("HF_ENDPOINT", format!("http://{}", hub.host()))
        .env("HF_HUB_DISABLE_TELEMETRY", "1")
        .env("HF_HUB_DISABLE_UPDATE_CHECK", "1");
    run.run().success().stdout
}

/// A version's artifact, as its record says it.
fn digest(record: &str) -> &str {
    let line = record.lines().find(|line| line.contains("digest: sha256:"));
    line.unwrap().trim()
}

#[test]
fn what_the_client_fetched_is_what_the_hub_has() {
    let sandbox = Sandbox::new();
    let (yard, hub) = (sandbox.yard(), FakeHub::start());
    let commit = pushed(&hub);
    hub.tag("acme/defects", "best", &commit);
    let fetch = "from huggingface_hub import snapshot_download as s; s('acme/defects'); s('acme/defects', revision='best')";
    client(&sandbox, &hub, fetch);
    let asked = hub.state().asked.len();
    yard.brings_from_hub(&hub.host(), &["huggingface:cache:"])
        .run()
        .success()
        .prints(&format!("from acme/defects@{commit}"));
    assert_eq!(
        hub.state().asked.len(),
        asked,
        "a cache is read without its hub"
    );
    let cached = yard.show("import/hub", RECORD);
    yard.merge("import/hub");
    yard.modelyard(["check"]).run().success();

    let other = Sandbox::new();
    let elsewhere = other.yard();
    elsewhere
        .brings_from_hub(&hub.host(), &["huggingface:acme/defects"])
        .run()
        .success();
    let fetched = elsewhere.show("import/hub", RECORD);
    assert_eq!(digest(&cached), digest(&fetched));

    // By the folder of the cache, of the repository, or of the snapshot.
    let cache = sandbox.home().join(".cache/huggingface/hub");
    let repo = cache.join("models--acme--defects");
    for place in [&cache, &repo, &repo.join("snapshots").join(&commit)] {
        let word = format!("huggingface:{}", place.display());
        let listed = yard
            .brings_from_hub(&hub.host(), &[&word, "--list"])
            .run()
            .success();
        listed.prints(&format!("acme/defects@{commit}"));
    }
    assert!(
        !steady(&cached, &sandbox, &hub.host()).contains("[sandbox]"),
        "{cached}"
    );
}

#[test]
fn what_the_client_left_out_is_told() {
    let sandbox = Sandbox::new();
    let (yard, hub) = (sandbox.yard(), FakeHub::start());
    pushed(&hub);
    let fetch = "from huggingface_hub import snapshot_download; snapshot_download('acme/defects', allow_patterns=['*.safetensors', 'README.md'])";
    client(&sandbox, &hub, fetch);
    yard.brings_from_hub(&hub.host(), &["huggingface:cache:acme/defects"])
        .run()
        .success();
    let message = yard
        .git(["log", "-1", "--format=%B", "import/hub"])
        .run()
        .success();
    message.prints("the cache has 2 of its 4 files; config.json is not among them");
    yard.brings_from_hub(&hub.host(), &["huggingface:cache:acme/other"])
        .run()
        .exits(2)
        .says("has no acme/other");
}

#[test]
fn the_client_reads_what_we_export() {
    use modelyard::check::yaml;
    use modelyard::import::huggingface::export_card;

    let sandbox = Sandbox::new();
    let (yard, hub) = (sandbox.yard(), FakeHub::start());
    pushed(&hub);
    yard.brings_from_hub(&hub.host(), &["huggingface:acme/defects"])
        .run()
        .success();
    let read = |path: &str| {
        let text = yard.show("import/hub", path);
        yaml::parse(text.as_bytes()).unwrap().into_value()
    };
    let model = serde_json::from_value(read(super::MODEL)).unwrap();
    let version = serde_json::from_value(read(RECORD)).unwrap();
    sandbox.write("out/README.md", export_card(&model, &version, Some(CARD)));
    let program = "\
from huggingface_hub import ModelCard, metadata_load
import json
card = ModelCard.load('out/README.md')
result, = card.data.eval_results
print(json.dumps([card.data.license, card.data.pipeline_tag, card.data.tags, card.data.base_model,
    card.data.datasets, card.data.model_name, result.metric_type, result.metric_value,
    result.dataset_type, result.dataset_split, card.text.splitlines()[0]]))
print(sorted(metadata_load('out/README.md')))
";
    insta::assert_snapshot!(client(&sandbox, &hub, program), @r##"
    ["apache-2.0", "image-classification", ["vision", "steel"], ["google/vit-base-patch16-224"], ["acme/plates"], "Surface defects", "accuracy", 0.973, "acme/plates", "test", "# Surface defects"]
    ['base_model', 'base_model_relation', 'datasets', 'language', 'library_name', 'license', 'model-index', 'model_name', 'modelyard', 'pipeline_tag', 'tags', 'thumbnail']
    "##);
}
