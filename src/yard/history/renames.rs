//! What a path was called before a commit renamed it.

use git2::{
    Commit, Delta, Diff, DiffFile, DiffFindOptions, DiffOptions, ErrorCode,
    Repository as GitRepository,
};

/// How alike, in percent, a file has to be to be the same under another name: git's own default.
const ALIKE: u16 = 50;
/// The most files that are held against each other; a commit that moves more is not followed.
const MOST: usize = 1000;

/// What `path`, which begins at `commit`, was called at `parent`.
///
/// A file that is gone and another that is like it are one, renamed. A folder was renamed if
/// files of it were, and all of these came from one other folder.
pub(super) fn renamed_from(
    git: &GitRepository,
    parent: &Commit<'_>,
    commit: &Commit<'_>,
    path: &str,
) -> Result<Option<String>, git2::Error> {
    let diff = match diff(git, parent, commit, path, false) {
        // A partial clone has no contents to compare: files that stayed as they were are told all
        // the same.
        Err(error) if error.code() == ErrorCode::NotFound => diff(git, parent, commit, path, true)?,
        diff => diff?,
    };
    let mut old = None;
    for delta in diff
        .deltas()
        .filter(|delta| delta.status() == Delta::Renamed)
    {
        let name = |file: DiffFile<'_>| Some(file.path()?.to_str()?.to_owned());
        let (Some(from), Some(to)) = (name(delta.old_file()), name(delta.new_file())) else {
            continue;
        };
        // `/versions/1.0.0.yaml` of a folder, nothing of a file.
        let inside = to.strip_prefix(path);
        let inside = inside.filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let Some(root) = inside.and_then(|rest| from.strip_suffix(rest)) else {
            continue;
        };
        match &old {
            None => old = Some(root.to_owned()),
            Some(known) if known == root => {}
            Some(_) => return Ok(None),
        }
    }
    Ok(old)
}

/// What `commit` changed, files of the same content, or nearly so, told as renamed.
fn diff<'git>(
    git: &'git GitRepository,
    parent: &Commit<'_>,
    commit: &Commit<'_>,
    path: &str,
    only_exact: bool,
) -> Result<Diff<'git>, git2::Error> {
    let (before, now) = (parent.tree()?, commit.tree()?);
    // What is renamed stays in the same top folder: a model remains under `models`.
    let top = path.split('/').next().unwrap_or(path);
    let mut options = DiffOptions::new();
    options.pathspec(top).disable_pathspec_match(true);
    let mut diff = git.diff_tree_to_tree(Some(&before), Some(&now), Some(&mut options))?;
    let mut find = DiffFindOptions::new();
    find.renames(true)
        .rename_threshold(ALIKE)
        .rename_limit(MOST)
        .exact_match_only(only_exact);
    diff.find_similar(Some(&mut find))?;
    Ok(diff)
}
