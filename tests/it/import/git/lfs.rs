//! Files in Git LFS: fetched from the repository's store, or refused with the way out.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{RECORD, Repository};
use crate::harness::{Answer, Front, GitHttp, Sandbox};

const BYTES: &[u8] = b"large weights";

fn oid(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Has the model's weights be a pointer.
fn point(repository: &Repository<'_>) -> String {
    let oid = oid(BYTES);
    let pointer = format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {}\n",
        BYTES.len()
    );
    repository.write("models/digits/weights/w.bin", pointer);
    repository.commit("Keep weights in LFS");
    oid
}

/// A store's answer to the question for the weights, of which `object` is said besides.
fn batch(oid: &str, object: &serde_json::Value) -> Answer {
    let mut told = json!({"oid": oid, "size": BYTES.len(), "authenticated": true});
    for (name, value) in object.as_object().unwrap() {
        told[name] = value.clone();
    }
    let body = json!({"transfer": "basic", "objects": [told]});
    Answer::body(200, "application/vnd.git-lfs+json", body.to_string())
}

#[test]
fn what_a_pointer_stands_for_comes_from_the_store_and_is_held_against_it() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), Repository::new(&sandbox));
    let oid = point(&repository);
    let server = GitHttp::serve(&repository.served());
    let front = Front::before(&server.host());
    let href = format!("http://{}/bytes/{oid}", front.host());
    let action =
        json!({"actions": {"download": {"href": href, "header": {"X-Pass": "let-me-in"}}}});
    front.always(
        "POST",
        "/models.git/info/lfs/objects/batch",
        batch(&oid, &action),
    );
    let bytes = |bytes: &[u8]| Answer::body(200, "application/octet-stream", bytes);
    front.always("GET", "/bytes/", bytes(b"other bytes!!"));
    let word = format!("git:http://{}/models.git#main:models/digits", front.host());
    let import = || yard.import([&*word, "--name=scripts"]).run();
    import().exits(1).prints("and should be sha256:");
    front.always("GET", "/bytes/", bytes(BYTES));
    import().success().prints("imported  vision/digits:1.0.0");
    assert!(front.carried("x-pass").contains(&"let-me-in".to_owned()));
    let record = yard.show("import/scripts", &format!("{RECORD}/1.0.0.yaml"));
    assert!(record.contains("size: "), "{record}");
}

#[test]
fn a_store_that_has_it_not_or_lets_nobody_in_says_so() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), Repository::new(&sandbox));
    let oid = point(&repository);
    let server = GitHttp::serve(&repository.served());
    let front = Front::before(&server.host());
    let word = format!("git:http://{}/models.git#main:models/digits", front.host());
    let import = || yard.import([&*word, "--name=scripts"]).run();
    let gone = json!({"error": {"code": 404, "message": "Object does not exist"}});
    front.always("POST", "/info/lfs/", batch(&oid, &gone));
    import().exits(1).prints("Object does not exist");
    front.always("POST", "/info/lfs/", Answer::status(401));
    import().exits(2).says("doesn't let us read weights/w.bin");
    assert!(!yard.refs().contains("import/scripts"));
}

#[test]
fn a_clone_gives_what_git_lfs_has_fetched_into_it() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), Repository::new(&sandbox));
    let oid = point(&repository);
    let word = format!("git:{}#main:models/digits", repository.folder().display());
    let import = || yard.import([&*word, "--name=clone"]).run();
    import()
        .exits(1)
        .prints("weights/w.bin of")
        .prints("is a pointer of Git LFS");
    let store = format!("author/.git/lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4]);
    sandbox.write(store, BYTES);
    import().success().prints("imported  vision/digits:1.0.0");
    // Where nobody can be asked the way out is told.
    let address = format!(
        "git:file://{}/models.git#main:models/digits",
        repository.served().display()
    );
    yard.import([&*address, "--name=file"])
        .run()
        .exits(1)
        .prints("asked over HTTP only");
}
