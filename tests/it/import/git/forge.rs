//! A real forge: a private repository with a file in its LFS store.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{RECORD, Repository};
use crate::harness::gitea::{Gitea, Person};
use crate::harness::{Login, Sandbox, web};

/// Has the LFS store of the repository `name` keep `weights`, as git-lfs does it, and gives the
/// pointer.
pub(super) fn stored(gitea: &Gitea, author: &Person, name: &str, weights: &Value) -> String {
    let bytes = weights.to_string();
    let oid: String = Sha256::digest(bytes.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let login = Login::new(&author.name, &author.token).basic();
    let media_type = "application/vnd.git-lfs+json";
    let question = json!({"operation": "upload", "transfers": ["basic"], "objects": [{"oid": oid, "size": bytes.len()}]});
    let headers = [("authorization", &*login), ("accept", media_type)];
    let batch = format!("/acme/{name}.git/info/lfs/objects/batch");
    let answer = web::ask(&gitea.host(), "POST", &batch, &headers, Some(&question)).json();
    let upload = &answer["objects"][0]["actions"]["upload"];
    let href = upload["href"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"));
    let path = href.split_once(&gitea.host()).unwrap().1;
    let said = web::ask(&gitea.host(), "PUT", path, &headers[..1], Some(weights));
    assert_eq!(said.status, 200, "{}", said.text());
    let size = bytes.len();
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n")
}

#[test]
fn a_private_repository_of_a_forge_comes_with_its_large_files_and_a_pull_request() {
    let sandbox = Sandbox::new();
    let gitea = Gitea::start();
    let repository = Repository::new(&sandbox);
    let author = gitea.person("author");
    let url = gitea.repository("models", &[&author]);
    gitea.ask(
        gitea.root(),
        "PATCH",
        "repos/acme/models",
        json!({"private": true}),
    );
    let yard_url = gitea.repository("yard", &[&author]);

    let pointer = stored(&gitea, &author, "models", &json!({"weights": [1, 2, 3]}));
    repository.write("models/digits/weights/w.bin", pointer);
    repository.git(&["remote", "set-url", "origin", &url]);
    repository.commit("Weights in the store");
    repository.tag("v1.0.0", "First");

    let yard = sandbox.yard();
    yard.git(["remote", "add", "origin", &yard_url])
        .run()
        .success();
    yard.git(["push", "--quiet", "--set-upstream", "origin", "main"])
        .run()
        .success();
    let address = format!("http://{}/acme/models.git", gitea.host());
    let settings = yard.show("main", "modelyard.yaml");
    let forge = format!(
        "  forge: {{type: gitea, url: \"http://{}/acme/yard\"}}\n",
        gitea.host()
    );
    let source = format!(
        "  sources: [{{name: scripts, type: git, url: \"{address}\", path: models/digits, token: {{env: SCRIPTS_TOKEN}}}}]\n"
    );
    yard.write("modelyard.yaml", &format!("{settings}\n{forge}{source}"));
    yard.commit("Follow the scripts");
    yard.git(["push", "--quiet"]).run().success();
    let outcome = yard
        .import(["--follow", "scripts"])
        .env("SCRIPTS_TOKEN", &author.token)
        .env("GITEA_SERVER_TOKEN", &author.token)
        .run()
        .success();
    outcome.prints("imported  vision/digits:1.0.0");
    let record = yard.show("import/scripts", &format!("{RECORD}/1.0.0.yaml"));
    assert!(record.contains(&address), "{record}");
    let pulls = gitea.ask(gitea.root(), "GET", "repos/acme/yard/pulls", None);
    let body = pulls[0]["body"].as_str().unwrap_or_default();
    assert!(body.contains("models/digits@v1.0.0"), "{pulls}");
}
