//! What a forge tells by itself: that something was pushed to main, or merged into it.
//!
//! | forge | how it signs | how it names what happened |
//! | --- | --- | --- |
//! | GitHub | `X-Hub-Signature-256: sha256=…`, HMAC-SHA256 of the body in hexadecimal digits | `X-GitHub-Event` |
//! | Gitea, Forgejo | `X-Gitea-Signature`, `X-Forgejo-Signature`, the same without `sha256=` | `X-Gitea-Event`, `X-Forgejo-Event` |
//! | GitLab | `X-Gitlab-Token`, the secret itself | `X-Gitlab-Event` |
//!
//! Nothing that is told so is believed: it only says that main is worth a look. What was told
//! before may be told again without harm.

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::codes;
use crate::record::{Code, Fault};

/// The longest message; GitHub's and Gitea's about a push have a few hundred commits at most, and
/// polling finds what is behind a longer one.
pub const MAX_BYTES: usize = 5 * 1024 * 1024;

/// The shortest secret: what is shorter can be guessed.
const MIN_SECRET_BYTES: usize = 16;

/// Where signatures stand, and what is before the digits.
const SIGNATURES: [(&str, &str); 4] = [
    ("x-forgejo-signature", ""),
    ("x-gitea-signature", ""),
    ("x-hub-signature-256", "sha256="),
    ("x-gogs-signature", ""),
];

/// Where the secret itself stands.
const TOKEN: &str = "x-gitlab-token";

/// Where it stands what happened.
const EVENTS: [&str; 4] = [
    "x-forgejo-event",
    "x-gitea-event",
    "x-github-event",
    "x-gitlab-event",
];

/// Hears what a forge tells of one yard.
#[derive(Debug)]
pub struct Hook {
    secret: SecretString,
    /// The repository's path on the forge.
    project: String,
    main: String,
}

/// What was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Main has something new.
    Main,
    /// Something else.
    Other,
    /// It isn't signed, or by somebody else.
    Unsigned,
    /// It can't be read.
    Nonsense,
}

/// Why there can be no hook.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// The secret can be guessed.
    #[error("the secret of the webhook has fewer than {MIN_SECRET_BYTES} bytes")]
    ShortSecret,
}

impl Fault for HookError {
    fn code(&self) -> &'static Code {
        &codes::FORGE_HOOK_SECRET
    }

    fn help(&self) -> Option<String> {
        Some("make one, say by `openssl rand -hex 32`, and give it to the forge as well".to_owned())
    }
}

/// What is read of a message: GitHub's, Gitea's and GitLab's have these in the same places, or one
/// of two.
#[derive(Debug, Deserialize)]
struct Message {
    #[serde(rename = "ref")]
    reference: Option<Value>,
    repository: Option<Repository>,
    project: Option<Project>,
    action: Option<String>,
    pull_request: Option<PullRequest>,
    object_attributes: Option<MergeRequest>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    full_name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Project {
    path_with_namespace: Option<String>,
}

#[derive(Debug, Deserialize)]
struct PullRequest {
    merged: Option<bool>,
    base: Option<Side>,
}

#[derive(Debug, Deserialize)]
struct Side {
    #[serde(rename = "ref")]
    reference: String,
}

#[derive(Debug, Deserialize)]
struct MergeRequest {
    action: Option<String>,
    target_branch: Option<String>,
}

impl Hook {
    /// Hears who knows `secret`, of the branch `main` of `project`, its path on the forge.
    ///
    /// # Errors
    /// [`HookError::ShortSecret`].
    pub fn new(secret: &SecretString, project: &str, main: &str) -> Result<Self, HookError> {
        let secret = secret.expose_secret().trim();
        if secret.len() < MIN_SECRET_BYTES {
            return Err(HookError::ShortSecret);
        }
        Ok(Self {
            secret: secret.into(),
            project: project
                .trim_matches('/')
                .trim_end_matches(".git")
                .to_owned(),
            main: main.to_owned(),
        })
    }

