//! A yard with a past, for all of these tests.

use crate::harness::{Outcome, Sandbox};

/// A yard with two models, three versions of one of them and a deployment, all on main.
pub(super) struct Story {
    pub(super) sandbox: Sandbox,
}

/// The digest of a version's artifact that is nowhere: of one digit, 64 times.
pub(super) fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

impl Story {
    pub(super) fn begin() -> Self {
        let story = Self {
            sandbox: Sandbox::new(),
        };
        story.write("modelyard.yaml", YARD);
        story.write("models/vision/digits/model.yaml", DIGITS);
        story.write("models/vision/digits/README.md", CARD);
        story.write("models/text/topics/model.yaml", TOPICS);
        story.write("deployments/factory/digits.yaml", DEPLOYMENT);
        story.version("1.0.0", "deprecated", 0.9, &digest('1'));
        story.version("1.1.0", "released", 0.95, &digest('2'));
        story.version("2.0.0-rc.1", "staged", 0.97, &digest('3'));
        story.git(&["init", "--quiet"]);
        story.commit("begin");
        story
    }

    /// One command in the yard.
    pub(super) fn run(&self, arguments: &[&str]) -> Outcome {
        self.sandbox.modelyard(arguments).run()
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        self.sandbox.write(path, text);
    }

    pub(super) fn version(&self, version: &str, lifecycle: &str, accuracy: f64, digest: &str) {
        let record = VERSION
            .replace("VERSION", version)
            .replace("LIFECYCLE", lifecycle)
            .replace("ACCURACY", &accuracy.to_string())
            .replace("DIGEST", digest);
        let path = format!("models/vision/digits/versions/{version}.yaml");
        self.write(&path, &record);
    }

    pub(super) fn git(&self, arguments: &[&str]) -> Outcome {
        self.sandbox.git(arguments).run().success()
    }

    pub(super) fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        let date = "2026-03-01T10:00:00Z";
        let commit = self
            .sandbox
            .git(["commit", "--quiet", "--message", message]);
        let commit = commit.env("GIT_AUTHOR_DATE", date);
        commit.env("GIT_COMMITTER_DATE", date).run().success();
    }
}

const YARD: &str = "\
apiVersion: modelyard.dev/v1
kind: Yard
metadata: {name: acme}
spec:
  stores:
    - {name: main, repository: \"oci-layout:./store\"}
";

const DIGITS: &str = "\
apiVersion: modelyard.dev/v1
kind: Model
metadata: {namespace: vision, name: digits, labels: {line: \"3\"}}
spec:
  title: Handwritten digits
  description: Reads one digit from a small gray image.
  owners: [{team: vision, contact: vision@example.com}]
  classification: {technology: computer-vision, task: image-classification}
  license: Apache-2.0
  aliases: {champion: 1.1.0}
";

const TOPICS: &str = "\
apiVersion: modelyard.dev/v1
kind: Model
metadata: {namespace: text, name: topics}
spec:
  title: Topics of letters
  owners: [{team: text}]
  classification: {technology: nlp}
";

const CARD: &str = "\
---
license: apache-2.0
tags: [digits]
---
# Handwritten digits

Trained with scans of envelopes from the sorting office.
Not for cheques.
";

const VERSION: &str = "\
apiVersion: modelyard.dev/v1
kind: ModelVersion
metadata: {namespace: vision, name: digits, version: VERSION}
spec:
  lifecycle: LIFECYCLE
  changes: More scans.
  createdAt: 2026-02-01T09:30:00Z
  artifact:
    repository: \"oci-layout:./store/vision/digits\"
    digest: DIGEST
    size: 10240
  format: {name: onnx, version: \"17\", code: []}
  precision: fp32
  targetDevices: [cpu, cuda]
  inputs: [{name: image, datatype: FP32, shape: [-1, 1, 8, 8]}]
  outputs: [{name: label, datatype: INT64, shape: [-1]}]
  dependencies:
    build: [{name: scikit-learn, version: 1.9.1}, {name: numpy}]
  metrics:
    - {name: accuracy, value: ACCURACY, dataset: holdout, higherIsBetter: true, score: true}
    - {name: latency_ms, value: 12.5, device: cpu, higherIsBetter: false}
  lineage:
    source: {repository: \"https://git.example.com/acme/train.git\"}
    datasets: [{name: scans}]
";

const DEPLOYMENT: &str = "\
apiVersion: modelyard.dev/v1
kind: Deployment
metadata: {name: digits, environment: factory}
spec:
  model: vision/digits
  version: champion
  strategy: {type: rolling}
";
