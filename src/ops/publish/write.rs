//! The writing half: records, bytes, signature, branch.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::Draft;
use super::error::{Clash, PublishError};
use super::from::From;
use super::records::Wish;
use super::settle::{Text, card_path};
use crate::artifact::pack::LeftOut;
use crate::artifact::pack::Packed;
use crate::artifact::pack::inspect::Finding;
use crate::artifact::{ManifestKey, StoreOptions, open, upload};
use crate::ops::propose::{Proposed, propose};
use crate::ops::refuse_errors;
use crate::platform::Progress;
use crate::platform::atomic::{FileError, read_at_most};
use crate::record::kind::Kind;
use crate::record::{Digest, Failure, ModelName, Repository, Tag, Version};
use crate::target::runtime::onnx::lacking;
use crate::trust::{self, Signed, SigningKey};
use crate::yard::edit::{self, EditError};
use crate::yard::{MAX_FILE_BYTES, Yard, blocking, model_path, version_path};

/// Fields of a merged version that may still change.
const STILL_CHANGING: [&str; 3] = ["lifecycle", "notes", "links"];

/// What publishing came to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: Version,
    /// The artifact.
    pub digest: Digest,
    /// How many files are in it.
    pub files: usize,
    /// Their bytes.
    pub size_bytes: u64,
    /// What was not packed, and why.
    pub left_out: Vec<LeftOut>,
    /// What a person should know of the files.
    pub findings: Vec<Finding>,
    /// What the built-in runtime can't do of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacking: Option<Lacking>,
    /// Where the bytes went; `None` if nothing was to be written.
    pub stored: Option<Stored>,
    /// The signature; `None` if it was left unsigned.
    pub signed: Option<Signed>,
    /// The branch with the records; `None` if nothing was to be written.
    pub proposed: Option<Proposed>,
    /// The records as they were, or would be, written: path and text.
    pub records: Vec<(String, String)>,
}

/// Operators of an ONNX model that the built-in runtime lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lacking {
    /// Each of them, as `Name` or `domain:Name`.
    pub operators: Vec<String>,
    /// Another runtime that serves the version, if its record names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served_by: Option<String>,
}

/// Where an artifact's bytes went.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stored {
    /// The repository, as the record names it.
    pub repository: Repository,
    /// How many bytes were sent; the store had the rest.
    pub sent_bytes: u64,
}

impl Published {
    /// Whether all of it was there before.
    pub fn is_unchanged(&self) -> bool {
        let stored = self
            .stored
            .as_ref()
            .is_some_and(|stored| stored.sent_bytes == 0);
        let signed = self.signed.as_ref().is_none_or(|signed| !signed.is_new());
        let proposed = self
            .proposed
            .as_ref()
            .is_some_and(|proposed| proposed.unchanged);
        stored && signed && proposed
    }
}

impl Draft {
    /// Checks the records as they will be, and shows them. Nothing is written.
    ///
    /// # Errors
    /// As [`Draft::publish`], so far as it can be told without writing.
    pub async fn rehearse(mut self, now: Timestamp) -> Result<Published, Failure> {
        let records = self.prepare(now).await?;
        Ok(self.published(records))
    }

    /// Writes the records on their branch, having put the bytes into the store and signed them.
    ///
    /// # Errors
    /// If something that a record must have is missing, the records would not pass a check, or
    /// the store, the signature or git's side fails.
    pub async fn publish(
        mut self,
        key: Option<&SigningKey>,
        options: &StoreOptions,
        now: Timestamp,
        progress: &Arc<dyn Progress>,
    ) -> Result<Published, Failure> {
        let records = self.prepare(now).await?;
        let repository = self.repository();
        let storing = Storing {
            yard: &self.yard,
            repository: &repository,
            version: (&self.model, &self.version),
            packed: &self.packed,
            key,
            options,
        };
        let (sent_bytes, signed) = storing.store(now, &**progress).await?;
        let proposed = propose(self.change.clone(), &self.message(), now).await?;
        Ok(Published {
            stored: Some(Stored {
                repository,
                sent_bytes,
            }),
            signed,
            proposed: Some(proposed),
            ..self.published(records)
        })
    }

