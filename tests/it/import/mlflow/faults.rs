//! Servers that fail, lie, or are no MLflow.

use std::path::Path;

use modelyard::import::{ImportError, Place, Source};
use modelyard::record::{Class, Fault};
use serde_json::{Value, json};

use super::{fetched, list, open, open_place, server};
use crate::harness::{Answer, Front, Sandbox};

/// A server with one version, `models:/a%2Fb ☃/7`, of two files.
struct Fake {
    front: Front,
}

const NAME: &str = "a/b ☃";

impl Fake {
    fn new() -> Self {
        let fake = Self {
            front: Front::alone(),
        };
        let version = json!({
            "name": NAME, "version": "7", "creation_timestamp": "1700000000000", "status": "READY",
            "source": "mlflow-artifacts:/0/r/artifacts/my model", "run_id": "r",
        });
        fake.says(
            "registered-models/search",
            &json!({"registered_models": [{"name": NAME}]}),
        );
        // Servers that know no prompts.
        fake.says("registered-models/search?filter", &json!({}));
        fake.says(
            "model-versions/search",
            &json!({"model_versions": [version]}),
        );
        fake.says("model-versions/get?", &json!({"model_version": version}));
        fake.says(
            "get-download-uri",
            &json!({"artifact_uri": version["source"]}),
        );
        fake.has(
            "0%2Fr%2Fartifacts",
            &json!([{"path": "my model", "is_dir": true}]),
        );
        fake.has(
            "0%2Fr%2Fartifacts%2Fmy+model",
            &json!([
                {"path": "a b ü#.txt", "is_dir": false, "file_size": "5"},
                {"path": "in", "is_dir": true},
            ]),
        );
        fake.has(
            "0%2Fr%2Fartifacts%2Fmy+model%2Fin",
            &json!([{"path": "empty", "is_dir": false, "file_size": 0}]),
        );
        fake.sends("my%20model/a%20b%20%C3%BC%23.txt", b"hello");
        fake.sends("my%20model/in/empty", b"");
        fake
    }

    fn says(&self, part: &str, answer: &Value) {
        let answer = Answer::body(200, "application/json", answer.to_string());
        self.front.always("GET", part, answer);
    }

    /// What is in the folder whose query ends so.
    fn has(&self, folder: &str, files: &Value) {
        self.says(
            &format!("mlflow-artifacts/artifacts?path={folder}"),
            &json!({"files": files}),
        );
    }

    fn sends(&self, file: &str, bytes: &[u8]) {
        let answer = Answer::body(200, "application/octet-stream", bytes);
        self.front.always(
            "GET",
            &format!("mlflow-artifacts/artifacts/0/r/artifacts/{file}"),
            answer,
        );
    }

    fn source(&self) -> std::sync::Arc<dyn Source> {
        server(&self.front.host())
    }

    /// What becomes of its version.
    async fn import(&self) -> Result<Vec<(String, String)>, ImportError> {
        let sandbox = Sandbox::new();
        import_from(&*self.source(), &sandbox).await
    }
}

/// The files that come of the first version of a source.
async fn import_from(
    source: &dyn Source,
    sandbox: &Sandbox,
) -> Result<Vec<(String, String)>, ImportError> {
    let listing = list(source).await?;
    let listed = &listing.versions[0];
    let candidate = source.candidate(listed).await?;
    let folder = fetched(source, listed, &candidate, &sandbox.path("")).await?;
    let mut files: Vec<_> = walkdir::WalkDir::new(&folder)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.strip_prefix(&folder).unwrap().display().to_string();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    Ok(files)
}

fn hello() -> Vec<(String, String)> {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    vec![file("a b ü#.txt", "hello"), file("in/empty", "")]
}

#[tokio::test]
async fn names_with_slashes_spaces_and_signs_are_asked_for_as_they_are() {
    let fake = Fake::new();
    let listing = list(&*fake.source()).await.unwrap();
    assert_eq!(listing.versions[0].reference, "models:/a/b ☃/7");
    assert_eq!(fake.import().await.unwrap(), hello());
    let name = "name=a%2Fb+%E2%98%83&version=7";
    assert_eq!(
        fake.front.count("GET", name),
        2,
        "{:?}",
        fake.front.requests()
    );
    // The run is gone, and that is said.
    let candidate = fake.source().candidate(&listing.versions[0]).await.unwrap();
    assert_eq!(candidate.version["lineage"]["run"]["id"], "r");
    assert_eq!(candidate.remarks[0], "the run r is no longer there");
}