    /// What a message says.
    pub fn hear(&self, headers: &HeaderMap, body: &[u8]) -> Told {
        if !self.is_signed(headers, body) {
            return Told::Unsigned;
        }
        let event = EVENTS.iter().find_map(|name| text(headers, name));
        let Some(event) = event else {
            return Told::Other;
        };
        match event {
            "push" | "Push Hook" | "pull_request" | "Merge Request Hook" => {}
            // A tag, a comment, a ping, or what they think of later.
            _ => return Told::Other,
        }
        let Some(message) = message(headers, body) else {
            return Told::Nonsense;
        };
        if self.is_of_ours(&message) && self.is_of_main(&message) {
            Told::Main
        } else {
            Told::Other
        }
    }

    /// Whether whoever wrote it knows the secret; how long that takes tells nothing of it.
    fn is_signed(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let secret = self.secret.expose_secret().as_bytes();
        let keyed = || Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length is one");
        for (name, before) in SIGNATURES {
            if let Some(signature) = text(headers, name) {
                let digits = signature.strip_prefix(before);
                let Some(signature) = digits.and_then(bytes) else {
                    return false;
                };
                return keyed().chain_update(body).verify_slice(&signature).is_ok();
            }
        }
        let Some(token) = text(headers, TOKEN) else {
            return false;
        };
        // Their digests are compared, so that not even its length shows.
        let mac = keyed().chain_update(Sha256::digest(token));
        let ours = keyed().chain_update(Sha256::digest(secret)).finalize();
        mac.verify(&ours.into_bytes()).is_ok()
    }

    fn is_of_ours(&self, message: &Message) -> bool {
        let repository = message.repository.as_ref();
        let github = repository.and_then(|repository| repository.full_name.as_deref());
        let project = message.project.as_ref();
        let gitlab = project.and_then(|project| project.path_with_namespace.as_deref());
        let named = gitlab.or(github);
        named.is_some_and(|named| named.eq_ignore_ascii_case(&self.project))
    }

    fn is_of_main(&self, message: &Message) -> bool {
        if let Some(pull) = &message.pull_request {
            let base = pull.base.as_ref().map(|base| &*base.reference);
            let closed = message.action.as_deref() == Some("closed");
            return closed && pull.merged == Some(true) && base == Some(&self.main);
        }
        if let Some(merge) = &message.object_attributes {
            let merged = merge.action.as_deref() == Some("merge");
            return merged && merge.target_branch.as_ref() == Some(&self.main);
        }
        let reference = message.reference.as_ref().and_then(Value::as_str);
        reference.and_then(|name| name.strip_prefix("refs/heads/")) == Some(&self.main)
    }
}

/// A message; GitHub may send it as a field of a form.
fn message(headers: &HeaderMap, body: &[u8]) -> Option<Message> {
    let is_form = text(headers, CONTENT_TYPE.as_str())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !is_form {
        return serde_json::from_slice(body).ok();
    }
    let mut fields = url::form_urlencoded::parse(body);
    let payload = fields.find(|(name, _)| name == "payload")?.1;
    serde_json::from_str(&payload).ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// The bytes that hexadecimal digits stand for.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || digits.len() != 2 * Sha256::output_size() {
        return None;
    }
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    //! What each forge sends, and what somebody else would.

    use super::*;

    const SECRET: &str = "It's a Secret to Everybody";

    fn hook() -> Hook {
        Hook::new(&SECRET.into(), "acme/yard", "main").unwrap()
    }

