//! Every call to GitHub, held against GitHub's own description of its API.
//!
//! prism stands between us and the fake, and refuses what the description doesn't allow: of what
//! we send, and of what the fake answers, whose answers are the description's own examples.

use modelyard::forge::{self, Address, Options, Token};
use modelyard::platform::clock::SystemClock;
use modelyard::record::kind::ForgeType;
use serde_json::Value;
use url::Url;

use super::RETRY;
use super::contract;
use super::fakes::Faked;
use crate::harness::forges::{Dialect, TOKEN};
use crate::harness::{prism, tools};

/// The places of the API that we may ask; a call to any other one fails.
const PLACES: [&str; 6] = [
    "pulls",
    "issues",
    "statuses",
    "commits",
    "deployments",
    "labels",
];

fn description() -> Value {
    let file = tools::path("github-api/api.github.com.json");
    let text = std::fs::read(file).unwrap();
    let mut description: Value = serde_json::from_slice(&text).unwrap();
    let paths = description["paths"].as_object_mut().unwrap();
    paths.retain(|path, _| {
        let rest = path.strip_prefix("/repos/{owner}/{repo}/");
        let first = rest.and_then(|rest| rest.split('/').next());
        path == "/user" || first.is_some_and(|first| PLACES.contains(&first))
    });
    assert!(paths.len() > 30);
    description
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_as_github_describes_it() {
    let description = description();
    let mut faked = Faked::start(Dialect::Github);
    faked.fake.state().examples = description["components"]["examples"].clone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("github.json");
    std::fs::write(&file, description.to_string()).unwrap();
    let prism = prism::Prism::proxy(&file, &faked.fake.host(), folder.path());

    let page = Url::parse("http://127.0.0.1/acme/yard").unwrap();
    let mut address = Address::new(ForgeType::Github, &page).unwrap();
    address.api = Url::parse(&format!("http://{}/", prism.host())).unwrap();
    let options = Options {
        retry: RETRY,
        clock: std::sync::Arc::new(SystemClock),
    };
    let token = Token::new("GH_TOKEN", TOKEN.into());
    faked.forge = forge::connect(address, token, &options).unwrap();
    contract::holds(&faked).await;

    // It does look: a call that no description has is refused.
    let bad = crate::harness::web::ask(
        &prism.host(),
        "POST",
        "/repos/acme/yard/pulls",
        &[("authorization", "Bearer x")],
        Some(&serde_json::json!({ "title": 7 })),
    );
    assert_eq!(bad.status, 422, "{}", bad.text());
}
