//! The story itself, scene by scene.

use super::stage::Stage;
use super::{sample, serving};
use crate::artifact::descriptor::digest_of;
use crate::record::Failure;

/// Where the records of the sample's versions lie in the yard.
const VERSIONS: &str = "yard/models/vision/digits/versions";

/// Plays all of it.
pub(super) fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    a_yard(stage)?;
    a_key(stage)?;
    a_version(stage)?;
    a_release(stage)?;
    a_pull(stage)?;
    a_better_version(stage)?;
    a_broken_record(stage)?;
    an_overwritten_version(stage)?;
    a_tampered_byte(stage)?;
    serving::play(stage)
}

fn a_yard(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene("A yard: a git repository that says which models there are");
    stage.tell("upstream.git stands for the forge, where pull requests live.");
    stage.run(
        "",
        "git init --quiet --bare --initial-branch main upstream.git",
    )?;
    stage.run("", "modelyard init yard --name demo")?;
    stage.run("yard", "git remote add origin ../upstream.git")?;
    stage.run("yard", "git push --quiet --set-upstream origin main")
}

fn a_key(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene("A key: whoever pulls a model learns who vouches for it");
    stage.tell(
        "The private half stays with you, sealed by a password (here from COSIGN_PASSWORD; at a\n\
         terminal you are asked). The public half goes into the yard by a branch, like any change.",
    );
    stage.run("yard", "modelyard keys generate")?;
    stage.tell(
        "Somebody reviews the branch, and merges it. That is the forge's part; here git does it.",
    );
    merge(stage, "keys/default")?;
    stage.prints(
        "yard",
        "git grep --no-color -n -A5 '^  trust:' -- modelyard.yaml",
        &["keys/default.pub"],
    )
}

fn a_version(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene("A version: files become a signed artifact, and a record on a branch");
    stage.tell(
        "digits/1.0.0 is what a data scientist hands over: a model, its card, its metrics. What the\n\
         files do not say of themselves comes from the records beside them.",
    );
    stage.run(
        "yard",
        "modelyard publish ../digits/1.0.0 --as vision/digits:1.0.0 \\\n    \
         --from ../digits/model.yaml --from ../digits/1.0.0.yaml",
    )?;
    stage.tell("What a reviewer need not look for, the check finds: bytes and signatures, too.");
    let branch = "publish/vision/digits/1.0.0";
    check(stage, branch)?;
    merge(stage, branch)?;
    stage.run("yard", "modelyard list")
}

fn a_release(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene("A release: one line changes, on a branch");
    stage.run(
        "yard",
        "modelyard promote vision/digits:1.0.0 --to released --alias champion",
    )?;
    let branch = "promote/vision/digits/1.0.0";
    stage.prints(
        "yard",
        &format!("git diff --no-color --unified=0 main {branch}"),
        &["+  lifecycle: released", "champion"],
    )?;
    stage.tell("On a forge, the pull request has these two as a comment, kept up to date:");
    check(stage, branch)?;
    plan(
        stage,
        branch,
        &["Merging this changes nothing that runs", "plan sha256:"],
    )?;
    merge(stage, branch)
}

fn a_pull(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene("A pull: fetched, verified, put in place");
    stage.run("yard", "modelyard pull vision/digits:champion ../champion")?;
    stage.holds_version("champion", "1.0.0")
}

fn a_better_version(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene("A better version, beside the first");
    stage.run(
        "yard",
        "modelyard publish ../digits/1.1.0 --as vision/digits --bump minor \\\n    \
         --from ../digits/1.1.0.yaml",
    )?;
    let branch = "publish/vision/digits/1.1.0";
    check(stage, branch)?;
    merge(stage, branch)
}

fn a_broken_record(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene("What is refused: a broken record");
    stage.tell("Somebody edits a record by hand, and mistypes a field.");
    let record = format!("{VERSIONS}/1.1.0.yaml");
    stage.edit(&record, "targetDevices:", "targetDevises:")?;
    stage.refuses("yard", "modelyard check --base main", 1, "unknown-field")?;
    stage.run("yard", "git restore models")
}

fn an_overwritten_version(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene("What is refused: a version that is overwritten");
    stage.tell("Other bytes, as a version that is there already:");
    stage.refuses(
        "yard",
        "modelyard publish ../digits/1.2.0 --as vision/digits:1.0.0",
        2,
        "version-taken",
    )?;
    stage.tell("And the same by hand: the digest of 1.1.0 in the record of 1.0.0.");
    let [old, new] = [digest(stage, "1.0.0")?, digest(stage, "1.1.0")?];
    stage.edit(&format!("{VERSIONS}/1.0.0.yaml"), &old, &new)?;
    stage.refuses("yard", "modelyard check --base main", 1, "digest-changed")?;
    stage.run("yard", "git restore models")
}

fn a_tampered_byte(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene("What is refused: a byte that was tampered with");
    stage.tell("One bit of the model file of 1.1.0 is turned over in the store.");
    let model = sample::version("1.1.0").find(|(path, _)| *path == "model.onnx");
    let bytes = model.map(|(_, bytes)| bytes).unwrap_or_default();
    let blob = format!(
        "yard/store/vision/digits/blobs/sha256/{}",
        digest_of(bytes).hex()
    );
    stage.tamper(&blob)?;
    stage.refuses(
        "yard",
        "modelyard pull vision/digits:1.1.0 ../challenger",
        2,
        "digest-mismatch",
    )?;
    stage.tell("Nothing of it was put in place. With the bit turned back, all is well again.");
    stage.is_empty("challenger")?;
    stage.tamper(&blob)?;
    stage.run("yard", "modelyard pull vision/digits:1.1.0 ../challenger")?;
    stage.holds_version("challenger", "1.1.0")
}

/// Checks `branch` as a pull request's pipeline does.
pub(super) fn check(stage: &mut Stage<'_>, branch: &str) -> Result<(), Failure> {
    stage.run(
        "yard",
        &format!("modelyard check --at {branch} --base main --evidence"),
    )
}

/// Tells what a merge of `branch` would do, as its reviewers read it; it has to say each of `texts`.
pub(super) fn plan(stage: &mut Stage<'_>, branch: &str, texts: &[&str]) -> Result<(), Failure> {
    let line = format!("modelyard plan --at {branch} --base main");
    stage.prints("yard", &line, texts)
}

/// Does what a forge does when somebody presses its button.
pub(super) fn merge(stage: &mut Stage<'_>, branch: &str) -> Result<(), Failure> {
    stage.run(
        "yard",
        &format!("git merge --quiet --no-ff --no-edit {branch}"),
    )?;
    stage.run("yard", "git push --quiet origin main")
}

/// The artifact's digest in the record of `version`.
fn digest(stage: &Stage<'_>, version: &str) -> Result<String, Failure> {
    let record = stage.text(&format!("{VERSIONS}/{version}.yaml"))?;
    let artifact = record
        .split_once("artifact:")
        .map_or("", |(_, behind)| behind);
    let digest = artifact
        .find("sha256:")
        .map_or("", |start| &artifact[start..]);
    let end = digest.find(|c: char| !c.is_ascii_alphanumeric() && c != ':');
    Ok(digest[..end.unwrap_or(digest.len())].to_owned())
}