#[tokio::test]
async fn what_a_server_answers_in_place_of_an_answer_is_told_by_its_code() {
    let json = |status, body: &str| Answer::body(status, "application/json", body);
    for (answer, code, class, words) in [
        (
            Answer::html(),
            "source-malformed",
            Class::Permanent,
            "a page for people",
        ),
        (
            json(200, "[]"),
            "source-malformed",
            Class::Permanent,
            "not understood",
        ),
        (
            json(200, r#"{"registered_models": 5}"#),
            "source-malformed",
            Class::Permanent,
            "`registered_models` is no list",
        ),
        (
            Answer::status(401),
            "source-unauthorized",
            Class::Permanent,
            "doesn't let us list its models",
        ),
        (
            json(
                403,
                r#"{"error_code": "PERMISSION_DENIED", "message": "not for you"}"#,
            ),
            "source-unauthorized",
            Class::Permanent,
            "not for you",
        ),
        (
            json(
                400,
                r#"{"error_code": "INVALID_PARAMETER_VALUE", "message": "no such order"}"#,
            ),
            "source-refused",
            Class::Permanent,
            "400: no such order",
        ),
        (
            Answer::status(429),
            "source-away",
            Class::Transient,
            "can't be reached",
        ),
        (
            json(500, r#"{"message": "disk full"}"#),
            "source-away",
            Class::Transient,
            "disk full",
        ),
        (
            Answer::Nothing,
            "source-away",
            Class::Transient,
            "can't be reached",
        ),
    ] {
        let fake = Fake::new();
        fake.front.always("GET", "registered-models/search", answer);
        let error = list(&*fake.source()).await.unwrap_err();
        assert_eq!((error.code().id, error.class()), (code, class), "{error}");
        assert!(error.to_string().contains(words), "{error}");
        let asked = if class == Class::Transient { 4 } else { 1 };
        assert_eq!(
            fake.front.count("GET", "registered-models/search"),
            asked,
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_server_that_wants_us_to_wait_is_waited_for() {
    let fake = Fake::new();
    let busy = Answer::status(429).with_header("Retry-After", "1");
    fake.front.times(2, "GET", "model-versions/search", busy);
    fake.front
        .times(1, "GET", "get-download-uri", Answer::status(503));
    fake.front.times(
        1,
        "GET",
        "artifacts/0/r/artifacts/my%20model/a",
        Answer::Nothing,
    );
    assert_eq!(fake.import().await.unwrap(), hello());
}

#[tokio::test]
async fn a_file_that_is_cut_off_comes_whole_and_a_server_that_is_gone_is_told() {
    let fake = Fake::new();
    let front = Front::before(&fake.front.host());
    front.times(2, "GET", "my%20model/a%20b", Answer::CutAfter(2));
    let sandbox = Sandbox::new();
    let files = import_from(&*server(&front.host()), &sandbox)
        .await
        .unwrap();
    assert_eq!(files, hello());

    let sandbox = Sandbox::new();
    front.always("GET", "my%20model/a%20b", Answer::Nothing);
    let source = server(&front.host());
    let error = import_from(&*source, &sandbox).await.unwrap_err();
    assert_eq!(error.code().id, "source-away", "{error}");
    assert!(error.to_string().contains("to read a b ü#.txt"), "{error}");
    // It goes on where it was, and asks for nothing again that it has.
    front.is_faithful();
    front.forget();
    assert_eq!(import_from(&*source, &sandbox).await.unwrap(), hello());
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_read_is_read_anew() {
    let name = "my%20model/a%20b%20%C3%BC%23.txt";
    let path = format!("mlflow-artifacts/artifacts/0/r/artifacts/{name}");
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"one\"\r\n\r\nhe";
    let rest = |state: &str, bytes: &str| {
        let part = Answer::body(206, "application/octet-stream", bytes);
        let part = part.with_header("Content-Range", "bytes 2-4/5");
        part.with_header("ETag", state)
    };
    for (state, bytes, whole) in [
        ("\"one\"", "llo", "hello"),
        // One that heeds no `If-Range`, and sends the end of another file.
        ("\"two\"", "LLO", "HELLO"),
    ] {
        let fake = Fake::new();
        fake.sends(name, b"HELLO");
        fake.front.times(1, "GET", &path, rest(state, bytes));
        fake.front
            .times(1, "GET", &path, Answer::Raw(cut.as_bytes().to_owned()));
        let files = fake.import().await.unwrap();
        assert_eq!(files[0].1, whole);
        assert_eq!(fake.front.carried("if-range"), ["\"one\""]);
    }
}

#[tokio::test]
async fn a_file_that_is_not_what_was_listed_is_refused() {
    for body in [&b"hell"[..], b"hello!", b"<html>log in</html>"] {
        let fake = Fake::new();
        fake.sends("my%20model/a%20b%20%C3%BC%23.txt", body);
        let error = fake.import().await.unwrap_err();
        assert_eq!(error.code().id, "source-file-changed", "{error}");
        let words = format!("5 bytes were listed, {} are sent", body.len());
        assert!(error.to_string().contains(&words), "{error}");
    }
    let fake = Fake::new();
    fake.front
        .always("GET", "my%20model/in/empty", Answer::status(404));
    let error = fake.import().await.unwrap_err();
    assert_eq!(error.code().id, "source-lacks", "{error}");
}

#[tokio::test]
async fn lists_that_never_end_are_ended() {
    let fake = Fake::new();
    fake.says(
        "model-versions/search",
        &json!({
            "model_versions": [{"name": NAME, "version": "7"}], "next_page_token": "again",
        }),
    );
    let error = list(&*fake.source()).await.unwrap_err();
    assert!(error.to_string().contains("its pages never end"), "{error}");
    assert_eq!(fake.front.count("GET", "model-versions/search"), 2);

    // A folder in a folder in a folder, and so on.
    let fake = Fake::new();
    fake.has("", &json!([{"path": "in", "is_dir": true}]));
    let error = fake.import().await.unwrap_err();
    assert_eq!(error.code().id, "source-too-large", "{error}");
}

#[tokio::test]
async fn a_listing_that_leads_elsewhere_is_refused() {
    for name in ["..", "x/..", "."] {
        let fake = Fake::new();
        fake.has(
            "0%2Fr%2Fartifacts%2Fmy+model",
            &json!([{"path": name, "is_dir": false}]),
        );
        let error = fake.import().await.unwrap_err();
        assert_eq!(error.code().id, "source-malformed", "{error}");
    }
}

#[tokio::test]
async fn what_is_gone_or_has_no_files_is_told() {
    let fake = Fake::new();
    fake.front
        .always("GET", "model-versions/get?", Answer::status(404));
    let error = fake.import().await.unwrap_err();
    assert_eq!(error.code().id, "source-lacks", "{error}");
    assert!(
        error.to_string().contains("has no models:/a/b ☃/7"),
        "{error}"
    );

    let fake = Fake::new();
    fake.has("0%2Fr%2Fartifacts%2Fmy+model", &json!([]));
    let error = fake.import().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("has no files of models:/a/b ☃/7"),
        "{error}"
    );

    // Of a folder that isn't there a store lists nothing, either.
    let fake = Fake::new();
    fake.has("0%2Fr%2Fartifacts", &json!([]));
    fake.has("0%2Fr%2Fartifacts%2Fmy+model", &json!([]));
    let error = fake.import().await.unwrap_err();
    assert_eq!(error.code().id, "source-lacks", "{error}");

    // A store that neither we nor the server can list.
    let fake = Fake::new();
    fake.says(
        "get-download-uri",
        &json!({"artifact_uri": "gs://bucket/x"}),
    );
    let error = fake.import().await.unwrap_err();
    assert_eq!(error.code().id, "source-lacks", "{error}");
    assert!(error.to_string().contains("at gs://bucket/x"), "{error}");
}

#[tokio::test]
async fn a_single_file_is_found_whatever_a_store_lists_of_it() {
    let itself = json!([{"path": "my model", "is_dir": false, "file_size": 5}]);
    for listed in [json!([]), itself.clone()] {
        let fake = Fake::new();
        fake.has("0%2Fr%2Fartifacts", &itself);
        fake.has("0%2Fr%2Fartifacts%2Fmy+model", &listed);
        fake.sends("my%20model", b"hello");
        let files = fake.import().await.unwrap();
        assert_eq!(files, [("my model".to_owned(), "hello".to_owned())]);
    }
}

#[tokio::test]
async fn what_mlmodel_says_wrongly_is_a_remark_and_holds_up_nothing() {
    let fake = Fake::new();
    fake.has(
        "0%2Fr%2Fartifacts%2Fmy+model",
        &json!([{"path": "MLmodel", "is_dir": false}]),
    );
    fake.sends("my%20model/MLmodel", b"no: [flavors");
    let listing = list(&*fake.source()).await.unwrap();
    let candidate = fake.source().candidate(&listing.versions[0]).await.unwrap();
    let told = candidate
        .remarks
        .iter()
        .any(|remark| remark.contains("MLmodel of http://"));
    assert!(told, "{:?}", candidate.remarks);
}

#[test]
fn a_password_in_a_url_is_refused_and_never_shown() {
    let error = open("mlflow:http://me:secret@127.0.0.1:1", Path::new("/"), &[]).unwrap_err();
    assert!(
        !format!("{error} {error:?}").contains("secret"),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("MLFLOW_TRACKING_PASSWORD"),
        "{error}"
    );
}

#[tokio::test]
async fn a_token_comes_from_the_variable_that_the_yard_names() {
    let fake = Fake::new();
    let mut place: Place = format!("mlflow:http://{}", fake.front.host())
        .parse()
        .unwrap();
    place.token = Some("LAB_TOKEN".to_owned());
    let error = open_place(&place, Path::new("/"), &[]).unwrap_err();
    assert_eq!(error.code().id, "source-unauthorized");
    assert!(error.to_string().contains("LAB_TOKEN"), "{error}");

    let variables = [
        ("LAB_TOKEN", "for the lab"),
        ("MLFLOW_TRACKING_TOKEN", "another"),
    ];
    let source = open_place(&place, Path::new("/"), &variables).unwrap();
    list(&*source).await.unwrap();
    let carried = fake.front.carried("authorization");
    assert!(
        carried.iter().all(|value| value == "Bearer for the lab"),
        "{carried:?}"
    );
    assert!(!carried.is_empty());
}
