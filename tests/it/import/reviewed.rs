//! What each source becomes: a pull request on a real Gitea, with the mapping and what found no
//! place in its text.

use std::path::Path;

use serde_json::json;

use super::mlflow::lab::lab;
use super::{Program, two};
use crate::forge::gitea::Yard;
use crate::harness::{FakeHub, Sandbox};
use crate::yard::story::Story;

/// A clone of a yard on Gitea that imports.
pub(super) struct Desk {
    forge: Yard,
    story: Story,
}

impl Desk {
    pub(super) fn new() -> Self {
        let story = Story::of("  forge: {type: gitea}\n");
        let environment = "apiVersion: modelyard.dev/v1\nkind: Environment\nmetadata: {name: factory}\n\
                           spec:\n  target: {type: process}\n";
        story.write("environments/factory.yaml", environment);
        story.git("add -A");
        story.git("commit -q -m environment");
        let forge = Yard::of(&story);
        Self { forge, story }
    }

    pub(super) fn sandbox(&self) -> &Sandbox {
        &self.story.sandbox
    }

    /// Imports `source` with more words and variables, and gives its pull request as a reviewer
    /// sees it: title, text, and who is asked.
    pub(super) fn pull_request(
        &self,
        source: &str,
        words: &[&str],
        variables: &[(&str, &str)],
    ) -> String {
        let fixed = [
            "import",
            source,
            "--unsigned",
            "--name=old",
            "--owner=reviewer",
        ];
        let fixed = fixed.iter().chain(&["--namespace=vision", "-o", "json"]);
        let run = self
            .sandbox()
            .modelyard(fixed.chain(words))
            .in_folder("yard");
        let run = run.env("GITEA_TOKEN", &self.forge.bot.token);
        let run = variables
            .iter()
            .fold(run, |run, (name, value)| run.env(name, value));
        let done = run.run().success().json();
        let number = done[0]["proposed"]["pullRequest"]["number"].as_u64();
        let number = number.unwrap_or_else(|| panic!("no pull request: {done:#}"));
        let path = format!("repos/acme/yard/pulls/{number}");
        let who = &self.forge.reviewer;
        let pull = self.forge.gitea.ask(who, "GET", &path, None);
        assert_eq!(pull["head"]["ref"], "import/old");
        assert_eq!(pull["requested_reviewers"][0]["login"], "reviewer");
        let text = |field: &str| pull[field].as_str().unwrap().to_owned();
        let told = format!("{}\n\n{}", text("title"), text("body"));
        let root = self.sandbox().root().display().to_string();
        told.replace(&root, "[sandbox]")
    }

    /// The same of a manifest in a folder of its own, beside the diabetes model of the examples at
    /// `models/diabetes`.
    fn pull_request_of_manifest(&self, kind: &str, manifest: &str) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let model = std::fs::read(root.join("examples/diabetes/1.0.0/model.onnx")).unwrap();
        let sandbox = self.sandbox();
        sandbox.write("cluster/models/diabetes/model.onnx", model);
        sandbox.write("cluster/manifest.yaml", manifest);
        let source = format!("{kind}:{}", sandbox.path("cluster").display());
        self.pull_request(&source, &[], &[])
    }
}

