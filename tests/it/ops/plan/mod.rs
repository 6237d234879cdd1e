//! `modelyard plan --base`: what a merge would do, as reviewers are told.

mod comment;

use modelyard::ops::plan_change::{Planned, markdown};
use serde_json::Value;

use crate::harness::{Outcome, Run, Sandbox, Yard};

const VERSION: &str = "apiVersion: modelyard.dev/v1\n";

/// The champion of `vision/defects` in the environment `factory`, by canary; a resizer that is
/// deployed, too; a reader that needs the champion's output.
struct Story<'a> {
    yard: Yard<'a>,
}

fn model(namespace: &str, name: &str, more: &str) -> String {
    format!(
        "{VERSION}kind: Model\nmetadata: {{namespace: {namespace}, name: {name}}}\nspec:\n  \
         owners: [{{team: {namespace}}}]\n{more}"
    )
}

/// A released version, whose digest is made of one hexadecimal digit.
fn version(name: (&str, &str), version: &str, digit: char, more: &str) -> String {
    let (namespace, name) = name;
    let digest = digit.to_string().repeat(64);
    format!(
        "{VERSION}kind: ModelVersion\nmetadata: {{namespace: {namespace}, name: {name}, version: \
         {version}}}\nspec:\n  lifecycle: released\n  artifact:\n    repository: \
         oci-layout:./store/{namespace}/{name}\n    digest: sha256:{digest}\n  format: {{name: \
         onnx, version: \"17\"}}\n{more}"
    )
}

/// What a version of the sheet metal's model takes, gives and scores.
fn defects(shape: &str, accuracy: &str, latency: &str, more: &str) -> String {
    format!(
        "  inputs:\n    - {{name: image, datatype: FP32, shape: {shape}}}\n  outputs:\n    - {{name: \
         label, datatype: INT64, shape: [-1], labels: [ok, scratch]}}\n{more}  metrics:\n    - \
         {{name: accuracy, value: {accuracy}, dataset: line3, higherIsBetter: true, score: true}}\n    \
         - {{name: latency_p99_ms, value: {latency}, device: cpu, higherIsBetter: false}}\n"
    )
}

fn deployment(name: &str, spec: &str) -> String {
    format!(
        "{VERSION}kind: Deployment\nmetadata: {{name: {name}, environment: factory}}\nspec:\n{spec}"
    )
}

