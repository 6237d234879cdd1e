//! What answers are stamped with: what of which version answered.

use std::ops::Range;

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::map::header_value;
use crate::record::Name;
use crate::rollout::Content;

/// The deployment that was asked.
pub const DEPLOYMENT: HeaderName = HeaderName::from_static("modelyard-deployment");
/// The model that answered, or the image.
pub const MODEL: HeaderName = HeaderName::from_static("modelyard-model");
/// The model's version.
pub const VERSION: HeaderName = HeaderName::from_static("modelyard-version");
/// The digest of the bytes that answered.
pub const DIGEST: HeaderName = HeaderName::from_static("modelyard-digest");

/// The stamps of one backend, ready to be set.
#[derive(Debug)]
pub(super) struct Stamps {
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What the answer's JSON calls the model: the deployment.
    name: String,
    version: Option<String>,
    /// Both as JSON says them.
    said: (String, Option<String>),
}

impl Stamps {
    pub(super) fn new(deployment: &Name, content: &Content) -> Self {
        let (model, version) = match content {
            Content::Model(release) => {
                (release.model.to_string(), Some(release.version.to_string()))
            }
            Content::Image(image) => (image.to_string(), None),
        };
        let digest = content.digest().to_string();
        let headers = [
            (DEPLOYMENT, Some(deployment.as_str())),
            (MODEL, Some(model.as_str())),
            (VERSION, version.as_deref()),
            (DIGEST, Some(digest.as_str())),
        ];
        let headers = headers.into_iter();
        let say = |text: &str| serde_json::Value::from(text).to_string();
        Self {
            headers: headers
                .filter_map(|(name, text)| Some((name, header_value(text?)?)))
                .collect(),
            name: deployment.as_str().to_owned(),
            said: (say(deployment.as_str()), version.as_deref().map(say)),
            version,
        }
    }

    pub(super) fn set(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// An answer whose JSON, its first `header_length` bytes or all of it, calls the model and its
    /// version what the registry calls them. It is the same bytes where it did so already.
    ///
    /// # Errors
    /// Why it is no answer.
    pub(super) fn rename(
        &self,
        answer: Bytes,
        header_length: Option<usize>,
    ) -> Result<(Bytes, Option<usize>), String> {
        #[derive(Deserialize)]
        #[serde(expecting = "an object with `model_name` and `outputs`")]
        struct Head<'a> {
            #[serde(borrow)]
            model_name: &'a RawValue,
            #[serde(borrow, default)]
            model_version: Option<&'a RawValue>,
            #[serde(rename = "outputs", borrow)]
            _outputs: Vec<Output<'a>>,
        }
        #[derive(Deserialize)]
        #[serde(expecting = "an object with `name`")]
        struct Output<'a> {
            #[serde(rename = "name", borrow)]
            _name: std::borrow::Cow<'a, str>,
        }

        let end = header_length.unwrap_or(answer.len());
        let json = answer.get(..end).ok_or_else(|| {
            format!(
                "its header is announced with {end} bytes, and all of it has {}",
                answer.len()
            )
        })?;
        let head: Head = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        let mut edits: Vec<(Range<usize>, &String)> = Vec::new();
        let mut replace = |raw: &RawValue, text| {
            if raw.get() != text {
                let at = raw.get().as_ptr() as usize - json.as_ptr() as usize;
                edits.push((at..at + raw.get().len(), text));
            }
        };
        let (name, version) = &self.said;
        replace(head.model_name, name);
        if let (Some(raw), Some(version)) = (head.model_version, version) {
            replace(raw, version);
        }
        if edits.is_empty() {
            return Ok((answer, header_length));
        }
        edits.sort_unstable_by_key(|(range, _)| range.start);
        let mut renamed = Vec::with_capacity(answer.len() + 64);
        let (mut from, mut grown) = (0, 0_isize);
        for (range, text) in edits {
            renamed.extend_from_slice(&answer[from..range.start]);
            renamed.extend_from_slice(text.as_bytes());
            grown += text.len().cast_signed() - range.len().cast_signed();
            from = range.end;
        }
        renamed.extend_from_slice(&answer[from..]);
        let header_length = header_length.and_then(|length| length.checked_add_signed(grown));
        Ok((renamed.into(), header_length))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stamps() -> Stamps {
        let content = json!({"model": {
            "model": "vision/digits",
            "version": "1.2.0",
            "digest": format!("sha256:{}", "0".repeat(64)),
        }});
        let content = serde_json::from_value(content).unwrap();
        Stamps::new(&"digits".parse().unwrap(), &content)
    }

    #[test]
    fn an_answer_is_renamed_and_nothing_else_of_it_changes() {
        let rename = |text: &str, length| {
            let (bytes, length) = stamps().rename(text.to_owned().into(), length)?;
            Ok::<_, String>((String::from_utf8(bytes.into()).unwrap(), length))
        };
        let same = r#"{"model_name":"digits","model_version":"1.2.0","outputs":[]}"#;
        assert_eq!(rename(same, None), Ok((same.to_owned(), None)));
        let other =
            r#"{ "outputs": [{"name":"y"}], "model_version":"7", "model_name" : "a\"b" }RAW"#;
        let renamed =
            r#"{ "outputs": [{"name":"y"}], "model_version":"1.2.0", "model_name" : "digits" }RAW"#;
        assert_eq!(
            rename(other, Some(other.len() - 3)),
            Ok((renamed.to_owned(), Some(renamed.len() - 3)))
        );
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for (text, length) in [
            ("<html>", None),
            ("", None),
            ("[]", None),
            (r#"{"outputs":[]}"#, None),
            (r#"{"model_name":"a"}"#, None),
            (r#"{"model_name":"a","outputs":[7]}"#, None),
            (r#"{"model_name":"a","outputs":[]}"#, Some(4)),
            (r#"{"model_name":"a","outputs":[]}"#, Some(400)),
        ] {
            assert!(stamps().rename(text.into(), length).is_err(), "{text}");
        }
    }
}
