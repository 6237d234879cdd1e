//! Which version a model is of whose manifest has no word for it.

use crate::record::Version;

/// What a version is called that nothing names.
const FIRST: &str = "1.0.0";

/// A version's label, and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Labelled {
    /// The label.
    pub label: String,
    /// The version that it plainly is.
    pub version: Option<Version>,
    /// Whether nothing says it: what is new is the next version then.
    pub moves: bool,
    /// What a person should know of it.
    pub remark: Option<String>,
}

/// The label that is `said`, or the last part of `uri` that looks like a version, or the first of
/// all versions.
pub(super) fn label(said: Option<String>, uri: Option<&str>) -> Labelled {
    let told = |label: String, remark| Labelled {
        version: plain(&label),
        label,
        moves: false,
        remark,
    };
    if let Some(said) = said {
        return told(said, None);
    }
    if let Some(part) = uri.and_then(part) {
        let remark = format!("the version {part} is from the model's address");
        return told(part.to_owned(), Some(remark));
    }
    let remark = format!(
        "nothing says which version it is: it is {FIRST} at first and the next minor version after \
         that, unless --map or --as says another"
    );
    Labelled {
        moves: true,
        ..told(FIRST.to_owned(), Some(remark))
    }
}

/// `1.4.0`, `v1.4`, `3`: as a whole version.
fn plain(label: &str) -> Option<Version> {
    let bare = label.strip_prefix(['v', 'V']).unwrap_or(label);
    if let Ok(version) = bare.parse() {
        return Some(version);
    }
    let parts: Vec<_> = bare.split('.').collect();
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.len() > 2 || !parts.iter().all(number) {
        return None;
    }
    let zeros = ".0".repeat(3 - parts.len());
    format!("{bare}{zeros}").parse().ok()
}

/// The last part of `uri` that looks like a version: `1.4.0`, `v1.4`, `v2`, the tag of an image.
fn part(uri: &str) -> Option<&str> {
    let path = uri.split_once("://").map_or(uri, |(_, path)| path);
    let path = path.split(['?', '#', '@']).next().unwrap_or_default();
    path.rsplit(['/', ':']).find(|part| looks_like_one(part))
}

fn looks_like_one(part: &str) -> bool {
    let dotted = part.contains('.');
    let marked = part.starts_with('v');
    (dotted || marked) && plain(part).is_some()
}

#[cfg(test)]
mod tests {
    //! Where versions are found.

    use super::*;

    #[test]
    fn a_version_is_found_where_one_stands() {
        let of = |said: Option<&str>, uri| {
            let labelled = label(said.map(str::to_owned), uri);
            (
                labelled.label,
                labelled.version.map(|version| version.to_string()),
            )
        };
        for (said, uri, expected, version) in [
            (
                Some("2.1.0"),
                Some("s3://models/1.0.1/x"),
                "2.1.0",
                Some("2.1.0"),
            ),
            (
                None,
                Some("s3://models/defects/1.4.2"),
                "1.4.2",
                Some("1.4.2"),
            ),
            (
                None,
                Some("gs://models/v1.19.0-dev/sklearn/iris"),
                "v1.19.0-dev",
                Some("1.19.0-dev"),
            ),
            (
                None,
                Some("s3://models/defects/v2/model.onnx"),
                "v2",
                Some("2.0.0"),
            ),
            (
                None,
                Some("oci://registry.example.com:5000/a:1.2"),
                "1.2",
                Some("1.2.0"),
            ),
            (
                None,
                Some("https://10.0.0.1/model.onnx"),
                "1.0.0",
                Some("1.0.0"),
            ),
            (None, Some("s3://models/7/model"), "1.0.0", Some("1.0.0")),
            (Some("3"), None, "3", Some("3.0.0")),
            (Some("main"), None, "main", None),
        ] {
            assert_eq!(
                of(said, uri),
                (expected.to_owned(), version.map(str::to_owned)),
                "{said:?} {uri:?}"
            );
        }
        assert!(label(None, None).remark.unwrap().contains("1.0.0"));
    }
}
