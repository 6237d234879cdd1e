//! `modelyard login` and `logout`, and the logins that others made.

use std::fs;

use crate::harness::{Answer, Front, Login, Sandbox};

fn login() -> Login {
    Login::new("tester", "correct horse")
}

/// A registry that wants the login of these tests; it takes no other.
fn registry() -> Front {
    let front = Front::alone();
    let wants = Answer::status(401).with_header("WWW-Authenticate", "Basic realm=\"test\"");
    front
        .always(
            "GET",
            "/v2/",
            Answer::body(200, "application/json", "{\"tags\":[\"x\"]}"),
        )
        .with_login(&login(), wants);
    front
}

fn config(sandbox: &Sandbox) -> serde_json::Value {
    let text = fs::read_to_string(sandbox.home().join(".docker/config.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn log_in(sandbox: &Sandbox, host: &str, password: &str) -> crate::harness::Run {
    let words = ["login", host, "--username=tester", "--password-stdin"];
    sandbox.modelyard(words).input(password)
}

#[test]
fn a_login_is_kept_as_docker_keeps_it_once_the_registry_took_it() {
    let (sandbox, registry) = (Sandbox::new(), registry());
    let host = registry.host();
    let other = r#"{"HttpHeaders":{"x":"y"},"auths":{"other.example.com":{"auth":"eDp5"}}}"#;
    sandbox.write_home(".docker/config.json", other);
    let tags = || sandbox.modelyard(["tags", &format!("{host}/a/b")]).run();
    tags()
        .exits(2)
        .says("error[store-unauthorized]")
        .says(&format!("modelyard login {host}"));

    log_in(&sandbox, &host, "wrong")
        .run()
        .exits(2)
        .says("error[store-unauthorized]");
    assert_eq!(
        fs::read_to_string(sandbox.home().join(".docker/config.json")).unwrap(),
        other
    );

    let kept = log_in(&sandbox, &host, "correct horse\n").run().success();
    kept.prints(&format!("logged in to {host}"))
        .prints(".docker/config.json");
    let kept = config(&sandbox);
    let auth = login().basic();
    assert_eq!(
        kept["auths"][&host]["auth"],
        auth.strip_prefix("Basic ").unwrap()
    );
    assert_eq!(kept["auths"]["other.example.com"]["auth"], "eDp5");
    assert_eq!(kept["HttpHeaders"]["x"], "y");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let found = fs::metadata(sandbox.home().join(".docker/config.json")).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(tags().success().line(), "x");

    let out = || sandbox.modelyard(["logout", &host]).run().success();
    out().prints(&format!("logged out of {host}"));
    assert!(config(&sandbox)["auths"].get(&host).is_none());
    assert_eq!(
        config(&sandbox)["auths"]["other.example.com"]["auth"],
        "eDp5"
    );
    out().says("there was no login");
    tags().exits(2);
}

#[test]
fn no_password_is_ever_shown() {
    let (sandbox, registry) = (Sandbox::new(), registry());
    let host = registry.host();
    for (password, verbose) in [("correct horse", "-vvv"), ("other horse", "-vvv")] {
        let words = [
            "login",
            &host,
            "--username=tester",
            "--password-stdin",
            verbose,
        ];
        let outcome = sandbox.modelyard(words).input(password).run();
        let shown = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(
            !shown.contains("horse") && !shown.contains("dGVzdGVyO"),
            "{shown}"
        );
    }
}

#[test]
fn what_is_no_login_is_refused_before_anybody_is_asked() {
    let (sandbox, registry) = (Sandbox::new(), registry());
    let host = registry.host();
    for (words, code) in [
        (vec!["login", "oci-layout:store"], "not-a-registry"),
        (vec!["login", "registry.example.com/a/b"], "not-a-registry"),
        (vec!["login", &host], "not-a-login"),
        (vec!["login", &host, "--username=me"], "not-a-login"),
        (
            vec!["login", &host, "--username=a:b", "--password-stdin"],
            "not-a-login",
        ),
        (
            vec!["login", &host, "--username=me", "--password-stdin"],
            "not-a-login",
        ),
    ] {
        sandbox
            .modelyard(words)
            .run()
            .exits(2)
            .says(&format!("error[{code}]"));
    }
    assert!(registry.requests().is_empty());
    assert!(!sandbox.home().join(".docker").exists());
}

#[test]
fn a_broken_config_is_told_and_left() {
    let (sandbox, registry) = (Sandbox::new(), registry());
    sandbox.write_home(".docker/config.json", "{\"auths\": s3cret");
    let reference = format!("{}/a/b", registry.host());
    let outcome = sandbox.modelyard(["tags", &reference]).run().exits(2);
    let outcome = outcome
        .says("error[docker-config]")
        .says("line 1, column 11");
    assert!(!outcome.stderr.contains("s3cret"));
    log_in(&sandbox, &registry.host(), "correct horse")
        .run()
        .exits(2);
    let left = fs::read_to_string(sandbox.home().join(".docker/config.json")).unwrap();
    assert_eq!(left, "{\"auths\": s3cret");
    // A registry that is open to everyone needs no logins, broken or not.
    let open = Front::alone();
    open.always(
        "GET",
        "/tags/",
        Answer::body(200, "application/json", "{\"tags\":[\"y\"]}"),
    );
    let reference = format!("{}/a/b", open.host());
    assert_eq!(
        sandbox
            .modelyard(["tags", &reference])
            .run()
            .success()
            .line(),
        "y"
    );
}

#[cfg(unix)]
mod helpers {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::harness::Outcome;

    /// A helper that keeps one login in a file, and notes what it was asked.
    const HELPER: &str = r#"#!/bin/sh
read -r line
echo "$1" >> "$HOME/asked"
case "$1" in
store) echo "$line" > "$HOME/vault" ;;
erase) rm -f "$HOME/vault" ;;
get)
  if [ -f "$HOME/vault" ]; then cat "$HOME/vault"
  else echo "credentials not found in native keychain"; exit 1
  fi ;;
