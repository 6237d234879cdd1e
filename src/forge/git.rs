//! A remote without pull requests: a person merges there, with git.

/// The commands of git that merge `branch` into `main`, as a person would type them in a clone;
/// through `remote`, where there is one.
pub fn how_to_merge(main: &str, branch: &str, remote: Option<&str>) -> Vec<String> {
    let switch = format!("git switch {main}");
    let merge = format!("git merge --no-ff --no-edit {branch}");
    match remote {
        None => vec![switch, merge],
        Some(remote) => vec![
            switch,
            format!("git pull --ff-only {remote} {main}"),
            merge,
            format!("git push {remote} {main}"),
        ],
    }
}
