//! What a repository has under which tags: `modelyard tags`.

use serde::Serialize;

use crate::artifact::Store;
use crate::record::{Failure, Repository, Tag, Version};

/// The tags of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tags {
    /// The repository.
    pub repository: Repository,
    /// Versions first, the newest of them at the top; then all others by name.
    pub tags: Vec<String>,
}

/// Lists the tags of a repository; those that only hold signatures, by the digest of what they
/// sign, are told where `all` are asked for.
///
/// # Errors
/// If the store doesn't tell.
pub async fn tags(store: &dyn Store, all: bool) -> Result<Tags, Failure> {
    let mut tags = store.tags().await?;
    tags.retain(|tag| all || !is_about_a_digest(tag));
    Ok(Tags {
        repository: store.repository().clone(),
        tags: sorted(tags),
    })
}

/// Whether it is `sha256-<hex>`, or that with `.sig`, `.att` or `.sbom` behind it.
fn is_about_a_digest(tag: &Tag) -> bool {
    let rest = tag.as_str().strip_prefix("sha256-");
    rest.is_some_and(|rest| {
        let hex = rest.split('.').next().unwrap_or_default();
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

fn sorted(tags: Vec<Tag>) -> Vec<String> {
    let mut versions: Vec<Version> = Vec::new();
    let mut others = Vec::new();
    for tag in tags {
        match tag.as_str().parse() {
            Ok(version) => versions.push(version),
            Err(_) => others.push(tag.to_string()),
        }
    }
    versions.sort_unstable_by(|one, other| other.cmp(one));
    let versions = versions.iter().map(ToString::to_string);
    versions.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_first_and_signatures_not_at_all() {
        let hex = "a".repeat(64);
        let tags = ["1.10.0", "1.9.0", "latest", "champion", "2.0.0-rc.1"];
        let hidden = [format!("sha256-{hex}"), format!("sha256-{hex}.sig")];
        let tags: Vec<Tag> = tags
            .iter()
            .map(ToString::to_string)
            .chain(hidden)
            .map(|tag| tag.parse().unwrap())
            .collect();
        let shown: Vec<Tag> = tags
            .iter()
            .filter(|tag| !is_about_a_digest(tag))
            .cloned()
            .collect();
        assert_eq!(shown.len(), 5);
        assert_eq!(
            sorted(shown),
            ["2.0.0-rc.1", "1.10.0", "1.9.0", "latest", "champion"]
        );
    }
}