#[test]
fn of_a_folder() {
    let desk = Desk::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/diabetes/mlflow");
    for name in ["MLmodel", "model.onnx", "requirements.txt"] {
        let bytes = std::fs::read(example.join(name)).unwrap();
        desk.sandbox().write(format!("mlflow/{name}"), bytes);
    }
    let words = ["--as=vision/diabetes:2.0.0"];
    insta::assert_snapshot!(desk.pull_request("../mlflow", &words, &[]), @r#"
    Import vision/diabetes:2.0.0 from folder:[sandbox]/work/mlflow

    <!-- modelyard:begin -->
    ```text
    mlflow -> vision/diabetes:2.0.0
      sha256:f97c95fff0df783b2ba362a0994feb12cf2d99c5db3e81d232165399b21914b0
      found no field: MLmodel.flavors.onnx, MLmodel.flavors.python_function, MLmodel.is_signature_from_type_hint, MLmodel.metadata, MLmodel.mlflow_version, MLmodel.model_uuid, MLmodel.type_hint_from_example
    ```

    - `models/vision/diabetes/model.yaml`
    - `models/vision/diabetes/versions/2.0.0.yaml`
    <!-- modelyard:end -->
    "#);
}

#[test]
fn of_a_program() {
    let desk = Desk::new();
    let program = Program::new(desk.sandbox());
    program.lists(&two());
    program.has("d1", b"one", &json!({}));
    program.has("d2", b"two", &json!({}));
    insta::assert_snapshot!(desk.pull_request(&program.word(), &[], &[]), @r#"
    Import 2 versions of vision/surface-defects from custom:[sandbox]/work/source/give

    <!-- modelyard:begin -->
    ```text
    d1 -> vision/surface-defects:1.0.0 (renamed)
      sha256:4f95d651ba26801f657a2115147dd5ed832e500c5767587ef4b140420750c083
      Archived -> deprecated
      found no field: told
    d2 -> vision/surface-defects:2.0.0 (renamed)
      sha256:0fea21436cd023e01a1b31270af7e258ac7b654b739ab287712ec8591b9a880b
      Production -> released
      found no field: told
    vision/surface-defects:champion: nothing -> 2.0.0
    ```

    - `models/vision/surface-defects/model.yaml`
    - `models/vision/surface-defects/versions/1.0.0.yaml`
    - `models/vision/surface-defects/versions/2.0.0.yaml`
    <!-- modelyard:end -->
    "#);
}

#[test]
fn of_the_hub() {
    let desk = Desk::new();
    let hub = FakeHub::start();
    let commit = super::huggingface::pushed(&hub);
    let endpoint = format!("http://{}", hub.host());
    let told = desk.pull_request(
        "huggingface:acme/defects",
        &[],
        &[("HF_ENDPOINT", &endpoint)],
    );
    let told = told
        .replace(&commit, "[commit]")
        .replace(&hub.host(), "[hub]");
    insta::assert_snapshot!(told, @r#"
    Import vision/acme-defects:1.0.0 from huggingface:http://[hub]/acme/defects

    <!-- modelyard:begin -->
    ```text
    acme/defects@[commit] -> vision/acme-defects:1.0.0 (renamed)
      sha256:b17dfeb08f573e9e9a492b363fa62d104d3a0d4b1a1fdde98af8749e8417eb43
      found no field: card.thumbnail, hub.author, hub.createdAt
      it has no version of its own: `main` is 1.0.0 at first and the next minor version after that, unless --map or --as says another
    ```

    - `models/vision/acme-defects/README.md`
    - `models/vision/acme-defects/model.yaml`
    - `models/vision/acme-defects/versions/1.0.0.yaml`
    <!-- modelyard:end -->
    "#);
}

#[test]
fn of_mlflow() {
    for major in [3, 2] {
        let desk = Desk::new();
        let host = lab(major).server.host();
        let words = ["--select=name=Schnee*", "--map=names.yaml"];
        let map = "models: {Schnee*: {name: snow, title: Snow}}\n";
        desk.sandbox().write("yard/names.yaml", map);
        let told = desk.pull_request(&format!("mlflow:http://{host}"), &words, &[]);
        for line in [
            "Import 3 versions of vision/snow from mlflow:",
            "\nmodels:/Schnee ☃ Klassifikator/2 -> vision/snow:2.0.0\n",
            "\n  Production -> released\n",
            "\n  Archived -> deprecated\n",
            "\nvision/snow:champion: nothing -> 2.0.0\n",
            "\n  found no field: ",
            "run.run_name",
        ] {
            assert!(told.contains(line), "no «{line}» in\n{told}");
        }
    }
}

#[test]
fn of_kserve() {
    let desk = Desk::new();
    let service = "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\n\
                   metadata: {name: diabetes, namespace: factory}\nspec:\n  predictor:\n    \
                   minReplicas: 2\n    canaryTrafficPercent: 20\n    model:\n      \
                   modelFormat: {name: onnx}\n      storageUri: file://models/diabetes\n      \
                   image: registry.acme.example/own:1\n";
    insta::assert_snapshot!(desk.pull_request_of_manifest("kserve", service), @r#"
    Import vision/diabetes:1.0.0 from kserve:[sandbox]/work/cluster

    <!-- modelyard:begin -->
    ```text
    InferenceService/factory/diabetes -> vision/diabetes:1.0.0
      sha256:94c163c666103f064f6a8be185fe199c7716199a05937b0cad7cecb4e616f0a1
      found no field: storageUri
      nothing says which version it is: it is 1.0.0 at first and the next minor version after that, unless --map or --as says another
    InferenceService/factory/diabetes -> factory/diabetes
      found no field: {"predictor.model.image":"registry.acme.example/own:1"}
      20 % of the traffic were its newest version's, the rest that of the version before, which the manifest doesn't name
    ```

    - `deployments/factory/diabetes.yaml`
    - `models/vision/diabetes/model.yaml`
    - `models/vision/diabetes/versions/1.0.0.yaml`
    <!-- modelyard:end -->
    "#);
}

#[test]
fn of_seldon_v1() {
    let desk = Desk::new();
    let service = "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\n\
                   metadata: {name: diabetes, namespace: factory}\nspec:\n  predictors:\n  - \
                   name: main\n    replicas: 2\n    traffic: 100\n    graph: {name: model, \
                   implementation: TRITON_SERVER, modelUri: models/diabetes}\n";
    insta::assert_snapshot!(desk.pull_request_of_manifest("seldon", service), @r#"
    Import vision/diabetes:1.0.0 from seldon:[sandbox]/work/cluster

    <!-- modelyard:begin -->
    ```text
    SeldonDeployment/factory/diabetes/main/model -> vision/diabetes:1.0.0
      sha256:94c163c666103f064f6a8be185fe199c7716199a05937b0cad7cecb4e616f0a1
      found no field: storageUri
      nothing says which version it is: it is 1.0.0 at first and the next minor version after that, unless --map or --as says another
    SeldonDeployment/factory/diabetes -> factory/diabetes
    ```

    - `deployments/factory/diabetes.yaml`
    - `models/vision/diabetes/model.yaml`
    - `models/vision/diabetes/versions/1.0.0.yaml`
    <!-- modelyard:end -->
    "#);
}

#[test]
fn of_seldon_v2() {
    let desk = Desk::new();
    let model = "apiVersion: mlops.seldon.io/v1alpha1\nkind: Model\n\
                 metadata: {name: diabetes, namespace: factory}\nspec:\n  \
                 storageUri: models/diabetes\n  requirements: [onnx, gpu-of-ours]\n  replicas: 2\n";
    insta::assert_snapshot!(desk.pull_request_of_manifest("seldon", model), @r#"
    Import vision/diabetes:1.0.0 from seldon:[sandbox]/work/cluster

    <!-- modelyard:begin -->
    ```text
    Model/factory/diabetes -> vision/diabetes:1.0.0
      sha256:94c163c666103f064f6a8be185fe199c7716199a05937b0cad7cecb4e616f0a1
      found no field: requirements, storageUri
      nothing says which version it is: it is 1.0.0 at first and the next minor version after that, unless --map or --as says another
    Model/factory/diabetes -> factory/diabetes
    ```

    - `deployments/factory/diabetes.yaml`
    - `models/vision/diabetes/model.yaml`
    - `models/vision/diabetes/versions/1.0.0.yaml`
    <!-- modelyard:end -->
    "#);
}
