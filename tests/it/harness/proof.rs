//! The harness itself: a registry that lets everyone in would make every login test pass.

use super::registry::{Distribution, Referrers, TokenServer, Tokens};
use super::{Answer, Front, GitHttp, Login, Outcome, Sandbox, killed_at_every_write};

fn login() -> Login {
    Login::new("tester", "correct horse")
}

fn crane(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    sandbox.tool("crane", arguments).run()
}

/// Pushes an image of one file to `host`.
fn push(sandbox: &Sandbox, host: &str) -> Outcome {
    let archive = sandbox.write("layer.tar", [0; 1024]);
    let image = format!("{host}/vision/digits:1.0.0");
    crane(
        sandbox,
        &[
            "append",
            "-f",
            &archive.to_string_lossy(),
            "-t",
            &image,
            "--insecure",
        ],
    )
}

fn log_in(sandbox: &Sandbox, host: &str) {
    let Login { user, password } = login();
    crane(
        sandbox,
        &["auth", "login", host, "-u", &user, "-p", &password],
    )
    .success();
}

#[test]
fn an_open_registry_takes_a_push() {
    let (sandbox, registry) = (Sandbox::new(), Distribution::start());
    push(&sandbox, &registry.host()).success();
    let tags = crane(
        &sandbox,
        &["ls", &format!("{}/vision/digits", registry.host())],
    );
    assert_eq!(tags.success().line(), "1.0.0");
}

#[test]
fn basic_authentication_refuses_who_has_no_login() {
    let sandbox = Sandbox::new();
    let distribution = Distribution::builder().basic(&login()).start();
    let referrers = Referrers::basic(&login());
    for host in [distribution.host(), referrers.host()] {
        push(&sandbox, &host).exits(1);
        log_in(&sandbox, &host);
        push(&sandbox, &host).success();
    }
}

#[test]
fn bearer_tokens_are_asked_for_and_refused() {
    let sandbox = Sandbox::new();
    let registry = Distribution::builder()
        .bearer(Tokens::to(&login()).dead_on_arrival(1))
        .start();
    push(&sandbox, &registry.host())
        .exits(1)
        .says("UNAUTHORIZED");
    log_in(&sandbox, &registry.host());
    push(&sandbox, &registry.host()).success();
    // The first had run out, so another was asked for.
    assert_eq!(registry.tokens().map(TokenServer::given), Some(2));
}

#[test]
fn anonymous_tokens_pull_and_do_not_push() {
    let (sandbox, stranger) = (Sandbox::new(), Sandbox::new());
    let registry = Distribution::builder()
        .bearer(Tokens::to(&login()).anonymous_pull())
        .start();
    log_in(&sandbox, &registry.host());
    push(&sandbox, &registry.host()).success();
    let copy = format!("{}/stranger/digits:1.0.0", registry.host());
    let image = format!("{}/vision/digits:1.0.0", registry.host());
    crane(&stranger, &["copy", &image, &copy]).exits(1);
    crane(
        &stranger,
        &[
            "digest",
            &format!("{}/vision/digits:1.0.0", registry.host()),
        ],
    )
    .success();
}

#[test]
fn a_front_counts_and_misbehaves() {
    let (sandbox, registry) = (Sandbox::new(), Referrers::start());
    let front = Front::before(&registry.host());
    push(&sandbox, &front.host()).success();
    assert_eq!(front.count("PUT", "/manifests/1.0.0"), 1);
    let image = format!("{}/vision/digits:1.0.0", front.host());
    front.always("GET", "/blobs/", Answer::Tampered);
    crane(&sandbox, &["validate", "--remote", &image]).exits(1);
    front.always("GET", "/manifests/", Answer::status(404));
    crane(&sandbox, &["manifest", &image]).exits(1);
}

#[test]
fn a_bare_repository_is_cloned_and_pushed_to_over_http() {
    let sandbox = Sandbox::new();
    sandbox
        .git(["init", "--quiet", "--bare", "served/yard.git"])
        .run()
        .success();
    let served = sandbox.path("served");
    let (open, guarded) = (GitHttp::serve(&served), GitHttp::behind(&served, &login()));
    sandbox
        .git(["clone", "--quiet", &open.url("yard.git"), "clone"])
        .run()
        .success();
    // Larger than http.postBuffer, so that git sends it in chunks.
    sandbox.write("clone/noise", noise(2 << 20));
    for line in [
        "add noise",
        "commit --quiet -m noise",
        "push --quiet origin HEAD:main",
    ] {
        sandbox
            .git(line.split(' '))
            .in_folder("clone")
            .run()
            .success();
    }
    let log = sandbox
        .git(["log", "--format=%s", "main"])
        .in_folder("served/yard.git")
        .run();
    assert_eq!(log.success().line(), "noise");
    sandbox
        .git(["ls-remote", &guarded.url("yard.git")])
        .run()
        .exits(128);
    let Login { user, password } = login();
    let url = guarded.url("yard.git").replace(
        "://",
        &format!("://{user}:{}@", password.replace(' ', "%20")),
    );
    sandbox
        .git(["ls-remote", &url])
        .run()
        .success()
        .prints("refs/heads/main");
}

/// Bytes that don't compress, the same every time (xorshift64).
fn noise(size: usize) -> Vec<u8> {
    let step = |state: &u64| {
        let state = state ^ (state << 13);
        let state = state ^ (state >> 7);
        Some(state ^ (state << 17))
    };
    let states = std::iter::successors(Some(88_172_645_463_325_252_u64), step);
    states
        .take(size)
        .map(|state| state.to_be_bytes()[0])
        .collect()
}

#[test]
fn a_command_is_killed_before_each_of_its_writes() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("greeting");
    let mut left = Vec::new();
    let (outcome, writes) = killed_at_every_write(
        &sandbox.path(""),
        || {
            for left in ["greeting", "second"] {
                let _ = std::fs::remove_file(sandbox.path(left));
            }
            sandbox.program("sh", ["-c", "echo hello > greeting; echo hello > second"])
        },
        |_| left.push(std::fs::read_to_string(&file).ok()),
    );
    outcome.success();
    assert_eq!(writes, 4);
    assert_eq!(
        left,
        [
            None,
            Some(String::new()),
            Some("hello\n".into()),
            Some("hello\n".into())
        ]
    );
}