const CANARY: &str = "  model: vision/defects
  version: champion
  replicas: {min: 2}
  resources: {requests: {cpu: \"1\", memory: 2Gi}}
  strategy:
    type: canary
    steps:
      - {weight: 5, for: 10m}
      - {weight: 50, for: 30m, analysis: [errors], approval: true}
  analysis:
    - {name: errors, source: gateway, metric: error_rate, below: 0.01, interval: 30s}
";

const MODEL: &str = "models/vision/defects/model.yaml";

impl<'a> Story<'a> {
    fn begins(sandbox: &'a Sandbox) -> Self {
        let yard = sandbox.yard();
        let first = "  title: Surface defects\n  license: MIT\n  aliases: {champion: 1.4.0}\n";
        yard.write(MODEL, &model("vision", "defects", first));
        let told = defects("[-1, 3, 224, 224]", "0.961", "12.5", "");
        yard.write(
            "models/vision/defects/versions/1.4.0.yaml",
            &version(("vision", "defects"), "1.4.0", 'a', &told),
        );
        let license = "  title: Resizer\n  license: Apache-2.0\n";
        yard.write(
            "models/vision/resize/model.yaml",
            &model("vision", "resize", license),
        );
        yard.write(
            "models/vision/resize/versions/1.0.0.yaml",
            &version(("vision", "resize"), "1.0.0", 'b', ""),
        );
        yard.write(
            "models/text/reader/model.yaml",
            &model("text", "reader", "  title: Reader\n"),
        );
        let needs = "  inputs:\n    - {name: label, datatype: INT64, shape: [-1]}\n  \
                     dependencies:\n    models:\n      - {name: label, producedBy: {model: \
                     vision/defects, output: label}}\n";
        yard.write(
            "models/text/reader/versions/2.0.0.yaml",
            &version(("text", "reader"), "2.0.0", 'c', needs),
        );
        yard.write(
            "environments/factory.yaml",
            &format!(
                "{VERSION}kind: Environment\nmetadata: {{name: factory}}\nspec:\n  target: {{type: \
                 process}}\n  pools: [{{name: cpu, cpu: \"4\", memory: 8Gi}}]\n  approvals: \
                 {{required: 1, from: [\"team:platform\"]}}\n"
            ),
        );
        yard.write(
            "deployments/factory/defects.yaml",
            &deployment("defects", CANARY),
        );
        for (name, of) in [("resize", "vision/resize"), ("reader", "text/reader")] {
            yard.write(
                &format!("deployments/factory/{name}.yaml"),
                &deployment(name, &format!("  model: {of}\n")),
            );
        }
        yard.commit("A factory");
        yard.modelyard(["check"]).run().success();
        let story = Self { yard };
        story.git(["switch", "--quiet", "--create", "change"]);
        story
    }

    /// A new version becomes the champion by an alias, under another licence, and takes other
    /// images; a deployment leaves, and another gets a setting.
    fn changes(&self) {
        let yard = &self.yard;
        let now = "  title: Surface defects of sheet metal\n  license: Apache-2.0\n  aliases: \
                   {champion: 1.5.0}\n";
        yard.write(MODEL, &model("vision", "defects", now));
        let changes = "  changes: Retrained, thanks @everyone | https://example.com `x`\n";
        let told = defects("[1, 3, 256, 256]", "0.973", "14", changes);
        yard.write(
            "models/vision/defects/versions/1.5.0.yaml",
            &version(("vision", "defects"), "1.5.0", 'd', &told),
        );
        self.git(["rm", "--quiet", "deployments/factory/resize.yaml"]);
        let reader = "  model: text/reader\n  drift: report\n";
        yard.write(
            "deployments/factory/reader.yaml",
            &deployment("reader", reader),
        );
        yard.commit("A better champion");
    }

    fn git<const N: usize>(&self, words: [&str; N]) -> String {
        self.yard.git(words).run().success().stdout
    }

    fn plans(&self, more: &[&str]) -> Run {
        let words = ["plan", "--base", "main", "--at", "change"];
        self.yard.modelyard(words.iter().chain(more))
    }

    fn hash(&self) -> String {
        self.plans(&["--output", "name"])
            .run()
            .success()
            .line()
            .to_owned()
    }

    fn json(&self) -> Value {
        self.plans(&["--output", "json"]).run().success().json()
    }

    /// What was printed, without what is another one each time.
    fn told(&self, outcome: &Outcome) -> String {
        let id = |revision| self.git(["rev-parse", "--short=12", revision]);
        let text = outcome.stdout.replace(id("change").trim(), "HEAD");
        text.replace(id("main").trim(), "BASE")
    }

    fn deployed(&self, name: &str, spec: &str) {
        let path = format!("deployments/factory/{name}.yaml");
        self.yard.write(&path, &deployment(name, spec));
        self.yard.commit("Something of a deployment");
    }
}

/// What becomes of the deployments of the only environment.
fn becomes(plan: &Value) -> Vec<String> {
    let deployments = plan["environments"][0]["deployments"].as_array();
    let line = |one: &Value| {
        let text = |field: &str| one[field].as_str().unwrap_or_default().to_owned();
        format!("{} {}", text("deployment"), text("becomes"))
    };
    deployments.unwrap().iter().map(line).collect()
}

#[test]
fn whoever_reads_the_json_has_all_of_the_plan() {
    let sandbox = Sandbox::new();
    let story = Story::begins(&sandbox);
    story.changes();
    let json = story.plans(&["--output", "json"]).run().success();
    let plan: Planned = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(plan.hash.to_string(), story.hash());
    let comment = story.plans(&["--output", "markdown"]).run().success();
    assert_eq!(markdown(&plan), comment.stdout);
}

#[test]
fn the_hash_stays_whatever_is_written_about_models_and_whatever_main_does_beside() {
    let sandbox = Sandbox::new();
    let story = Story::begins(&sandbox);
    let nothing = story.hash();
    let told = "  title: Sheet metal\n  license: MIT\n  aliases: {champion: 1.4.0}\n";
    story.yard.write(MODEL, &model("vision", "defects", told));
    story.yard.commit("Another title");
    assert_eq!(story.hash(), nothing);
    let title = story.plans(&[]).run().success();
    title
        .prints("Merging this changes nothing that runs")
        .prints("~ title: Surface defects -> Sheet metal");

    story.deployed("reader", "  model: text/reader\n  replicas: {min: 2}\n");
    let hash = story.hash();
    assert_ne!(hash, nothing);
    // Main goes on, and is no part of the change.
    story.git(["switch", "--quiet", "main"]);
    story.deployed("resize", "  model: vision/resize\n  replicas: {min: 3}\n");
    assert_eq!(story.hash(), hash);
    // Once it is merged, it is the same change still.
    story.yard.merge("change");
    let words = [
        "plan", "--base", "main~1", "--at", "main", "--output", "name",
    ];
    let merged = story.yard.modelyard(words).run().success();
    assert_eq!(merged.line(), hash);
}

#[test]
fn what_does_not_move_says_why() {
    let sandbox = Sandbox::new();
    let story = Story::begins(&sandbox);
    story.deployed("reader", "  model: text/reader\n  version: 7.0.0\n");
    story.deployed("resize", "  model: vision/resize\n  suspend: true\n");
    let asks = CANARY.replace("cpu: \"1\"", "cpu: \"2\"");
    story.deployed("defects", &asks);
    let plan = story.json();
    assert_eq!(
        becomes(&plan),
        ["defects changes", "reader held", "resize suspended"]
    );
    let place = &plan["environments"][0];
    let why = place["deployments"][1]["notes"][0].as_str().unwrap();
    assert!(why.contains("7.0.0"), "{why}");
    let cannot = place["cannot"].to_string();
    assert!(cannot.contains("the pool cpu has no room"), "{cannot}");
    let pool = &place["pools"][0];
    let cpu = |at: &str| pool[at]["cpuMilli"].as_u64().unwrap();
    assert_eq!((cpu("before"), cpu("after")), (2000, 4000));
}

#[test]
fn the_last_deployment_stays_and_other_targets_are_not_reconciled() {
    let sandbox = Sandbox::new();
    let story = Story::begins(&sandbox);
    story.git(["rm", "--quiet", "-r", "deployments"]);
    let record = story.yard.show("main", "environments/factory.yaml");
    let record = record.replace("type: process", "type: kubernetes");
    story.yard.write("environments/factory.yaml", &record);
    story.yard.commit("Everything leaves");
    let plan = story.json();
    let stay = ["defects stays", "reader stays", "resize stays"];
    assert_eq!(becomes(&plan), stay);
    let place = &plan["environments"][0];
    assert_eq!(place["target"], "kubernetes");
    assert!(
        place["cannot"].to_string().contains("kubernetes"),
        "{place}"
    );
    assert_eq!(place["metadata"][0]["field"], "target.type");
}

#[test]
fn files_are_told_by_their_manifests_and_not_at_all_where_nobody_may_ask() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("files");
    yard.publish("files", "vision/digits:1.0.0").success();
    yard.merge("publish/vision/digits/1.0.0");
    sandbox.write("files/model.bin", "other weights");
    sandbox.write("files/notes.txt", "new");
    yard.publish("files", "vision/digits:1.1.0").success();
    let at = "publish/vision/digits/1.1.0";
    let plan = |more: &[&str]| {
        let words = ["plan", "--base", "main", "--at", at, "--output", "json"];
        let plan = yard.modelyard(words.iter().chain(more)).run().success();
        plan.json()["models"][0]["versions"][0].clone()
    };
    let version = plan(&[]);
    assert_eq!(version["version"], "1.1.0");
    let files = version["files"]["files"].as_array().unwrap();
    let told: Vec<String> = files
        .iter()
        .map(|file| format!("{} {}", file["path"].as_str().unwrap(), file["is"]))
        .collect();
    assert_eq!(
        told,
        [
            "README.md null",
            "model.bin \"changed\"",
            "notes.txt \"added\""
        ]
    );
    assert_eq!(version["evidence"]["bytes"]["is"], "there");
    assert_eq!(version["evidence"]["signatures"]["is"], "notAsked");
    let unasked = plan(&["--no-stores"]);
    assert_eq!(unasked["files"]["is"], "unknown");
    assert_eq!(unasked["evidence"]["bytes"]["is"], "unknown");
}

#[test]
fn what_has_no_base_says_what_to_do() {
    let sandbox = Sandbox::new();
    let story = Story::begins(&sandbox);
    story.changes();
    let url = format!("file://{}", story.yard.path("").display());
    let clone = [
        "clone",
        "-q",
        "--depth=1",
        "--no-single-branch",
        &*url,
        "shallow",
    ];
    sandbox.git(clone).run().success();
    let words = ["plan", "--base", "origin/main", "--at", "origin/change"];
    let shallow = sandbox.modelyard(words).in_folder("shallow").run();
    shallow.exits(2).says("error[object-missing]");

    story.git(["switch", "--quiet", "--orphan", "alone"]);
    story.yard.write("modelyard.yaml", "kind: Yard\n");
    story.yard.commit("Nothing in common");
    let words = ["plan", "--base", "main", "--at", "alone"];
    let alone = story.yard.modelyard(words).run();
    alone.exits(2).says("error[no-merge-base]");

    for words in [
        &["plan"][..],
        &["plan", "--at", "main"],
        &["plan", "-e", "factory", "--output", "markdown"],
        &["plan", "--base", "main", "--output", "sarif"],
    ] {
        story.yard.modelyard(words).run().exits(2).says("error: ");
    }
}