    /// Puts the records into the change and makes sure that a check will pass them.
    async fn prepare(&mut self, now: Timestamp) -> Result<Vec<(String, String)>, Failure> {
        self.complete()?;
        self.packed.check_unchanged()?;
        let records = self.records(now)?;
        for (path, text) in &records {
            self.change.write(path, text.clone())?;
        }
        if let Some(card) = self.card()? {
            self.change.write(&card_path(&self.model), card)?;
        }
        let change = self.change.clone();
        blocking(move || refuse_errors(&change)).await?;
        Ok(records)
    }

    fn repository(&self) -> Repository {
        self.store.repository.of_model(&self.model)
    }

    /// The records' paths and texts: the model's and the version's.
    fn records(&mut self, now: Timestamp) -> Result<Vec<(String, String)>, Failure> {
        let artifact = json!({
            "repository": self.repository(),
            "digest": self.packed.digest,
            "size": self.packed.total_bytes,
        });
        let version = &mut self.said.version;
        if self.existing.version.is_none() {
            version.insert("artifact".to_owned(), artifact);
        }
        version
            .entry("lifecycle")
            .or_insert_with(|| "staged".into());
        version
            .entry("createdAt")
            .or_insert_with(|| to_the_second(now).into());
        self.refuse_changes_after_merge()?;

        let (namespace, name) = (self.model.namespace(), self.model.name());
        let model = Wish {
            kind: Kind::Model,
            metadata: json!({"namespace": namespace, "name": name}),
            spec: &self.said.model,
        };
        let version = Wish {
            kind: Kind::ModelVersion,
            metadata: json!({"namespace": namespace, "name": name, "version": self.version}),
            spec: &self.said.version,
        };
        let model_base = base(self.existing.model.as_ref(), self.from.model.as_ref());
        let version_base = base(self.existing.version.as_ref(), self.from.version.as_ref());
        let path = version_path(&self.model, &self.version);
        let model = model.text(model_base).and_then(|text| self.promoted(text));
        let written = [
            (model_path(&self.model), model),
            (path, version.text(version_base)),
        ];
        let written = written.into_iter().map(|(path, text)| match text {
            Ok(text) => Ok((path, text)),
            Err(source) => Err(PublishError::NotEdited { path, source }.into()),
        });
        written.collect()
    }

    /// The model's record with the names that shall mean this version.
    fn promoted(&self, text: String) -> Result<String, EditError> {
        let version = json!(self.version);
        let mut bytes = text.into_bytes();
        for alias in &self.promote {
            bytes = edit::set(&bytes, &format!("/spec/aliases/{alias}"), &version)?;
        }
        Ok(String::from_utf8(bytes).expect("an edit of text is text"))
    }

    fn refuse_changes_after_merge(&self) -> Result<(), PublishError> {
        let Some(existing) = self
            .existing
            .version
            .as_ref()
            .filter(|_| self.existing.merged)
        else {
            return Ok(());
        };
        let merged = &existing.value["spec"];
        let changed = self.said.version.iter().filter(|(name, value)| {
            !STILL_CHANGING.contains(&name.as_str()) && merged.get(name) != Some(value)
        });
        // A record may leave out what follows anyway.
        let fields: Vec<_> = changed
            .filter(|(name, _)| name.as_str() != "createdAt" || merged.get("createdAt").is_some())
            .map(|(name, _)| name.clone())
            .collect();
        if fields.is_empty() {
            return Ok(());
        }
        Err(PublishError::MergedOtherwise {
            model: self.model.clone(),
            version: self.version.clone(),
            fields,
        })
    }

    /// The model's card, if the files have one and the yard has none.
    fn card(&self) -> Result<Option<Vec<u8>>, FileError> {
        if self.existing.card {
            return Ok(None);
        }
        card(&self.packed)
    }

