//! What an image becomes, wherever it lies.

use super::{SERVER, model};
use crate::harness::Sandbox;
use crate::harness::images::Images;
use crate::harness::registry::Distribution;
use crate::import::reviewed::Desk;

#[test]
fn an_image_of_a_registry_becomes_a_version_with_its_model_and_no_secret() {
    let sandbox = Sandbox::new();
    let (yard, images) = (sandbox.yard(), Images::new(&sandbox));
    let registry = Distribution::start();
    model(&sandbox);
    images.build("localhost/fraud:1.2.0", SERVER);
    let reference = format!("{}/serve/fraud:1.2.0", registry.host());
    images.push("localhost/fraud:1.2.0", &reference);
    let place = format!("image:{reference}");

    yard.import([&*place, "--list"])
        .run()
        .success()
        .prints("vision/fraud:1.2.0");
    yard.import([&*place, "--dry-run"])
        .run()
        .success()
        .prints("image.environment");
    let import = [&*place, "--name=serve"];
    let outcome = yard.import(import).run().success();
    outcome
        .prints("imported  vision/fraud:1.2.0")
        .prints("values that look secret are not kept: API_TOKEN");
    let record = yard.show("import/serve", "models/vision/fraud/versions/1.2.0.yaml");
    assert!(!record.contains("s3cret"), "{record}");
    let digest = sandbox
        .tool("crane", ["digest", &reference])
        .run()
        .success();
    let record = record
        .replace(&registry.host(), "[host]")
        .replace(digest.line(), "[digest]");
    // What differs from machine to machine.
    let varies = ["createdAt:", "io.buildah.version", "image.platform"];
    let lines = record
        .lines()
        .filter(|line| !varies.iter().any(|word| line.contains(word)));
    let lines: Vec<_> = lines.collect();
    let (artifact, rest) = lines
        .join("\n")
        .split_once("  format:")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let (_, rest) = rest.split_once("      shape: [-1]\n  runtime:").unwrap();
    let rest = format!("  runtime:{rest}").replace("\n  ", "\n");
    let rest = rest.trim_start();
    insta::assert_snapshot!(artifact, @r"
    apiVersion: modelyard.dev/v1
    kind: ModelVersion
    metadata:
      namespace: vision
      name: fraud
      version: 1.2.0
    spec:
      lifecycle: staged
      artifact:
        repository: oci-layout:./store/vision/fraud
        digest: sha256:7e96002e253ef09a892a7e600d6a9b9a805b417e869d539c44884bbaa32e0d71
        size: 1463
      images:
        - purpose: server
          repository: [host]/serve/fraud
          digest: [digest]
    ");
    insta::assert_snapshot!(rest, @r#"
    runtime:
      name: container
    lineage:
      source:
        repository: https://git.example/ml/serve
    imported:
      from: image
      place: [host]/serve/fraud
      reference: [host]/serve/fraud:1.2.0
      revision: [digest]
      unmapped:
        image.entrypoint: [/serve, "--password=***"]
        image.command: ["--quiet"]
        image.workingDir: /models
        image.ports: [8080/tcp]
        image.environment:
          PATH: /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
          MODEL_NAME: fraud
        image.secretVariables: [API_TOKEN]
        image.labels.team: vision
        image.path: /models/fraud
    "#);

    // Every byte of the model is as it was.
    let store = yard.path("store/vision/fraud");
    let pulled = format!("oci-layout:{}:1.2.0", store.display());
    sandbox
        .modelyard(["pull", &pulled, "pulled"])
        .run()
        .success();
    let differ = sandbox
        .program("diff", ["-r", "context/fraud", "pulled"])
        .run();
    assert_eq!(differ.code, Some(0), "{}", differ.report());

    yard.merge("import/serve");
    let refs = yard.refs();
    let again = yard.import(import).run().success();
    again.prints("unchanged 1 version that is here already");
    assert_eq!(yard.refs(), refs);
}

#[test]
fn archives_of_both_kinds_and_layouts_have_the_same_model() {
    let sandbox = Sandbox::new();
    let (yard, images) = (sandbox.yard(), Images::new(&sandbox));
    model(&sandbox);
    images.build("localhost/fraud:1.2.0", SERVER);
    let mut artifacts = Vec::new();
    for (format, place) in [
        ("docker-archive", "docker.tar"),
        ("oci-archive", "oci.tar"),
        ("oci-dir", "fraud"),
    ] {
        let format_word = format!("--format={format}");
        let words = [
            "save",
            "--quiet",
            &format_word,
            "--output",
            place,
            "localhost/fraud:1.2.0",
        ];
        images.podman(words).success();
        // podman gives a layout no tag by this way.
        let name = format!("--name={format}");
        let called = format!("--as=vision/{format}:1.0.0");
        let place = format!("image:{}", sandbox.path(place).display());
        let outcome = yard.import([&*place, &name, &called]).run().success();
        outcome.prints("its image is on this machine alone");
        let path = format!("models/vision/{format}/versions/1.0.0.yaml");
        let record = yard.show(&format!("import/{format}"), &path);
        assert!(record.contains("image.digest: sha256:"), "{record}");
        assert!(record.contains("name: onnx"), "{record}");
        let at = record.find("digest: sha256:").unwrap();
        artifacts.push(record[at..at + 79].to_owned());
    }
    artifacts.dedup();
    assert_eq!(artifacts.len(), 1);
}

#[test]
fn a_whiteout_hides_a_model_and_an_image_without_one_is_told_by_itself() {
    let sandbox = Sandbox::new();
    let (yard, images) = (sandbox.yard(), Images::new(&sandbox));
    model(&sandbox);
    images.build("localhost/fraud:1.2.0", SERVER);
    let container = images.buildah(["from", "localhost/fraud:1.2.0"]).success();
    let container = container.line();
    let mount = images.buildah(["mount", container]).success();
    std::fs::remove_file(format!("{}/models/fraud/model.onnx", mount.line())).unwrap();
    images
        .buildah(["commit", "--quiet", container, "localhost/bare:1.3.0"])
        .success();
    let words = [
        "save",
        "--quiet",
        "--format=oci-archive",
        "--output",
        "bare.tar",
        "localhost/bare:1.3.0",
    ];
    images.podman(words).success();
    let place = format!("image:{}", sandbox.path("bare.tar").display());
    let outcome = yard
        .import([&*place, "--name=bare", "--as=vision/bare"])
        .run()
        .success();
    outcome.prints("no model was found in its layers");
    let record = yard.show("import/bare", "models/vision/bare/versions/1.3.0.yaml");
    assert!(record.contains("name: oci-image"), "{record}");
    let pulled = format!(
        "oci-layout:{}:1.3.0",
        yard.path("store/vision/bare").display()
    );
    sandbox
        .modelyard(["pull", &pulled, "pulled"])
        .run()
        .success();
    let description = sandbox.read("pulled/image.json");
    assert!(
        description.contains("\"8080/tcp\"") && !description.contains("s3cret"),
        "{description}"
    );
}

#[test]
fn several_models_of_an_image_are_versions_of_their_own() {
    let sandbox = Sandbox::new();
    let (yard, images) = (sandbox.yard(), Images::new(&sandbox));
    model(&sandbox);
    let lines = "FROM scratch\nCOPY fraud /models/fraud/1\nCOPY fraud /models/fraud/2\nCOPY fraud/model.onnx /opt/digits/model.onnx\n";
    images.build("localhost/shelf:3.0.0", lines);
    let words = [
        "save",
        "--quiet",
        "--output",
        "shelf.tar",
        "localhost/shelf:3.0.0",
    ];
    images.podman(words).success();
    let place = format!("image:{}", sandbox.path("shelf.tar").display());
    let outcome = yard.import([&*place, "--name=shelf"]).run().success();
    outcome
        .prints("imported  vision/fraud:1.0.0 from shelf.tar:3.0.0#models/fraud/1")
        .prints("imported  vision/fraud:2.0.0 from shelf.tar:3.0.0#models/fraud/2")
        .prints("imported  vision/digits:3.0.0 from shelf.tar:3.0.0#opt/digits");
    // A file that carries models and runs nothing is served by none.
    let record = yard.show("import/shelf", "models/vision/digits/versions/3.0.0.yaml");
    assert!(!record.contains("container"), "{record}");
}

#[test]
fn an_image_becomes_a_pull_request() {
    let desk = Desk::new();
    let images = Images::new(desk.sandbox());
    model(desk.sandbox());
    images.build("localhost/fraud:1.2.0", SERVER);
    let words = [
        "save",
        "--quiet",
        "--output",
        "saved.tar",
        "localhost/fraud:1.2.0",
    ];
    images.podman(words).success();
    let told = desk.pull_request("image:../saved.tar", &["--copy"], &[]);
    let lines = told
        .lines()
        .map(|line| line.replace("image.labels.io.buildah.version, ", ""));
    let lines: Vec<_> = lines.collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    Import vision/fraud:1.2.0 from image:[sandbox]/work/saved.tar

    <!-- modelyard:begin -->
    ```text
    saved.tar:1.2.0 -> vision/fraud:1.2.0
      sha256:7e96002e253ef09a892a7e600d6a9b9a805b417e869d539c44884bbaa32e0d71
      found no field: image.platform, image.entrypoint, image.command, image.workingDir, image.ports, image.environment, image.secretVariables, image.labels.team, image.path
      values that look secret are not kept: API_TOKEN
    ```

    - `models/vision/fraud/README.md`
    - `models/vision/fraud/model.yaml`
    - `models/vision/fraud/versions/1.2.0.yaml`
    <!-- modelyard:end -->
    ");
}
