//! `modelyard token`.

use serde_json::Value;

use crate::harness::Sandbox;

#[test]
fn a_token_is_made_listed_and_revoked_and_shown_once() {
    let sandbox = Sandbox::new();
    let create = [
        "token",
        "create",
        "--for",
        "line-3",
        "--deployment",
        "digits",
    ];
    let made = sandbox.modelyard(create).run().success().stdout;
    let token = made.lines().find(|line| line.starts_with("modelyard_"));
    let id = token.unwrap().split('_').nth(1).unwrap();
    assert_eq!(made.matches(id).count(), 2, "{made}");

    let words = [
        "token",
        "create",
        "--for",
        "dashboard",
        "--all",
        "--expires-in",
        "90d",
    ];
    let json = [&words[..], &["--output", "json"]].concat();
    let json: Value =
        serde_json::from_str(&sandbox.modelyard(json).run().success().stdout).unwrap();
    assert!(
        json["token"]
            .as_str()
            .unwrap()
            .contains(json["id"].as_str().unwrap())
    );
    assert!(
        json["expiresAt"].is_string() && json.get("deployments").is_none(),
        "{json}"
    );

    let list = || sandbox.modelyard(["token", "list"]).run().success().stdout;
    let listed = list();
    assert!(!listed.contains("modelyard_"), "{listed}");
    let row = |listed: &str| {
        listed
            .lines()
            .find(|line| line.contains(id))
            .unwrap()
            .to_owned()
    };
    assert!(row(&listed).contains("line-3       digits"), "{listed}");
    assert!(row(&listed).ends_with("it is revoked"), "{listed}");
    let revoked = sandbox.modelyard(["token", "revoke", id]).run().success();
    assert_eq!(
        revoked.stdout,
        format!("token {id} of line-3 is good no more\n")
    );
    assert!(row(&list()).contains("revoked 20"), "{}", list());

    let unknown = sandbox.modelyard(["token", "revoke", "line-3"]).run();
    let told = unknown.exits(2).stderr;
    assert!(
        told.contains("tokens-unusable") && told.contains("modelyard token list"),
        "{told}"
    );
}
