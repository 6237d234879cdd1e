//! The reconciler's edges in git: main as it is followed, and reverts.

mod following;
mod foreseen;
mod reverting;

use modelyard::record::{Digest, Name};
use modelyard::rollout::{Content, Release};
#[cfg(feature = "real-tools")]
pub(crate) use reverting::failure;

use crate::yard::story::Story;

pub(crate) const ENVIRONMENT: &str = "\
apiVersion: modelyard.dev/v1
kind: Environment
metadata: {name: host}
spec:
  target: {type: process}
";

/// A deployment of `vision/digits` by `version`.
pub(crate) fn deployment(name: &str, version: &str) -> String {
    format!(
        "\
apiVersion: modelyard.dev/v1
kind: Deployment
metadata: {{name: {name}, environment: host}}
spec:
  model: vision/digits
  version: {version}   # what serves
"
    )
}

/// A clone of a yard whose environment `host` has the deployment `digits` of `version`; `champion`
/// is 1.0.0.
fn deployed(version: &str) -> Story {
    let story = Story::cloned();
    let model = crate::yard::story::MODEL;
    story.write("environments/host.yaml", ENVIRONMENT);
    story.write(
        "deployments/host/digits.yaml",
        &deployment("digits", version),
    );
    story.write(
        "models/vision/digits/model.yaml",
        &format!("{model}  aliases:\n    champion: 1.0.0   # since May\n"),
    );
    story.git("config user.name Ada");
    story.git("config user.email ada@example.com");
    story.git("add -A");
    story.git("commit -q -m deploy");
    story.git("push -q origin main");
    story
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A version of `vision/digits`, with the digest that stories give it.
fn release(version: &str) -> Release {
    let digits = version.replace('.', "");
    let digest: Digest = format!("sha256:{digits:0>64}").parse().unwrap();
    Release {
        model: "vision/digits".parse().unwrap(),
        version: version.parse().unwrap(),
        digest,
    }
}

fn content(version: &str) -> Content {
    Content::Model(release(version))
}
