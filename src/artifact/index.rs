//! Lists of manifests: a layout's `index.json`, and what an artifact is referred to by.
//!
//! ```json
//! {"schemaVersion":2,
//!  "mediaType":"application/vnd.oci.image.index.v1+json",
//!  "manifests":[
//!   {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:…","size":700,
//!    "annotations":{"org.opencontainers.image.ref.name":"1.0.0"}}]}
//! ```
//!
//! A manifest with several tags has an entry for each; one without a tag has one entry. The same
//! form is what registries without the referrers API keep under the tag `sha256-<hex>`.
//! What others wrote into it, fields that we don't know included, stays as it is.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::artifact::descriptor::{Descriptor, IMAGE_INDEX};
use crate::record::{Digest, Tag};

/// The annotation that holds an entry's tag (OCI image-spec 1.1, "Pre-Defined Annotation Keys").
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// An image index, kept as it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    manifests: Vec<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Default for Index {
    fn default() -> Self {
        let fields = json!({"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": []});
        serde_json::from_value(fields).expect("it is an index")
    }
}

impl Index {
    /// Reads an index.
    ///
    /// # Errors
    /// If it is not JSON, or no object with `schemaVersion` 2 and a list `manifests`.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let index: Self = serde_json::from_slice(bytes)?;
        if index.rest.get("schemaVersion").and_then(Value::as_u64) != Some(2) {
            return Err(serde::de::Error::custom("its schemaVersion is not 2"));
        }
        Ok(index)
    }

    /// Writes it as compact JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut fields = Map::new();
        for (name, value) in &self.rest {
            fields.insert(name.clone(), value.clone());
        }
        fields.insert("manifests".to_owned(), self.manifests.clone().into());
        serde_json::to_vec(&fields).expect("an index's keys are strings")
    }

    /// The entries that are descriptors we can use.
    pub fn entries(&self) -> impl Iterator<Item = Descriptor> {
        self.manifests
            .iter()
            .filter_map(|entry| Descriptor::deserialize(entry).ok())
    }

    /// The entry with this tag.
    pub fn tagged(&self, tag: &Tag) -> Option<Descriptor> {
        let entry = self
            .manifests
            .iter()
            .find(|entry| ref_name(entry) == Some(tag.as_str()))?;
        Descriptor::deserialize(entry).ok().map(untagged)
    }

    /// The first entry with this digest.
    pub fn with_digest(&self, digest: &Digest) -> Option<Descriptor> {
        self.entries()
            .find(|entry| entry.digest == *digest)
            .map(untagged)
    }

    /// Every tag, sorted. What other tools keep there that is no tag is passed over.
    pub fn tags(&self) -> Vec<Tag> {
        let names = self.manifests.iter().filter_map(ref_name);
        let mut tags: Vec<Tag> = names.filter_map(|name| name.parse().ok()).collect();
        tags.sort();
        tags.dedup();
        tags
    }

    /// Adds `descriptor` with this tag, if it isn't there. What had the tag stays, without it.
    ///
    /// Gives whether anything changed.
    pub fn put(&mut self, descriptor: &Descriptor, tag: Option<&Tag>) -> bool {
        let same_digest = |entry: &Value| {
            entry.get("digest").and_then(Value::as_str) == Some(&descriptor.digest.to_string())
        };
        let Some(tag) = tag else {
            if self.manifests.iter().any(same_digest) {
                return false;
            }
            self.manifests.push(as_entry(descriptor, None));
            return true;
        };
        let named = |entry: &Value| ref_name(entry) == Some(tag.as_str());
        if self
            .manifests
            .iter()
            .any(|entry| named(entry) && same_digest(entry))
        {
            return false;
        }
        for entry in self.manifests.iter_mut().filter(|entry| named(entry)) {
            remove_ref_name(entry);
        }
        self.forget_bare_duplicates(&descriptor.digest);
        self.manifests.push(as_entry(descriptor, Some(tag)));
        true
    }

    /// Drops the entries of `digest` that have no tag: a tagged one is about to tell the same.
    fn forget_bare_duplicates(&mut self, digest: &Digest) {
        let text = digest.to_string();
        self.manifests.retain(|entry| {
            let same = entry.get("digest").and_then(Value::as_str) == Some(&text);
            !same || ref_name(entry).is_some()
        });
    }
}

fn ref_name(entry: &Value) -> Option<&str> {
    entry.get("annotations")?.get(REF_NAME)?.as_str()
}

fn remove_ref_name(entry: &mut Value) {
    let Some(entry) = entry.as_object_mut() else {
        return;
    };
    let Some(Value::Object(annotations)) = entry.get_mut("annotations") else {
        return;
    };
    annotations.shift_remove(REF_NAME);
    if annotations.is_empty() {
        entry.shift_remove("annotations");
    }
}

fn as_entry(descriptor: &Descriptor, tag: Option<&Tag>) -> Value {
    let mut descriptor = descriptor.clone();
    if let Some(tag) = tag {
        descriptor
            .annotations
            .insert(REF_NAME.to_owned(), tag.to_string());
    }
    serde_json::to_value(descriptor).expect("a descriptor's keys are strings")
}

fn untagged(mut descriptor: Descriptor) -> Descriptor {
    descriptor.annotations.remove(REF_NAME);
    descriptor
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::descriptor::IMAGE_MANIFEST;

    fn descriptor(bytes: &[u8]) -> Descriptor {
        Descriptor::of(IMAGE_MANIFEST, bytes)
    }

    fn tag(text: &str) -> Tag {
        text.parse().unwrap()
    }

    #[test]
    fn a_tag_that_moves_leaves_the_old_manifest_there_without_it() {
        let mut index = Index::default();
        let (one, two) = (descriptor(b"one"), descriptor(b"two"));
        assert!(index.put(&one, Some(&tag("latest"))));
        assert!(index.put(&two, Some(&tag("latest"))));
        assert_eq!(index.tagged(&tag("latest")), Some(two));
        assert_eq!(index.with_digest(&one.digest), Some(one));
        assert_eq!(index.tags(), [tag("latest")]);
    }

    #[test]
    fn a_manifest_may_have_several_tags_and_is_there_once_for_each() {
        let mut index = Index::default();
        let one = descriptor(b"one");
        assert!(index.put(&one, None));
        assert!(!index.put(&one, None));
        assert!(index.put(&one, Some(&tag("b"))));
        assert!(index.put(&one, Some(&tag("a"))));
        assert!(!index.put(&one, Some(&tag("a"))));
        assert!(!index.put(&one, None));
        assert_eq!(index.tags(), [tag("a"), tag("b")]);
        assert_eq!(index.entries().count(), 2);
    }

    #[test]
    fn what_others_wrote_stays() {
        let text = "{\"schemaVersion\":2,\"annotations\":{\"x\":\"y\"},\"manifests\":[\
            {\"mediaType\":\"m\",\"digest\":\"sha512:00\",\"size\":1,\"platform\":{\"os\":\"linux\"}}]}";
        let mut index = Index::parse(text.as_bytes()).unwrap();
        index.put(&descriptor(b"one"), None);
        let written: Value = serde_json::from_slice(&index.to_bytes()).unwrap();
        assert_eq!(written["annotations"]["x"], "y");
        assert_eq!(written["manifests"][0]["platform"]["os"], "linux");
        assert_eq!(written["manifests"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_index_is_refused() {
        for bad in [
            "",
            "[]",
            "{}",
            "{\"schemaVersion\":1,\"manifests\":[]}",
            "{\"schemaVersion\":2}",
        ] {
            assert!(Index::parse(bad.as_bytes()).is_err(), "{bad:?} was taken");
        }
    }
}
