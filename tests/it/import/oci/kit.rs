//! What a ModelKit and a ModelPack artifact become.

use super::{digest, files, push_kit};
use crate::harness::registry::{Distribution, Referrers, Tokens};
use crate::harness::{Login, Sandbox};
use crate::import::reviewed::Desk;

#[test]
fn a_modelkit_becomes_a_version_that_says_what_its_kitfile_says() {
    let sandbox = Sandbox::new();
    let login = Login::new("tester", "correct horse");
    let registry = Distribution::builder().basic(&login).start();
    let host = registry.host();
    let words = ["login", &host, "--username=tester", "--password-stdin"];
    let logged_in = sandbox.modelyard(words).input(&login.password).run();
    logged_in.success();
    let yard = sandbox.yard();
    files(&sandbox);
    let reference = format!("{host}/kits/fraud:v1.2.0");
    push_kit(&sandbox, &reference);
    let place = format!("oci://{reference}");

    let shown = yard.import([&place, "--dry-run"]).run().success();
    shown
        .prints("Would import")
        .prints("vision/fraud:1.2.0")
        .prints("kitfile.model.version");
    let import = [&*place, "--name=kits"];
    let outcome = yard.import(import).run().success();
    outcome.prints("imported  vision/fraud:1.2.0");
    let steady = |text: String| {
        let digest = digest(&sandbox, &reference);
        let text = text.replace(&host, "[host]").replace(&digest, "[digest]");
        // Nothing says when it was made.
        let lines = text.lines().filter(|line| !line.contains("createdAt:"));
        lines.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(yard.show("import/kits", "models/vision/fraud/model.yaml"), @r"
    apiVersion: modelyard.dev/v1
    kind: Model
    metadata:
      namespace: vision
      name: fraud
    spec:
      title: Fraud detection
      description: Finds fraud.
      owners:
        - team: vision
      license: Apache-2.0
    ");
    let record = steady(yard.show("import/kits", "models/vision/fraud/versions/1.2.0.yaml"));
    insta::assert_snapshot!(record, @r#"
    apiVersion: modelyard.dev/v1
    kind: ModelVersion
    metadata:
      namespace: vision
      name: fraud
      version: 1.2.0
    spec:
      lifecycle: staged
      author: Ada Lovelace, Grace Hopper
      artifact:
        repository: oci-layout:./store/vision/fraud
        digest: sha256:d1e44474918188d5c1cfaff1f68f44ffb7a1f3d89d7cd74e78103383e9d33752
        size: 1471
      format:
        name: onnx
        version: "17"
        code: []
      framework:
        name: xgboost
      precision: fp32
      parameterCount: 31
      inputs:
        - name: age
          datatype: FP32
          shape: [-1]
        - name: sex
          datatype: FP32
          shape: [-1]
        - name: bmi
          datatype: FP32
          shape: [-1]
        - name: bp
          datatype: FP32
          shape: [-1]
        - name: s1
          datatype: FP32
          shape: [-1]
        - name: s2
          datatype: FP32
          shape: [-1]
        - name: s3
          datatype: FP32
          shape: [-1]
        - name: s4
          datatype: FP32
          shape: [-1]
        - name: s5
          datatype: FP32
          shape: [-1]
        - name: s6
          datatype: FP32
          shape: [-1]
      outputs:
        - name: progression
          datatype: FP32
          shape: [-1]
      properties:
        depth: 6
      lineage:
        datasets:
          - name: payments
      imported:
        from: oci
        place: [host]/kits/fraud
        reference: [host]/kits/fraud:v1.2.0
        revision: [digest]
        unmapped:
          kitfile.package.version: 1.2.0
          kitfile.model.name: fraud
          kitfile.model.version: "7"
          kitfile.datasets:
            - name: payments
              path: data/payments.csv
              license: CC0-1.0
    "#);

    // Every byte is as it was.
    let store = yard.path("store/vision/fraud");
    let pulled = format!("oci-layout:{}:1.2.0", store.display());
    sandbox
        .modelyard(["pull", &pulled, "pulled"])
        .run()
        .success();
    let differ = sandbox.program("diff", ["-r", "kit", "pulled"]).run();
    assert_eq!(differ.code, Some(0), "{}", differ.report());

    yard.merge("import/kits");
    let refs = yard.refs();
    let again = yard.import(import).run().success();
    again.prints("unchanged 1 version that is here already");
    assert_eq!(yard.refs(), refs);

    // A tag that was moved is told, and nothing is overwritten.
    sandbox.write("kit/README.md", "# Fraud, anew\n");
    push_kit(&sandbox, &reference);
    let moved = yard.import(import).run().exits(1);
    moved.prints("the source has something else under");
    assert_eq!(yard.refs(), refs);
}

#[test]
fn what_was_published_from_here_has_the_same_digest_again() {
    let sandbox = Sandbox::new();
    let login = Login::new("tester", "correct horse");
    let registry = Distribution::builder().bearer(Tokens::to(&login)).start();
    let host = registry.host();
    let words = ["login", &host, "--username=tester", "--password-stdin"];
    sandbox
        .modelyard(words)
        .input(&login.password)
        .run()
        .success();
    let yard = sandbox.yard();
    files(&sandbox);
    let reference = format!("{host}/models/vision/fraud:1.2.0");
    sandbox
        .modelyard(["push", "kit", &reference])
        .run()
        .success();
    let place = format!("oci:{reference}");
    yard.import([&*place, "--name=ours"]).run().success();
    let record = yard.show("import/ours", "models/vision/fraud/versions/1.2.0.yaml");
    let told = sandbox
        .modelyard(["inspect", &reference, "-o", "json"])
        .run();
    let pushed = told.success().json()["digest"].as_str().unwrap().to_owned();
    assert_eq!(record.matches(&pushed).count(), 2, "{record}");
}

#[test]
fn modelpack_by_oras_in_a_registry_and_in_a_folder() {
    let sandbox = Sandbox::new();
    let registry = Referrers::start();
    let yard = sandbox.yard();
    files(&sandbox);
    sandbox.write(
        "config.json",
        r#"{"descriptor":{"createdAt":"2026-11-01T09:30:00Z","title":"Fraud","licenses":["MIT"],"vendor":"Acme"},"config":{"precision":"FP32"},"modelfs":{"type":"layers","diffIds":["sha256:0000000000000000000000000000000000000000000000000000000000000000"]}}"#,
    );
    sandbox
        .program("tar", ["-cf", "kit/data.tar", "-C", "kit", "data"])
        .run()
        .success();
    let kind = "application/vnd.cncf.model.";
    let reference = format!("{}/packs/fraud:2.0.0", registry.host());
    let words = [
        "push".to_owned(),
        "--plain-http".to_owned(),
        reference.clone(),
        format!("--artifact-type={kind}manifest.v1+json"),
        format!("--config=../config.json:{kind}config.v1+json"),
        "--annotation=org.opencontainers.image.url=https://fraud.example".to_owned(),
        "--disable-path-validation".to_owned(),
        format!("models/fraud.onnx:{kind}weight.v1.raw"),
        format!("data.tar:{kind}dataset.v1.tar"),
    ];
    sandbox.tool("oras", words).in_folder("kit").run().success();
    let place = format!("oci:{reference}");
    yard.import([&*place, "--name=packs"]).run().success();
    let record = yard.show("import/packs", "models/vision/fraud/versions/2.0.0.yaml");
    for said in [
        "createdAt: \"2026-11-01T09:30:00Z\"",
        "precision: fp32",
        "url: https://fraud.example",
        "descriptor.vendor: Acme",
    ] {
        assert!(record.contains(said), "{said}: {record}");
    }

    // The same from a layout on disk, by its path and by `oci-layout:`.
    let words = [
        "copy",
        "--from-plain-http",
        "--to-oci-layout",
        &reference,
        "layout/fraud:2.0.0",
    ];
    sandbox.tool("oras", words).run().success();
    let folder = sandbox.path("layout/fraud");
    let folder = folder.display();
    for (place, name) in [
        (format!("oci-layout:{folder}:2.0.0"), "other"),
        (format!("oci:{folder}"), "third"),
    ] {
        let words = [
            place,
            format!("--name={name}"),
            format!("--as=vision/{name}"),
        ];
        yard.import(words).run().success();
        let path = format!("models/vision/{name}/versions/2.0.0.yaml");
        let copied = yard.show(&format!("import/{name}"), &path);
        let artifact = |record: &str| {
            let at = record.find("digest: sha256:").unwrap();
            record[at..at + 79].to_owned()
        };
        assert_eq!(artifact(&copied), artifact(&record));
        assert!(!copied.contains("place:"), "{copied}");
    }
}

#[test]
fn a_modelkit_becomes_a_pull_request() {
    let desk = Desk::new();
    let registry = Distribution::start();
    files(desk.sandbox());
    let reference = format!("{}/kits/fraud:v1.2.0", registry.host());
    push_kit(desk.sandbox(), &reference);
    let told = desk.pull_request(&format!("oci://{reference}"), &[], &[]);
    let told = told.replace(&registry.host(), "[host]");
    insta::assert_snapshot!(told, @r"
    Import vision/fraud:1.2.0 from oci:[host]/kits/fraud

    <!-- modelyard:begin -->
    ```text
    [host]/kits/fraud:v1.2.0 -> vision/fraud:1.2.0 (renamed)
      sha256:d1e44474918188d5c1cfaff1f68f44ffb7a1f3d89d7cd74e78103383e9d33752
      found no field: kitfile.package.version, kitfile.model.name, kitfile.model.version, kitfile.datasets
    ```

    - `models/vision/fraud/README.md`
    - `models/vision/fraud/model.yaml`
    - `models/vision/fraud/versions/1.2.0.yaml`
    <!-- modelyard:end -->
    ");
}
