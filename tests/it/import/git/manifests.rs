//! Manifests of KServe's and Seldon's in repositories elsewhere: at a commit, with what lies beside
//! them.

use serde_json::json;

use super::Repository;
use super::forge::stored;
use crate::harness::gitea::Gitea;
use crate::harness::{GitHttp, Sandbox};

/// A service of KServe's whose model is at `uri`.
fn service(name: &str, uri: &str) -> String {
    format!(
        "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\n\
         metadata: {{name: {name}, namespace: factory}}\nspec:\n  predictor:\n    model:\n      \
         modelFormat: {{name: sklearn}}\n      storageUri: {uri}\n"
    )
}

const ENVIRONMENT: &str = "apiVersion: modelyard.dev/v1\nkind: Environment\n\
                           metadata: {name: factory}\nspec:\n  target: {type: process}\n";

#[test]
fn a_private_repository_of_a_forge_is_followed_as_its_branch_moves_on() {
    let sandbox = Sandbox::new();
    let gitea = Gitea::start();
    let author = gitea.person("author");
    let url = gitea.repository("deploy", &[&author]);
    let private = json!({"private": true});
    gitea.ask(gitea.root(), "PATCH", "repos/acme/deploy", private);
    let repository = Repository::empty(&sandbox);
    repository.git(&["remote", "set-url", "origin", &url]);
    repository.write("models/diabetes/w.bin", "weights");
    repository.write("models/diabetes/main.py", "def main():\n    pass\n");
    let path = "manifests/prod/diabetes.yaml";
    repository.write(path, service("diabetes", "../../models/diabetes"));
    let first = repository.commit("Serve it");

    let yard = sandbox.yard();
    let address = format!("http://{}/acme/deploy.git", gitea.host());
    let settings = yard.show("main", "modelyard.yaml");
    let source = format!(
        "  sources: [{{name: prod, type: kserve, url: \"{address}\", path: manifests/prod, ref: main, token: {{env: DEPLOY_TOKEN}}}}]\n"
    );
    yard.write("modelyard.yaml", &format!("{settings}\n{source}"));
    yard.write("environments/factory.yaml", ENVIRONMENT);
    yard.commit("Follow what is served");
    yard.import(["--follow"]).run().exits(2);
    let follow = || {
        let run = yard.import(["--follow"]).env("DEPLOY_TOKEN", &author.token);
        let outcome = run.run();
        assert!(!outcome.stderr.contains(&author.token));
        outcome
    };
    follow()
        .success()
        .prints("imported  vision/diabetes:1.0.0 from InferenceService/factory/diabetes")
        .prints("deploys   factory/diabetes from");
    let versions = "models/vision/diabetes/versions";
    let record = yard.show("import/prod", &format!("{versions}/1.0.0.yaml"));
    let record = record
        .replace(&gitea.host(), "git.acme.example")
        .replace(&first, "[commit]");
    insta::assert_snapshot!(record, @r#"
    apiVersion: modelyard.dev/v1
    kind: ModelVersion
    metadata:
      namespace: vision
      name: diabetes
      version: 1.0.0
    spec:
      lifecycle: staged
      createdAt: "2026-11-01T08:00:00Z"
      artifact:
        repository: oci-layout:./store/vision/diabetes
        digest: sha256:1ba3b44f80064185cb6745bb893a1727457ec62a0f6ee0b9e873b3a2cd83fd98
        size: 28
      format:
        name: custom
      framework:
        name: scikit-learn
      lineage:
        source:
          repository: http://git.acme.example/acme/deploy.git
          commit: [commit]
          path: models/diabetes
      imported:
        from: kserve
        place: http://git.acme.example/acme/deploy.git
        reference: InferenceService/factory/diabetes
        revision: sha256:3a3a70e4824c72516c8d6b8b10de8574694953397ced94f331506a2315dba0f7
        unmapped:
          commit.author: Yard Test
          commit.message: Serve it
          storageUri: ../../models/diabetes
    "#);
    yard.merge("import/prod");

    // What changes nothing of the model is nothing new; what does is the next version, and so is
    // another address.
    repository.write("notes.md", "of nobody's model");
    repository.commit("Note it");
    follow().success().prints("unchanged 1 version");
    let pointer = stored(&gitea, &author, "deploy", &json!({"weights": [1, 2, 3]}));
    repository.write("models/diabetes/w.bin", pointer);
    let better = repository.commit("Train it longer, and keep it in the store");
    follow()
        .success()
        .prints("imported  vision/diabetes:1.1.0")
        .prints("2 files, 40 B");
    yard.merge("import/prod");
    let record = yard.show("main", &format!("{versions}/1.1.0.yaml"));
    assert!(record.contains(&better), "{record}");
    repository.write("models/diabetes/2.3.0/w.bin", "other weights");
    repository.write(path, service("diabetes", "../../models/diabetes/2.3.0"));
    repository.commit("Serve another");
    follow().success().prints("imported  vision/diabetes:2.3.0");
    yard.merge("import/prod");
    let refs = yard.refs();
    follow().success().prints("unchanged 1 version");
    assert_eq!(yard.refs(), refs);
    // The same version with other bytes is told, and the merged one stays.
    repository.write("models/diabetes/2.3.0/w.bin", "changed weights");
    repository.commit("Change it");
    follow()
        .exits(1)
        .prints("has something else under InferenceService/factory/diabetes since");
    yard.modelyard(["check"]).run().success();
}

#[test]
fn folders_of_mlserver_and_paths_of_a_commit_mean_what_lies_there() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), Repository::empty(&sandbox));
    let server = GitHttp::serve(&repository.served());
    let settings = json!({"name": "iris", "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./w.bin", "version": "1.4.0"}});
    repository.write("models/iris/model-settings.json", settings.to_string());
    repository.write("models/iris/w.bin", "iris");
    repository.write("models/.hidden/model-settings.json", settings.to_string());
    repository.write("prod/all.yaml", {
        let from_root = service("rooted", "file://models/iris");
        let bucket = service("bucket", "s3://models/away");
        let climbs = service("climbs", "../../etc/passwd");
        [from_root, bucket, climbs].join("---\n")
    });
    repository.write("prod/broken.yaml", service("broken", "[") + "  x: [\n");
    repository.write("prod/other.yaml", "apiVersion: v1\nkind: ConfigMap\n");
    let commit = repository.commit("Serve them");
    let word = |kind: &str, rest: &str| format!("{kind}:{}{rest}", server.url("models.git"));
    let import = |kind: &str, rest: &str| {
        let word = word(kind, rest);
        yard.import([&*word, "--name=deploy"]).run()
    };
    import("seldon", "")
        .success()
        .prints("imported  vision/iris:1.4.0 from ModelSettings/models/iris/iris");
    let record = yard.show("import/deploy", "models/vision/iris/versions/1.4.0.yaml");
    let record = record
        .replace(&server.host(), "git.acme.example")
        .replace(&commit, "[commit]");
    insta::assert_snapshot!(record, @r#"
    apiVersion: modelyard.dev/v1
    kind: ModelVersion
    metadata:
      namespace: vision
      name: iris
      version: 1.4.0
    spec:
      lifecycle: staged
      createdAt: "2026-11-01T08:00:00Z"
      artifact:
        repository: oci-layout:./store/vision/iris
        digest: sha256:f403f2ddf85273c7ff9cfd6e9788bcf227978cfdb61ce8876dde56ce0536a8f8
        size: 117
      format:
        name: custom
      framework:
        name: scikit-learn
      runtime:
        name: mlserver
      lineage:
        source:
          repository: http://git.acme.example/models.git
          commit: [commit]
          path: models/iris
      imported:
        from: seldon
        place: http://git.acme.example/models.git
        reference: ModelSettings/models/iris/iris
        revision: sha256:71f8d23288ad0669a480be7a7a694e12c8d57ccedc049be356e9a3e57972eb65
        unmapped:
          commit.author: Yard Test
          commit.message: Serve them
    "#);
    yard.merge("import/deploy");

    import("kserve", "#main:prod")
        .exits(1)
        .prints("imported  vision/rooted:1.0.0")
        .prints("set AWS_ACCESS_KEY_ID")
        .prints("the model at ../../etc/passwd of")
        .prints("its commit has no such file or folder")
        .prints("prod/broken.yaml (9:6: a `[` is opened and never closed (document 1))");
    import("kserve", "#main:prod/other.yaml")
        .exits(2)
        .says("prod/other.yaml can't be read: it has ConfigMap, and none of InferenceService");
    import("kserve", "#v9")
        .exits(2)
        .says("has no branch or tag v9");
    import("kserve", "#main:staging")
        .exits(2)
        .says("has no staging at main");
    import("kserve", "#main:../prod")
        .exits(2)
        .says("`.` or `..` as a part");

    // Of a clone a path means its files as they are, and a commit what is committed.
    repository.write("prod/all.yaml", service("uncommitted", "models/iris"));
    let clone = |rest: &str| {
        let folder = repository.folder().display().to_string();
        let word = format!("kserve:{folder}{rest}");
        yard.import([&*word, "--list"]).run().success()
    };
    clone("").prints("InferenceService/factory/uncommitted");
    clone("#main:prod").prints("InferenceService/factory/rooted");
}