    fn message(&self) -> String {
        let title = format!("Publish {} {}", self.model, self.version);
        let changes = self.said.version.get("changes").and_then(Value::as_str);
        let changes = changes
            .map(|text| format!("\n\n{}", text.trim()))
            .unwrap_or_default();
        format!("{title}{changes}\n\nArtifact: {}\n", self.packed.digest)
    }

    fn published(&self, records: Vec<(String, String)>) -> Published {
        Published {
            model: self.model.clone(),
            version: self.version.clone(),
            digest: self.packed.digest,
            files: self.packed.layers.len(),
            size_bytes: self.packed.total_bytes,
            left_out: self.packed.left_out.clone(),
            findings: self.packed.description.findings.clone(),
            lacking: self.lacking(),
            stored: None,
            signed: None,
            proposed: None,
            records,
        }
    }

    fn lacking(&self) -> Option<Lacking> {
        let operators = &self.packed.description.operators;
        let operators = lacking(operators.iter().map(String::as_str));
        let runtime = self.said.version.get("runtime");
        let runtime = runtime.and_then(|runtime| runtime["name"].as_str());
        (!operators.is_empty()).then(|| Lacking {
            operators: operators.into_iter().map(str::to_owned).collect(),
            served_by: runtime.filter(|name| *name != "onnx").map(str::to_owned),
        })
    }
}

/// The card among the files.
///
/// # Errors
/// If it can't be read, or is too large for the yard.
pub(in crate::ops) fn card(packed: &Packed) -> Result<Option<Vec<u8>>, FileError> {
    let mut layers = packed.layers.iter();
    let card = layers.find(|layer| layer.path.as_str() == "README.md");
    card.map(|layer| read_at_most(&layer.source, MAX_FILE_BYTES))
        .transpose()
}

/// An artifact on its way into a store.
pub(in crate::ops) struct Storing<'a> {
    pub yard: &'a Yard,
    pub repository: &'a Repository,
    pub version: (&'a ModelName, &'a Version),
    pub packed: &'a Packed,
    /// Who signs; nobody where it is left unsigned.
    pub key: Option<&'a SigningKey>,
    pub options: &'a StoreOptions,
}

impl Storing<'_> {
    /// Puts the files into the store, signs them, and only then tags them; gives how many bytes were
    /// sent, and the signature.
    ///
    /// # Errors
    /// If the store's tag of this version is of other bytes, or the store or the key can't be used.
    pub(in crate::ops) async fn store(
        &self,
        now: Timestamp,
        progress: &dyn Progress,
    ) -> Result<(u64, Option<Signed>), Failure> {
        let store = open(&self.yard.store(self.repository)?, self.options)?;
        let (model, version) = self.version;
        let tag = Tag::from(version);
        let taken = store.resolve(&ManifestKey::Tag(tag.clone())).await?;
        if let Some(found) = taken.filter(|found| found.digest != self.packed.digest) {
            let clash = Clash {
                existing: found.digest,
                ours: self.packed.digest,
            };
            return Err(PublishError::taken(model, version, "in the store", clash).into());
        }
        let sent_bytes = upload(&*store, self.packed, progress).await?;
        let subject = self.packed.descriptor();
        let signed = match self.key {
            Some(key) => Some(trust::sign(&*store, &subject, key, now).await?),
            None => None,
        };
        let manifest = self.packed.manifest.clone();
        store
            .put_manifest(&subject.media_type, manifest, Some(&tag))
            .await?;
        Ok((sent_bytes, signed))
    }
}

/// What a record is written on: the one that is there, else the one of `--from`.
fn base<'a>(existing: Option<&'a Text>, from: Option<&'a From>) -> Option<(&'a str, &'a Value)> {
    let from = from.map(|from| (from.text.as_str(), &from.value));
    existing.map(Text::as_base).or(from)
}

/// A time as records write it: nobody publishes twice in a second, and records are read by people.
pub(in crate::ops) fn to_the_second(now: Timestamp) -> String {
    let whole = Timestamp::from_second(now.as_second()).unwrap_or(now);
    whole.to_string()
}
