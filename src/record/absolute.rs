//! Where a path leads that was written relative to a folder.

use std::path::{Component, Path, PathBuf};

/// `path` as it is from `directory`, without the `.` and `..` that it begins with: from
/// `/srv/yard`, `../store` is `/srv/store`. A `..` behind a name stays as it was written, since
/// what the name is a link to is not known here; so no name of `directory` may be one.
pub fn absolute(directory: &Path, path: &Path) -> PathBuf {
    if path.is_absolute() {
        return path.to_owned();
    }
    let mut place = directory.to_owned();
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next_if(|part| !matches!(part, Component::Normal(_))) {
        if part == Component::ParentDir {
            // The root's parent is the root.
            place.pop();
        }
    }
    place.extend(parts);
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_begins_with_is_followed_and_the_rest_left() {
        for (path, place) in [
            ("store", "/srv/yard/store"),
            ("./store/a", "/srv/yard/store/a"),
            ("../store", "/srv/store"),
            ("../../../../store", "/store"),
            ("./../yard/.", "/srv/yard"),
            ("link/../store", "/srv/yard/link/../store"),
            (".", "/srv/yard"),
            ("", "/srv/yard"),
            ("/var/./store", "/var/./store"),
        ] {
            let found = absolute(Path::new("/srv/yard"), Path::new(path));
            assert_eq!(found, PathBuf::from(place), "{path}");
        }
    }
}