esac
"#;

    struct Machine {
        sandbox: Sandbox,
        registry: Front,
    }

    impl Machine {
        fn with(helper: &str) -> Self {
            let (sandbox, registry) = (Sandbox::new(), registry());
            let path = sandbox.write("bin/docker-credential-vault", helper);
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
            let config = format!("{{\"credHelpers\":{{\"{}\":\"vault\"}}}}", registry.host());
            sandbox.write_home(".docker/config.json", config);
            Self { sandbox, registry }
        }

        fn run(&self, words: &[&str], input: &str) -> Outcome {
            let run = self.sandbox.modelyard(words).input(input);
            run.path_first(self.sandbox.path("bin")).run()
        }

        fn tags(&self) -> Outcome {
            self.run(&["tags", &format!("{}/a/b", self.registry.host())], "")
        }
    }

    #[test]
    fn a_helper_keeps_and_gives_and_forgets() {
        let machine = Machine::with(HELPER);
        let host = machine.registry.host();
        let words = ["login", &host, "--username=tester", "--password-stdin"];
        machine.tags().exits(2).says("wants a login");
        let kept = machine.run(&words, "correct horse").success();
        kept.prints("kept by docker-credential-vault");
        let vault = fs::read_to_string(machine.sandbox.home().join("vault")).unwrap();
        let vault: serde_json::Value = serde_json::from_str(&vault).unwrap();
        assert_eq!(
            (&vault["ServerURL"], &vault["Secret"]),
            (&host.clone().into(), &"correct horse".into())
        );
        let config = config(&machine.sandbox);
        assert_eq!(config["auths"][&host], serde_json::json!({}));
        machine.tags().success();
        machine.run(&["logout", &host], "").success();
        assert!(!machine.sandbox.home().join("vault").exists());
        machine.tags().exits(2);
    }

    #[test]
    fn a_helper_that_fails_is_named_and_nothing_is_guessed() {
        for (helper, said) in [
            (
                "#!/bin/sh\necho 'vault is locked'; exit 1\n",
                "failed: vault is locked",
            ),
            (
                "#!/bin/sh\necho 'hello'\n",
                "did not answer with a user name and a secret",
            ),
            ("#!/nowhere\n", "can't be run"),
        ] {
            let machine = Machine::with(helper);
            let outcome = machine.tags().exits(2);
            outcome
                .says("error[credential-helper]")
                .says("docker-credential-vault")
                .says(said);
        }
    }
}
