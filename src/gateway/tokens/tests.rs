//! Tokens that are good, and those that are not.

use hyper::header::HeaderValue;
use secrecy::ExposeSecret;

use super::*;
use crate::record::Fault;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn showing(text: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(text).unwrap());
    headers
}

#[test]
fn a_token_is_shown_once_and_kept_as_a_hash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway/tokens.json");
    let made = create(
        &path,
        name("line-3"),
        Some(vec![name("digits")]),
        None,
        at(1),
    )
    .unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let (_, secret) = split(made.secret.expose_secret()).unwrap();
    assert!(!text.contains(secret), "{text}");
    assert!(!format!("{made:?}").contains(secret));
    assert_eq!(list(&path).unwrap(), [made.token]);
}

#[test]
fn what_is_shown_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let tokens = Arc::new(Tokens::read(&path).unwrap());
    let access = Access::Tokens(Arc::clone(&tokens));
    let create =
        |deployments, expires| create(&path, name("line-3"), deployments, expires, at(1)).unwrap();
    let digits = create(Some(vec![name("digits")]), Some(at(100)));
    let all = create(None, None);
    let gone = create(None, None);
    revoke(&path, &gone.token.id, at(2)).unwrap();
    assert_eq!(
        revoke(&path, &gone.token.id, at(9)).unwrap().revoked_at,
        Some(at(2))
    );
    tokens.renew();

    let told = |headers: &HeaderMap, now, deployment: &str| {
        let asker = access.admit(headers, now);
        match asker.and_then(|asker| asker.may_ask(&name(deployment))) {
            Ok(()) => "200".to_owned(),
            Err(refusal) => format!("{} {refusal}", refusal.status().as_u16()),
        }
    };
    let bearer = |token: &NewToken| showing(&format!("Bearer {}", token.secret.expose_secret()));
    let stolen = format!("Bearer {PREFIX}{}_{}", all.token.id, "A".repeat(43));
    let told = [
        told(&bearer(&digits), at(99), "digits"),
        told(&bearer(&digits), at(99), "defects"),
        told(&bearer(&digits), at(100), "digits"),
        told(&bearer(&all), at(99), "defects"),
        told(&bearer(&gone), at(99), "digits"),
        told(&showing(&stolen), at(99), "digits"),
        told(&showing("Bearer x"), at(99), "digits"),
        told(&showing("Basic eDp5"), at(99), "digits"),
        told(&HeaderMap::new(), at(99), "digits"),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    200
    403 the token of `line-3` is not for `defects`
    401 the token is expired
    200
    401 the token is revoked
    401 the token is not known here
    401 the token is not known here
    401 a token is needed
    401 a token is needed
    "#);
}

#[test]
fn a_file_that_is_no_good_is_not_written_over_and_what_was_known_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let made = create(&path, name("line-3"), None, None, at(1)).unwrap();
    let tokens = Tokens::read(&path).unwrap();
    std::fs::write(&path, "{\"tokens\": [").unwrap();
    let error = create(&path, name("line-4"), None, None, at(1)).unwrap_err();
    assert_eq!(error.code().id, "tokens-unusable");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"tokens\": [");
    tokens.renew();
    assert!(tokens.find(&made.token.id).is_some());
}

#[test]
fn two_who_make_tokens_at_once_both_get_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| create(&path, name("line-3"), None, None, at(1)).unwrap());
        }
    });
    assert_eq!(list(&path).unwrap().len(), 8);
}

#[test]
fn only_this_machine_asks_without_a_token_unless_it_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = Arc::new(Tokens::read(&folder.path().join("tokens.json")).unwrap());
    for (address, is_told_open, is_open) in [
        ("127.0.0.1:80", false, true),
        ("[::1]:80", false, true),
        ("0.0.0.0:80", false, false),
        ("192.0.2.1:80", false, false),
        ("192.0.2.1:80", true, true),
    ] {
        let access = Access::of(address.parse().unwrap(), is_told_open, Arc::clone(&tokens));
        assert_eq!(matches!(access, Access::Open), is_open, "{address}");
    }
}
