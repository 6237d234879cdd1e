//! The hub's API: a stateful fake of it, by its published description.

use super::{CARD, MODEL, PICKLE, RECORD, pushed, safetensors, steady};
use crate::harness::{FakeHub, HUB_TOKEN, Sandbox};

#[test]
fn a_repository_becomes_a_version_that_says_what_its_card_says() {
    let sandbox = Sandbox::new();
    let (yard, hub) = (sandbox.yard(), FakeHub::start());
    let commit = pushed(&hub);
    hub.state().page = 2;
    let shown = yard
        .brings_from_hub(&hub.host(), &["huggingface:acme/defects", "--dry-run"])
        .run()
        .success();
    shown.prints("acme/defects").prints("1.0.0");
    let outcome = yard
        .brings_from_hub(&hub.host(), &["huggingface:acme/defects"])
        .run()
        .success();
    outcome
        .prints(&format!(
            "imported  vision/acme-defects:1.0.0 (renamed) from acme/defects@{commit}"
        ))
        .prints("card.thumbnail");
    insta::assert_snapshot!(yard.show("import/hub", MODEL), @r"
    apiVersion: modelyard.dev/v1
    kind: Model
    metadata:
      namespace: vision
      name: acme-defects
    spec:
      title: Surface defects
      owners:
        - team: vision
      classification:
        technology: computer-vision
        category: classification
        inputDataType: image
        task: image-classification
      license: Apache-2.0
      citation:
        authors:
          - name: Ada Lovelace
          - name: Hopper, Grace
        doi: 10.5281/zenodo.123
    ");
    let record = yard.show("import/hub", RECORD).replace(&commit, "[commit]");
    insta::assert_snapshot!(steady(&record, &sandbox, &hub.host()), @r#"
    apiVersion: modelyard.dev/v1
    kind: ModelVersion
    metadata:
      namespace: vision
      name: acme-defects
      version: 1.0.0
    spec:
      lifecycle: staged
      createdAt: "2026-10-02T08:00:00Z"
      artifact:
        repository: oci-layout:./store/vision/acme-defects
        digest: sha256:b17dfeb08f573e9e9a492b363fa62d104d3a0d4b1a1fdde98af8749e8417eb43
        size: 735
      format:
        name: safetensors
        code: []
      framework:
        name: transformers
      precision: fp32
      parameterCount: 4
      properties:
        language: en
        tags: [vision, steel]
      metrics:
        - name: accuracy
          value: 0.973
          dataset: acme/plates
          split: test
      lineage:
        datasets:
          - name: acme/plates
        base:
          - name: google/vit-base-patch16-224
            relation: finetune
      imported:
        from: huggingface
        place: http://hub.acme.example/acme/defects
        reference: acme/defects@[commit]
        revision: [commit]
        unmapped:
          card.thumbnail: scratch.png
          hub.author: acme
          hub.createdAt: "2026-09-01T08:00:00.000Z"
    "#);
    assert_eq!(
        yard.show("import/hub", "models/vision/acme-defects/README.md"),
        CARD
    );
    yard.merge("import/hub");
    yard.modelyard(["check"]).run().success();

    // Again it asks what is there, and fetches nothing.
    let fetched = hub.state().fetched.len();
    yard.brings_from_hub(&hub.host(), &["huggingface:acme/defects"])
        .run()
        .success()
        .prints("unchanged 1 version that is here already");
    assert_eq!(hub.state().fetched.len(), fetched);

    // A new commit is the next version, unless somebody says what it is.
    hub.push(
        "acme/defects",
        &[("README.md", b"# New\n"), ("model.onnx", b"new")],
    );
    yard.brings_from_hub(&hub.host(), &["huggingface:acme/defects"])
        .run()
        .success()
        .prints("imported  vision/acme-defects:1.1.0");
    hub.push("acme/defects", &[("model.onnx", b"newer")]);
    yard.brings_from_hub(
        &hub.host(),
        &["huggingface:acme/defects", "--as=vision/acme-defects:2.0.0"],
    )
    .run()
    .success()
    .prints("imported  vision/acme-defects:2.0.0");
}

#[test]
fn tags_are_versions_and_a_token_goes_to_its_hub_alone() {
    let sandbox = Sandbox::new();
    let (yard, hub) = (sandbox.yard(), FakeHub::start());
    let first = pushed(&hub);
    let second = hub.push(
        "acme/defects",
        &[
            ("README.md", CARD.as_bytes()),
            ("pytorch_model.bin", PICKLE),
        ],
    );
    pushed(&hub);
    hub.tag("acme/defects", "v1.0", &first);
    hub.tag("acme/defects", "v1.1.0", &second);
    hub.tag("acme/defects", "best", &first);
    hub.change("acme/defects", |repo| repo.is_private = true);

    let hidden = yard
        .brings_from_hub(&hub.host(), &["huggingface:acme/defects"])
        .run();
    hidden
        .exits(2)
        .says("or it is private")
        .says("set HF_TOKEN to a token that may read it");
    let list = ["huggingface:acme/defects", "--list"];
    sandbox.write_home(".cache/huggingface/token", format!("{HUB_TOKEN}\n"));
    yard.brings_from_hub(&hub.host(), &list)
        .run()
        .success()
        .prints("acme/defects@v1.1.0")
        .prints("acme/defects@best")
        .prints("acme/defects@main");
    yard.brings_from_hub(&hub.host(), &["huggingface:acme/defects"])
        .env("HF_TOKEN", HUB_TOKEN)
        .run()
        .success()
        .prints("imported  vision/acme-defects:1.0.0")
        .prints("imported  vision/acme-defects:1.1.0");
    let record = yard.show(
        "import/hub",
        "models/vision/acme-defects/versions/1.1.0.yaml",
    );
    assert!(record.contains("pickle"), "{record}");
    assert!(
        record.contains("reference: acme/defects@v1.1.0"),
        "{record}"
    );

    // The host with the bytes is another, and never saw the token.
    let fetched = hub.state().fetched.clone();
    assert!(!fetched.is_empty());
    assert!(
        fetched.iter().all(|(_, token)| token.is_none()),
        "{fetched:?}"
    );
    // Nor does a hub that is not the one that the token is for.
    hub.state().asked.clear();
    let place = format!("huggingface:http://{}/acme/defects@v1.0", hub.host());
    yard.brings_from_hub("hub.acme.example", &[&place, "--list"])
        .env("HF_TOKEN", HUB_TOKEN)
        .run()
        .exits(2)
        .says("set HF_ENDPOINT to that hub and HF_TOKEN");
    let asked = hub.state().asked.clone();
    assert!(asked.iter().all(|(_, token)| token.is_none()), "{asked:?}");
}

#[test]
fn a_yard_names_the_hub_the_repository_the_revision_and_the_token() {
    let sandbox = Sandbox::new();
    let (yard, hub) = (sandbox.yard(), FakeHub::start());
    let commit = pushed(&hub);
    hub.tag("acme/defects", "2026-autumn", &commit);
    hub.change("acme/defects", |repo| repo.is_private = true);
    let settings = yard.show("main", "modelyard.yaml");
    let source = format!(
        "{{name: lab, type: huggingface, url: \"http://{}/acme/defects\", ref: 2026-autumn, token: {{env: LAB_TOKEN}}, namespace: vision, map: lab.yaml}}",
        hub.host()
    );
    yard.write(
        "modelyard.yaml",
        &format!("{settings}\n  sources: [{source}]\n"),
    );
    yard.write(
        "lab.yaml",
        "owner: {team: vision}\nmodels: {acme/defects: {name: defects}}\nversions: {2026-autumn: 3.0.0}\n",
    );
    yard.commit("Follow the lab");
    yard.modelyard(["import", "--unsigned", "--follow", "lab"])
        .env("LAB_TOKEN", HUB_TOKEN)
        .run()
        .success()
        .prints("imported  vision/defects:3.0.0 from acme/defects@2026-autumn");
}

#[test]
fn a_folder_of_a_repository_is_a_model_of_its_own() {
    let sandbox = Sandbox::new();
    let (yard, hub) = (sandbox.yard(), FakeHub::start());
    let files: [(&str, &[u8]); 3] = [
        ("README.md", b"---\nlicense: mit\n---\n# Both\n"),
        ("small/model.safetensors", &safetensors()),
        ("large/model.onnx", b"large"),
    ];
    hub.push("acme/both", &files);
    let settings = yard.show("main", "modelyard.yaml");
    let source = format!(
        "{{name: small, type: huggingface, url: \"http://{}/acme/both\", path: small, namespace: vision, map: map.yaml}}",
        hub.host()
    );
    yard.write(
        "modelyard.yaml",
        &format!("{settings}\n  sources: [{source}]\n"),
    );
    yard.write("map.yaml", "owner: {team: vision}\n");
    yard.commit("Follow the small one");
    yard.modelyard(["import", "--unsigned", "--follow"])
        .run()
        .success();
    let record = yard.show(
        "import/small",
        "models/vision/acme-both/versions/1.0.0.yaml",
    );
    assert!(record.contains("name: safetensors"), "{record}");
    assert_eq!(hub.state().fetched.len(), 1);
}
