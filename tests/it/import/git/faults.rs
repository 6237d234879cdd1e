//! Repositories that are away, that lie, or that aim at this machine.

use super::Repository;
use crate::harness::{Answer, Front, GitHttp, Sandbox};

#[test]
fn what_is_cut_off_is_tried_again_and_what_is_not_there_is_told() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), Repository::new(&sandbox));
    let server = GitHttp::serve(&repository.served());
    let front = Front::before(&server.host());
    let word = |name: &str, rest: &str| format!("git:http://{}/{name}.git{rest}", front.host());
    let import = |word: &str| yard.import([word, "--name=scripts"]).run();
    front.always("POST", "/git-upload-pack", Answer::CutAfter(40));
    import(&word("models", "#main:models/digits"))
        .exits(3)
        .says("can't be reached");
    front.is_faithful();
    front.times(1, "POST", "/git-upload-pack", Answer::CutAfter(40));
    front.times(1, "GET", "/info/refs", Answer::status(503));
    import(&word("models", "#main:models/digits")).success();

    import(&word("nothing", ""))
        .exits(2)
        .says("or it is private");
    import(&word("models", "#v9"))
        .exits(2)
        .says("has no branch or tag v9");
    import(&word("models", "#main:models/letters"))
        .exits(2)
        .says("has no models/letters at main");
    import(&word(
        "models",
        &format!("#{}:models/digits", "ab".repeat(20)),
    ))
    .exits(2);
    import(&word("models", "#main:../digits"))
        .exits(2)
        .says("`.` or `..` as a part");
    let elsewhere = "git:ext::sh -c touch% climbed";
    import(elsewhere).exits(2);
    import("git:--upload-pack=touch climbed").exits(2);
    assert!(!sandbox.path("yard/climbed").exists());
}

#[test]
fn a_list_of_branches_has_an_end() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let front = Front::alone();
    let line = |text: String| format!("{:04x}{text}", text.len() + 4);
    let oid = "ab".repeat(20);
    let mut body = line("# service=git-upload-pack\n".to_owned()) + "0000";
    body += &line(format!("{oid} HEAD\0symref=HEAD:refs/heads/main\n"));
    for number in 0..=100_000 {
        body += &line(format!("{oid} refs/heads/b{number}\n"));
    }
    body += "0000";
    let media_type = "application/x-git-upload-pack-advertisement";
    front.always("GET", "/info/refs", Answer::body(200, media_type, body));
    yard.import([&format!("git:http://{}/models.git", front.host())])
        .run()
        .exits(2)
        .says("has more than 100000 branches and tags");
}

#[test]
fn names_that_climb_links_and_other_repositories_bring_nothing_of_this_machine() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), Repository::new(&sandbox));
    let server = GitHttp::serve(&repository.served());
    std::os::unix::fs::symlink(
        "/etc/passwd",
        repository.folder().join("models/digits/users"),
    )
    .unwrap();
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let cacheinfo = format!("160000,{commit},models/digits/other");
    repository.git(&["update-index", "--add", "--cacheinfo", &cacheinfo]);
    repository.git(&["add", "models/digits/users"]);
    repository.git(&["commit", "--quiet", "--message", "Links"]);
    repository.push();
    let word = format!("git:{}#main:models/digits", server.url("models.git"));
    yard.import([&*word, "--name=scripts"]).run().success();
    let message = yard
        .git(["log", "-1", "--format=%B", "import/scripts"])
        .run()
        .success();
    message
        .prints("users is a symbolic link, and is left out")
        .prints("other is another repository, and is left out");

    // A tree that no git would make, but that one could be sent.
    let blob = repository.git(&["rev-parse", "HEAD:models/digits/predict.py"]);
    let sandboxed = |words: &[&str], input: &str| {
        let run = sandbox.git(words).in_folder(repository.folder());
        run.input(input).run().success().stdout.trim().to_owned()
    };
    let inner = sandboxed(&["mktree"], &format!("100644 blob {blob}\tclimbed\n"));
    let raw: Vec<u8> = [
        b"40000 ..\0".to_vec(),
        (0..20)
            .map(|at| u8::from_str_radix(&inner[at * 2..at * 2 + 2], 16).unwrap())
            .collect(),
    ]
    .concat();
    let file = sandbox.write("raw", raw);
    let file = file.display().to_string();
    let hash = ["hash-object", "-t", "tree", "-w", "--literally", &file];
    let tree = sandboxed(&hash, "");
    let commit = sandboxed(&["commit-tree", &tree, "-m", "Climb"], "");
    repository.git(&["branch", "climb", &commit]);
    repository.push();
    let word = format!("git:{}#climb", server.url("models.git"));
    yard.import([&*word, "--name=climb", "--as=vision/climb"])
        .run()
        .exits(1)
        .prints("leads out of its folder");
    assert!(!sandbox.path("climbed").exists());
}
