//! How a plan's hash is kept: in the commit status of the change's head, where reviewers saw it and
//! only who may write to the yard can set it.

use crate::record::Digest;

/// The status's context.
pub const CONTEXT: &str = "modelyard/plan";

/// The status's description, which has the hash.
pub fn description(hash: &Digest) -> String {
    format!("plan {hash}")
}

/// The hash in a status's description, if there is one.
pub fn hash_in(description: &str) -> Option<Digest> {
    let rest = description.strip_prefix("plan ")?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    //! What is kept can be read back.

    use super::*;
    use crate::artifact::descriptor::digest_of;

    #[test]
    fn a_hash_is_read_back_and_nothing_else_is_one() {
        let hash = digest_of(b"plan");
        let kept = description(&hash);
        assert_eq!(hash_in(&kept), Some(hash));
        assert_eq!(hash_in(&format!("{kept} · 2 deployments")), Some(hash));
        for other in ["", "plan", "plan sha256:12", &hash.to_string()] {
            assert_eq!(hash_in(other), None, "{other}");
        }
        // GitHub takes 140 characters.
        assert!(kept.len() < 100);
    }
}
