//! The repository behind a forge in memory: a bare one, to which people push.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Every branch, and the commit that it is at.
pub(super) fn branches(repository: &Path) -> BTreeMap<String, String> {
    let format = "--format=%(refname:lstrip=2) %(objectname)";
    let all = git(repository, &["for-each-ref", format, "refs/heads"]);
    let branch = |line: &str| {
        let (name, commit) = line.split_once(' ').expect("a branch has a commit");
        (name.to_owned(), commit.to_owned())
    };
    all.lines().map(branch).collect()
}

/// Whether it has a commit.
pub(super) fn has(repository: &Path, commit: &str) -> bool {
    let object = format!("{commit}^{{commit}}");
    let command = command(repository, &["cat-file", "-e", &object]).output();
    command.expect("git runs").status.success()
}

/// Merges a commit into a branch by a commit of its own, and tells that.
pub(super) fn merge(repository: &Path, base: &str, head: &str, message: &str) -> String {
    let branch = format!("refs/heads/{base}");
    let tree = git(repository, &["merge-tree", "--write-tree", &branch, head]);
    let parents = ["-p", &*branch, "-p", head, "-m", message];
    let words = [&["commit-tree", &*tree][..], &parents].concat();
    let commit = git(repository, &words);
    git(repository, &["update-ref", &branch, &commit]);
    commit
}

fn git(repository: &Path, words: &[&str]) -> String {
    let output = command(repository, words).output().expect("git runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {words:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn command(repository: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .arg("--git-dir")
        .arg(repository)
        .args(words)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "reviewer")
        .env("GIT_AUTHOR_EMAIL", "reviewer@example.com")
        .env("GIT_COMMITTER_NAME", "forge")
        .env("GIT_COMMITTER_EMAIL", "forge@example.com");
    command
}
