//! Which versions a repository has.

use super::digest;
use crate::harness::Sandbox;
use crate::harness::registry::Distribution;

#[test]
fn tags_are_versions_and_aliases_and_a_digest_is_one_version() {
    let sandbox = Sandbox::new();
    let registry = Distribution::start();
    let yard = sandbox.yard();
    let repository = format!("{}/models/fraud", registry.host());
    for (version, content) in [("1.9.0", "one"), ("1.10.0", "two"), ("nightly", "three")] {
        sandbox.write("m/model.bin", format!("\0{content}"));
        let reference = format!("{repository}:{version}");
        sandbox
            .tool("oras", ["push", "--plain-http", &reference, "m/model.bin"])
            .run()
            .success();
    }
    for (of, tag) in [
        ("1.10.0", "1.10"),
        ("1.10.0", "latest"),
        ("1.9.0", "champion"),
    ] {
        sandbox
            .tool("crane", ["tag", &format!("{repository}:{of}"), tag])
            .run()
            .success();
    }
    let place = format!("oci://{repository}");
    let shown = yard.import([&*place, "--list"]).run().success();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<_> = shown.stdout.lines().map(words).collect();
    insta::assert_snapshot!(lines.join("\n").replace(&registry.host(), "[host]"), @r"
    oci:[host]/models/fraud
    REFERENCE STAGE ALIASES STATE HERE
    [host]/models/fraud:1.9.0 - champion new vision/fraud:1.9.0
    [host]/models/fraud:1.10.0 - latest new vision/fraud:1.10.0
    left out [host]/models/fraud:nightly (it doesn't read as a version; asked for by this tag it is brought)
    ");

    yard.import([&*place, "--name=all"]).run().success();
    let model = yard.show("import/all", "models/vision/fraud/model.yaml");
    assert!(
        model.contains("champion: 1.9.0") && model.contains("latest: 1.10.0"),
        "{model}"
    );
    yard.merge("import/all");

    // An alias that is moved there moves here.
    sandbox
        .tool(
            "crane",
            ["tag", &format!("{repository}:1.10.0"), "champion"],
        )
        .run()
        .success();
    let moved = yard.import([&*place, "--name=all"]).run().success();
    moved.prints("champion: 1.9.0 -> 1.10.0");

    // By its digest it is brought without a tag.
    let nightly = digest(&sandbox, &format!("{repository}:nightly"));
    let one = format!("oci:{repository}@{nightly}");
    let outcome = yard
        .import([&*one, "--name=one", "--as=vision/nightly:0.1.0"])
        .run()
        .success();
    outcome.prints("imported  vision/nightly:0.1.0");
}

#[test]
fn a_source_of_the_yard_is_followed() {
    let sandbox = Sandbox::new();
    let registry = Distribution::start();
    let yard = sandbox.yard();
    let repository = format!("{}/models/fraud", registry.host());
    let push = |version: &str| {
        sandbox.write("m/model.bin", format!("\0{version}"));
        let reference = format!("{repository}:{version}");
        let words = ["push", "--plain-http", &reference, "m/model.bin"];
        sandbox.tool("oras", words).run().success();
    };
    push("1.0.0");
    let record = format!(
        "apiVersion: modelyard.dev/v1\nkind: Yard\nmetadata: {{name: acme}}\nspec:\n  stores:\n    - {{name: main, repository: \"oci-layout:./store\"}}\n  sources:\n    - {{name: kits, type: oci, url: \"oci://{repository}\", namespace: vision}}\n"
    );
    yard.write("modelyard.yaml", &record);
    yard.commit("A source");
    let follow = || {
        let words = ["import", "--unsigned", "--owner=vision", "--follow"];
        yard.modelyard(words).run().success()
    };
    follow().prints("imported  vision/fraud:1.0.0");
    yard.merge("import/kits");
    follow().prints("unchanged 1 version that is here already");
    push("1.1.0");
    follow().prints("imported  vision/fraud:1.1.0");
}

#[test]
fn what_latest_means_later_is_the_next_version() {
    let sandbox = Sandbox::new();
    let registry = Distribution::start();
    let yard = sandbox.yard();
    let reference = format!("{}/models/fraud:latest", registry.host());
    let import = [&*format!("oci:{reference}"), "--name=kits"].map(str::to_owned);
    for (content, outcome) in [
        ("one", "imported  vision/fraud:1.0.0"),
        ("one", "unchanged 1 version that is here already"),
        ("two", "imported  vision/fraud:1.1.0"),
    ] {
        sandbox.write("m/model.bin", format!("\0{content}"));
        let words = [
            "push",
            "--plain-http",
            "--annotation=org.opencontainers.image.created=2026-11-01T09:30:00Z",
            &reference,
            "m/model.bin",
        ];
        sandbox.tool("oras", words).run().success();
        yard.import(&import).run().success().prints(outcome);
        if outcome.starts_with("imported") {
            yard.merge("import/kits");
        }
    }
}
