//! Forges that are away, slow, in a hurry, or none.

use std::error::Error as _;

use modelyard::forge::ForgeError;
use modelyard::record::kind::ForgeType;
use modelyard::record::{Class, Fault as _};

use super::{RETRY, connected, now};
use crate::harness::{Answer, Front};

const KINDS: [ForgeType; 3] = [ForgeType::Github, ForgeType::Gitlab, ForgeType::Gitea];

fn json(status: u16, body: &str) -> Answer {
    Answer::body(status, "application/json", body)
}

async fn failed(kind: ForgeType, front: &Front) -> ForgeError {
    let forge = connected(kind, &front.host(), "secret");
    forge.pull_request(1).await.unwrap_err()
}

#[tokio::test]
async fn a_forge_that_is_away_is_tried_again_and_told() {
    for kind in KINDS {
        let front = Front::alone();
        front.always("GET", "", Answer::status(502));
        let error = failed(kind, &front).await;
        assert_eq!(
            (error.code().id, error.class()),
            ("forge-away", Class::Transient)
        );
        assert_eq!(error.source().unwrap().to_string(), "HTTP 502");
        assert_eq!(front.count("GET", ""), RETRY.attempts as usize);

        // In the middle of an answer, too.
        let front = Front::alone();
        let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{".to_vec();
        front.always("GET", "", Answer::Raw(cut));
        assert_eq!(failed(kind, &front).await.code().id, "forge-away");

        let gone = front.host();
        drop(front);
        let forge = connected(kind, &gone, "secret");
        let error = forge.pull_request(1).await.unwrap_err();
        assert_eq!(error.code().id, "forge-away");
    }
}

#[tokio::test]
async fn a_short_limit_is_waited_for_and_a_long_one_told() {
    for kind in KINDS {
        let front = Front::alone();
        let hurry = json(429, r#"{"message":"slow down"}"#).with_header("Retry-After", "1");
        front.always("GET", "", Answer::status(404));
        front.times(1, "GET", "", hurry);
        let error = failed(kind, &front).await;
        assert_eq!(error.code().id, "forge-not-found");
        assert_eq!(front.count("GET", ""), 2);

        let front = Front::alone();
        let later = (now().as_second() + 900).to_string();
        let spent = json(403, r#"{"message":"API rate limit exceeded"}"#)
            .with_header("X-RateLimit-Remaining", "0")
            .with_header("X-RateLimit-Reset", &later);
        front.always("GET", "", spent);
        let error = failed(kind, &front).await;
        assert_eq!(error.code().id, "forge-asked-too-often");
        assert_eq!(error.class(), Class::Blocked);
        assert!(error.to_string().contains(" before 20"), "{error}");
        assert_eq!(front.count("GET", ""), 1);
    }
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let front = Front::alone();
    let refusal = json(
        403,
        r#"{"message":"Resource not accessible by integration"}"#,
    )
    .with_header("X-Accepted-GitHub-Permissions", "pull_requests=read");
    front.always("GET", "", refusal);
    let error = failed(ForgeType::Github, &front).await;
    let host = front.host();
    let told = format!(
        "{error}\n{}\n{}",
        error.source().unwrap(),
        error.help().unwrap()
    );
    insta::assert_snapshot!(told.replace(&host, "[host]"), @r"
    the token in TEST_TOKEN may not read a pull request at http://[host]/acme/yard
    Resource not accessible by integration
    the forge names `pull_requests=read`; give the token in TEST_TOKEN `contents: read` and `pull-requests: read` (a classic token: `repo`)
    ");
    assert_eq!(front.carried("authorization"), ["Bearer secret"]);
}

#[tokio::test]
async fn what_is_no_forge_is_told_so() {
    for (answer, reason) in [
        (Answer::html(), "expected value"),
        (json(200, "[1]"), "invalid"),
        (json(200, &" ".repeat(20 << 20)), "more than 16777216 bytes"),
        (
            Answer::status(302).with_header("Location", "http://127.0.0.2:9/"),
            "it redirects to another place",
        ),
    ] {
        let front = Front::alone();
        front.always("GET", "", answer);
        let error = failed(ForgeType::Gitea, &front).await;
        assert_eq!(error.code().id, "forge-answer", "{error}");
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(front.count("GET", ""), 1);
    }
}

#[tokio::test]
async fn a_token_is_not_sent_in_clear_and_never_shown() {
    let page = url::Url::parse("http://git.example.com/acme/yard").unwrap();
    let address = modelyard::forge::Address::new(ForgeType::Gitea, &page).unwrap();
    let token = modelyard::forge::Token::new("GITEA_TOKEN", "secret".into());
    let options = modelyard::forge::Options {
        retry: RETRY,
        clock: std::sync::Arc::new(modelyard::platform::clock::SystemClock),
    };
    let refused = modelyard::forge::connect(address, token, &options).unwrap_err();
    assert_eq!(refused.code().id, "forge-insecure");
    let front = Front::alone();
    front.always("GET", "", json(401, r#"{"message":"Bad credentials"}"#));
    let error = failed(ForgeType::Github, &front).await;
    assert_eq!(error.code().id, "forge-token-refused");
    assert!(!format!("{error:?}").contains("secret"));
}