    fn hear(headers: &[(&'static str, &str)], body: &str) -> Told {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.insert(*name, value.parse().unwrap());
        }
        hook().hear(&all, body.as_bytes())
    }

    fn signature(body: &str) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        let mac = mac.chain_update(body).finalize().into_bytes();
        mac.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn signed(event: &str, body: &str) -> Told {
        let signature = format!("sha256={}", signature(body));
        hear(
            &[
                ("x-hub-signature-256", &signature),
                ("x-github-event", event),
            ],
            body,
        )
    }

    const PUSH: &str = r#"{"ref":"refs/heads/main","repository":{"full_name":"Acme/yard"}}"#;

    #[test]
    fn the_signature_is_githubs() {
        // From GitHub's documentation of webhooks.
        let known = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(signature("Hello, World!"), known);
    }

    #[test]
    fn each_forge_is_heard() {
        assert_eq!(signed("push", PUSH), Told::Main);
        let digits = signature(PUSH);
        for (name, event) in [
            ("x-gitea-signature", "x-gitea-event"),
            ("x-forgejo-signature", "x-forgejo-event"),
        ] {
            assert_eq!(hear(&[(name, &digits), (event, "push")], PUSH), Told::Main);
        }
        let merged = r#"{"action":"closed","repository":{"full_name":"acme/yard"},
            "pull_request":{"merged":true,"base":{"ref":"main"}}}"#;
        assert_eq!(signed("pull_request", merged), Told::Main);
        let gitlab = |event: &str, body: &str| {
            hear(
                &[("x-gitlab-token", SECRET), ("x-gitlab-event", event)],
                body,
            )
        };
        let push = r#"{"ref":"refs/heads/main","repository":{"name":"Yard"},
            "project":{"path_with_namespace":"acme/yard"}}"#;
        assert_eq!(gitlab("Push Hook", push), Told::Main);
        let merged = r#"{"project":{"path_with_namespace":"acme/yard"},
            "object_attributes":{"action":"merge","target_branch":"main"}}"#;
        assert_eq!(gitlab("Merge Request Hook", merged), Told::Main);
        let form: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("payload", PUSH)
            .finish();
        let signature = signature(&form);
        let headers = [
            ("x-gitea-signature", &*signature),
            ("x-gitea-event", "push"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        assert_eq!(hear(&headers, &form), Told::Main);
    }

    #[test]
    fn nobody_else_is() {
        let digits = signature(PUSH);
        let other = digits.replace(['0', '1'], "2");
        for headers in [
            &[][..],
            &[("x-hub-signature-256", &*digits)],
            &[("x-hub-signature-256", "sha256=")],
            &[("x-gitea-signature", &other)],
            &[("x-gitea-signature", "zz")],
            &[("x-gitea-signature", &format!("sha256={digits}"))],
            &[("x-gitlab-token", "It's a Secret to Everybod")],
            &[("x-gitlab-token", "")],
            // A wrong signature is not made good by anything beside it.
            &[("x-gitea-signature", &other), ("x-gitlab-token", SECRET)],
        ] {
            let mut headers = headers.to_vec();
            headers.push(("x-gitea-event", "push"));
            assert_eq!(hear(&headers, PUSH), Told::Unsigned, "{headers:?}");
        }
        assert_eq!(
            hear(
                &[("x-gitea-signature", &digits), ("x-gitea-event", "push")],
                "{}"
            ),
            Told::Unsigned
        );
    }

    #[test]
    fn only_main_of_this_yard_is_worth_a_look() {
        for (event, body) in [
            ("ping", r#"{"zen":"Keep it logically awesome."}"#),
            ("issues", PUSH),
            ("something_new", "no json"),
            (
                "push",
                r#"{"ref":"refs/heads/main","repository":{"full_name":"acme/other"}}"#,
            ),
            (
                "push",
                r#"{"ref":"refs/heads/other","repository":{"full_name":"acme/yard"}}"#,
            ),
            (
                "push",
                r#"{"ref":"refs/tags/main","repository":{"full_name":"acme/yard"}}"#,
            ),
            (
                "push",
                r#"{"ref":7,"repository":{"full_name":"acme/yard"}}"#,
            ),
            ("push", "{}"),
            (
                "pull_request",
                r#"{"action":"closed","repository":{"full_name":"acme/yard"},
                    "pull_request":{"merged":false,"base":{"ref":"main"}}}"#,
            ),
            (
                "pull_request",
                r#"{"action":"opened","repository":{"full_name":"acme/yard"},
                    "pull_request":{"merged":true,"base":{"ref":"main"}}}"#,
            ),
        ] {
            assert_eq!(signed(event, body), Told::Other, "{event} {body}");
        }
        assert_eq!(signed("push", "no json"), Told::Nonsense);
        let short = Hook::new(&"short".into(), "acme/yard", "main").unwrap_err();
        assert_eq!(short.code().id, "forge-hook-secret");
        assert!(!format!("{:?}", hook()).contains("Everybody"));
    }
}
