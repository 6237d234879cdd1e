//! GitLab's component: its jobs' scripts, run as a runner of GitLab's does, against a stateful fake.

use serde_json::Value;

use crate::cli::check::{V1_0, acme, change};
use crate::harness::forges::{Dialect, FakeForge, Pull, TOKEN};
use crate::harness::registry::Distribution;
use crate::harness::{GitHttp, Login, Outcome, Run, Sandbox};

/// The script of a job, with `evidence` as it is where nobody says it.
fn script(job: &str) -> String {
    let file =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/gitlab/template.yml");
    let text = std::fs::read_to_string(file).unwrap();
    let (_, body) = text.split_once("\n---\n").unwrap();
    let body = body
        .replace("[$[[ inputs.runner ]]]", "[]")
        .replace("$[[ inputs.evidence ]]", "false");
    let jobs: Value = serde_saphyr::from_str(&body).unwrap();
    let lines = jobs[job]["script"].as_array().unwrap().iter();
    let lines: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
    lines.join("\n")
}

/// In the yard, with the variables that GitLab sets for a merge request.
fn job(sandbox: &Sandbox, name: &str, fake: &FakeForge, head: &str, base: &str) -> Run {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_modelyard"));
    let run = sandbox.program("bash", ["-e", "-o", "pipefail", "-c", &*script(name)]);
    run.in_folder("yard")
        .path_first(program.parent().unwrap())
        .env("CI_COMMIT_SHA", head)
        .env("CI_MERGE_REQUEST_DIFF_BASE_SHA", base)
        .env("CI_MERGE_REQUEST_IID", "1")
        .env(
            "CI_PROJECT_URL",
            format!("http://{}/acme/yard", fake.host()),
        )
        .env(
            "CI_JOB_URL",
            "https://gitlab.example.com/acme/yard/-/jobs/7",
        )
        .env("GITLAB_TOKEN", TOKEN)
}

#[test]
fn a_merge_request_is_checked_and_told() {
    let sandbox = Sandbox::new();
    let fake = FakeForge::start(Dialect::Gitlab);
    let yard = acme(&sandbox);
    let git = |words: &[&str]| {
        let run: Outcome = yard.git(words).run().success();
        run.line().to_owned()
    };
    sandbox
        .git(["clone", "--quiet", "--bare", "yard", "upstream.git"])
        .run()
        .success();
    let upstream = format!("file://{}", sandbox.path("upstream.git").display());
    git(&["remote", "add", "origin", &upstream]);
    git(&["fetch", "--quiet", "origin"]);
    let base = git(&["rev-parse", "HEAD"]);
    git(&["switch", "--quiet", "-c", "change"]);
    change(&yard, V1_0, "lifecycle:", "lifecyle:");
    yard.commit("Worse");
    git(&[
        "push",
        "--quiet",
        "origin",
        "HEAD:refs/merge-requests/1/head",
    ]);
    let head = git(&["rev-parse", "HEAD"]);
    fake.state().pulls.push(Pull {
        number: 1,
        branch: "change".to_owned(),
        base: "main".to_owned(),
        head: head.clone(),
        open: true,
        ..Pull::default()
    });

    let outcome = job(&sandbox, "modelyard-check", &fake, &head, &base)
        .run()
        .exits(1);
    outcome.prints("error[unknown-field]");
    let report: Value =
        serde_json::from_str(&sandbox.read("yard/gl-code-quality-report.json")).unwrap();
    let [issue] = &report.as_array().unwrap()[..] else {
        panic!("{report}");
    };
    assert_eq!(issue["location"]["path"], V1_0);
    assert_eq!(issue["location"]["lines"]["begin"], 5);
    assert!(sandbox.read("yard/modelyard.xml").contains("<testsuites"));

    for _ in 0..2 {
        job(&sandbox, "modelyard-comment", &fake, &head, &base)
            .run()
            .success();
        let mut state = fake.state();
        let comments = state.pull(1).comments.clone();
        assert_eq!(comments.len(), 1);
        assert!(
            comments[0].2.contains("(`unknown-field`)"),
            "{}",
            comments[0].2
        );
        let status = state.statuses.last().unwrap();
        assert_eq!(status["sha"], head.as_str());
    }
}

#[test]
fn what_is_new_at_night_is_a_merge_request() {
    let sandbox = Sandbox::new();
    let fake = FakeForge::start(Dialect::Gitlab);
    let yard = acme(&sandbox);
    let settings = yard.show("main", "modelyard.yaml");
    let registry = Distribution::start();
    let store = "registry.example.com/acme/models";
    assert!(settings.contains(store), "{settings}");
    let settings = settings.replace(store, &format!("{}/acme", registry.host()));
    let old = sandbox.path("old");
    sandbox.write("old/model.bin", "weights");
    let source = format!(
        "  sources: [{{name: shelf, type: folder, url: \"file://{}\", namespace: vision, map: shelf.yaml}}]\n",
        old.display()
    );
    yard.write("modelyard.yaml", &format!("{settings}{source}"));
    yard.write("shelf.yaml", "owner: {team: vision}\n");
    yard.commit("A shelf");
    let key = ["keys", "generate", "night", "--no-yard"];
    let generate = yard.modelyard(key).env("COSIGN_PASSWORD", "horse");
    generate.run().success();
    sandbox
        .git(["clone", "--quiet", "--bare", "yard", "served/yard.git"])
        .run()
        .success();
    let login = Login::new("oauth2", TOKEN);
    let server = GitHttp::behind(&sandbox.path("served"), &login);
    // As a runner leaves it: the remote with the job's own token in it, which may read alone.
    let read_alone = server
        .url("yard.git")
        .replace("://", "://gitlab-ci-token:x@");
    let remote = ["remote", "add", "origin", &*read_alone];
    yard.git(remote).run().success();
    // The fake has no repositories: where the project's page has one is another place.
    let instead = format!("url.{}.insteadOf", server.url("yard.git"));
    let page = format!("http://{}/acme/yard.git", fake.host());
    yard.git(["config", &*instead, &*page]).run().success();
    let main = yard.git(["rev-parse", "HEAD"]).run().success();
    fake.state()
        .branches
        .insert("import/shelf".to_owned(), main.line().to_owned());

    let key = sandbox.home().join(".config/modelyard/keys/night.key");
    let key = std::fs::read_to_string(key).unwrap();
    let night = || {
        job(&sandbox, "modelyard-import", &fake, "", "")
            .env("CI_SERVER_URL", format!("http://{}", server.host()))
            .env("GITLAB_USER_NAME", "Bot")
            .env("GITLAB_USER_EMAIL", "bot@example.com")
            .env("MODELYARD_KEY", "env://KEY")
            .env("KEY", &key)
            .env("COSIGN_PASSWORD", "horse")
            .run()
            .success()
    };
    night().prints("imported  vision/old:1.0.0");
    night().prints("unchanged 1 version");
    let state = fake.state();
    let [pull] = &state.pulls[..] else {
        panic!("{} merge requests", state.pulls.len());
    };
    assert_eq!(pull.branch, "import/shelf");
    assert!(
        pull.body.contains("old -> vision/old:1.0.0"),
        "{}",
        pull.body
    );
    let pushed = ["--git-dir=served/yard.git", "rev-parse", "import/shelf"];
    sandbox.git(pushed).run().success();
}
