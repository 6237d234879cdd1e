//! Container images, pinned by digest.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::grammar::{Grammar, ValueError};
use crate::record::{Digest, OciReference};

/// A container image that can't change: a reference with a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageReference {
    reference: OciReference,
    digest: Digest,
}

impl ImageReference {
    /// How it is written.
    pub const GRAMMAR: Grammar = Grammar {
        noun: "an image with its digest",
        example: "registry.example.com/acme/label@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    };

    /// Where it lies.
    pub fn reference(&self) -> &OciReference {
        &self.reference
    }

    /// Which bytes it is.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl FromStr for ImageReference {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let error = |reason| ValueError::new(&Self::GRAMMAR, text, reason);
        let reference: OciReference = text
            .parse()
            .map_err(|fault: crate::record::repository::OciReferenceError| error(fault.reason))?;
        let digest = reference
            .digest
            .ok_or_else(|| error("it has no digest, and a tag can be moved"))?;
        Ok(Self { reference, digest })
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reference.fmt(formatter)
    }
}

crate::record::text::conversions!(ImageReference, ValueError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_alone_is_refused() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let image: ImageReference = format!("registry.example.com/a:1@{digest}")
            .parse()
            .unwrap();
        assert_eq!(image.digest().to_string(), digest);
        let error = "registry.example.com/a:1"
            .parse::<ImageReference>()
            .unwrap_err();
        assert!(error.to_string().contains("no digest"), "{error}");
    }
}
