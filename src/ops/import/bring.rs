//! One version on its way: from what a source tells to records and an artifact.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::error::ImportRefused;
use super::survey::{Called, Survey, Surveyed};
use super::told::{Brought, Rehearsed};
use super::{Means, Request, owners};
use crate::artifact::open;
use crate::artifact::pack::{Packed as Artifact, pack};
use crate::import::{Candidate, Carrier, Files, ImportError, Listed, SourceFile, Spool};
use crate::ops::publish::{self, Clash, PublishError, Said, Wish};
use crate::platform::Progress;
use crate::record::kind::{self, Kind, YardSpec};
use crate::record::{Failure, Lifecycle, Repository};
use crate::trust;
use crate::yard::{Catalog, Change, Yard, blocking, model_path, version_path};

/// The most text that a record keeps of what found no place.
const MAX_UNMAPPED_BYTES: usize = 64 << 10;

/// What versions are brought with.
pub(super) struct Bringing<'a> {
    pub(super) request: &'a Request,
    pub(super) survey: &'a Survey,
    pub(super) means: &'a Means<'a>,
    pub(super) yard: &'a Yard,
    pub(super) spec: &'a YardSpec,
    pub(super) store: kind::Store,
    pub(super) progress: &'a Arc<dyn Progress>,
}

/// A version whose files are packed, and the records that it becomes.
pub(super) struct Packed<'a> {
    surveyed: &'a Surveyed,
    called: &'a Called,
    lifecycle: Lifecycle,
    packed: Artifact,
    said: Said,
    card: Option<Vec<u8>>,
    unmapped: Vec<String>,
    remarks: Vec<String>,
    carrier: Option<Carrier>,
    spool: Option<Spool>,
}

/// What a source's version would be, without its files.
pub(super) async fn rehearse(
    request: &Request,
    survey: &Survey,
    surveyed: &Surveyed,
) -> Result<Rehearsed, Failure> {
    let candidate = request.source.candidate(&surveyed.listed).await?;
    let files = match &candidate.files {
        Files::Here(_) | Files::Inside(_) => None,
        Files::There(files) => Some(files.len()),
    };
    let remarks = candidate.remarks.clone();
    let carrier = candidate.carrier.clone();
    let mut fields = Fields::of(request, survey, surveyed, candidate, Said::default());
    if let Some(carrier) = carrier.filter(|_| !request.copy_images) {
        fields.carried_by(&carrier, carrier.repository.as_ref());
    }
    Ok(Rehearsed {
        reference: surveyed.listed.reference.clone(),
        to: surveyed.to.clone(),
        model: fields.said.model,
        version: fields.said.version,
        unmapped: fields.unmapped,
        files,
        remarks,
    })
}

impl<'a> Bringing<'a> {
    /// Fetches and packs a version, and makes its records; nothing if it is here with the same
    /// bytes.
    ///
    /// # Errors
    /// If it can't be had, or is here with other bytes.
    pub(super) async fn pack(
        &self,
        surveyed: &'a Surveyed,
        change: &Change,
    ) -> Result<Option<Packed<'a>>, Failure> {
        let called = surveyed.to.as_ref().ok_or(ImportRefused::Nameless)?;
        let candidate = self.request.source.candidate(&surveyed.listed).await?;
        let (path, spool) = self.fetch(&surveyed.listed, &candidate.files).await?;
        let watching = Arc::clone(self.progress);
        let mut packed = blocking(move || pack(&path, &[], &*watching)).await?;
        if spool.is_some() {
            packed.settle();
        }
        if let Files::There(files) = &candidate.files {
            self.verify(&packed, files, spool.as_ref())?;
        }
        let catalog = Catalog::new(change.snapshot());
        let followed = match &called.after {
            Some(after) => catalog.version(&called.model, after)?,
            None => None,
        };
        let here = catalog.version(&called.model, &called.version)?;
        let is_same = |record: &kind::ModelVersion| record.spec.artifact.digest == packed.digest;
        if [&followed, &here].into_iter().flatten().any(is_same) {
            if let Some(spool) = spool {
                spool.clear()?;
            }
            return Ok(None);
        }
        if let Some(here) = here {
            let clash = Clash {
                existing: here.spec.artifact.digest,
                ours: packed.digest,
            };
            let Called { model, version, .. } = called;
            return Err(PublishError::taken(model, version, "in the yard", clash).into());
        }
        let card = match &candidate.card {
            Some(text) => Some(text.clone().into_bytes()),
            None => publish::card(&packed)?,
        };
        let mut remarks = candidate.remarks.clone();
        let carrier = candidate.carrier.clone();
        let of_files = publish::files_say(&packed.description);
        let mut fields = Fields::of(self.request, self.survey, surveyed, candidate, of_files);
        if let Some(carrier) = &carrier {
            let copied = self.request.copy_images;
            let copied = copied.then(|| self.store.repository.of_model(&called.model));
            let repository = copied.as_ref().or(carrier.repository.as_ref());
            remarks.extend(fields.carried_by(carrier, repository));
        }
        let unmapped = fields.unmapped.keys().cloned().collect();
        let stage = surveyed.listed.stage.as_deref();
        let lifecycle = self.request.mapping.lifecycle(stage);
        let said = self.complete(fields, surveyed, lifecycle, &packed)?;
        Ok(Some(Packed {
            surveyed,
            called,
            lifecycle,
            packed,
            said,
            card,
            unmapped,
            remarks,
            carrier,
            spool,
        }))
    }

    async fn fetch(
        &self,
        listed: &Listed,
        files: &Files,
    ) -> Result<(PathBuf, Option<Spool>), ImportError> {
        match files {
            Files::Here(path) => Ok((path.clone(), None)),
            Files::There(files) => {
                let source = &*self.request.source;
                let spool = Spool::of(&self.means.cache, source, listed);
                let retry = self.means.retry;
                let path = spool.fetch(source, files, retry, &**self.progress).await?;
                Ok((path, Some(spool)))
            }
            Files::Inside(archives) => {
                let source = &*self.request.source;
                let spool = Spool::of(&self.means.cache, source, listed);
                let path = spool.unpack(source, archives, &**self.progress).await?;
                Ok((path, Some(spool)))
            }
        }
    }

    /// Holds what was packed against what the source said of its files.
    fn verify(
        &self,
        packed: &Artifact,
        files: &[SourceFile],
        spool: Option<&Spool>,
    ) -> Result<(), ImportError> {
        for layer in &packed.layers {
            let said = files.iter().find(|file| file.path == layer.path.as_str());
            let said = said.and_then(|file| file.sha256);
            let found = layer.descriptor.digest;
            if let Some(said) = said.filter(|said| *said != found) {
                if let Some(spool) = spool {
                    spool.clear()?;
                }
                return Err(ImportError::Changed {
                    place: self.request.source.place(),
                    file: layer.path.to_string(),
                    reason: format!("it is {found}, and should be {said}"),
                });
            }
        }
        Ok(())
    }

    /// The records' fields, with what only packing tells.
    fn complete(
        &self,
        fields: Fields,
        surveyed: &Surveyed,
        lifecycle: Lifecycle,
        packed: &Artifact,
    ) -> Result<Said, Failure> {
        let called = surveyed.to.as_ref().ok_or(ImportRefused::Nameless)?;
        let Fields { mut said, unmapped } = fields;
        let listed = &surveyed.listed;
        said.version.insert(
            "artifact".to_owned(),
            json!({
                "repository": self.store.repository.of_model(&called.model),
                "digest": packed.digest,
                "size": packed.total_bytes,
            }),
        );
        said.version
            .insert("lifecycle".to_owned(), json!(lifecycle));
        let created = listed.created_at.unwrap_or(self.means.now);
        said.version
            .entry("createdAt")
            .or_insert_with(|| publish::to_the_second(created).into());
        said.version.insert(
            "imported".to_owned(),
            imported(self.request, listed, unmapped),
        );
        if !said.model.contains_key("owners") {
            return Err(ImportRefused::NoOwner {
                model: called.model.clone(),
            }
            .into());
        }
        self.refuse_denied(called, lifecycle, &said)?;
        Ok(said)
    }

    /// Refuses formats that the trust policy denies, before any byte goes to the store.
    fn refuse_denied(
        &self,
        called: &Called,
        lifecycle: Lifecycle,
        said: &Said,
    ) -> Result<(), Failure> {
        let format = &said.version["format"];
        let code = format["code"].as_array().into_iter().flatten();
        let declared = std::iter::once(&format["name"]).chain(code);
        let context = trust::Context {
            model: Some(called.model.clone()),
            lifecycle: Some(lifecycle),
            formats: trust::Formats {
                declared: declared
                    .filter_map(|name| name.as_str().map(str::to_owned))
                    .collect(),
                complete: true,
            },
            now: self.means.now,
        };
        let denied = context.denied(&self.spec.trust.rules);
        match denied {
            Some(format) => Err(ImportRefused::Denied {
                model: called.model.clone(),
                version: called.version.clone(),
                format,
            }
            .into()),
            None => Ok(()),
        }
    }

    /// Stores the files, signs and tags them; gives how many bytes were sent.
    ///
    /// # Errors
    /// If the store or the key can't be used, or the store's tag is of other bytes.
    pub(super) async fn store(&self, packed: &Packed<'_>) -> Result<u64, Failure> {
        let Called { model, version, .. } = packed.called;
        let storing = publish::Storing {
            yard: self.yard,
            repository: &self.store.repository.of_model(model),
            version: (model, version),
            packed: &packed.packed,
            key: self.means.key,
            options: &self.means.options,
        };
        let (sent_bytes, _) = storing.store(self.means.now, &**self.progress).await?;
        if packed.carrier.is_some() && self.request.copy_images {
            let store = open(&self.yard.store(storing.repository)?, &self.means.options)?;
            // No tag that could be taken for a version's.
            let tag = format!("image-{version}").parse()?;
            let source = &self.request.source;
            source.copy_image(&*store, &tag, &**self.progress).await?;
        }
        Ok(sent_bytes)
    }
}

/// A version's fields, from all voices.
struct Fields {
    said: Said,
    unmapped: Map<String, Value>,
}

impl Fields {
    fn of(
        request: &Request,
        survey: &Survey,
        surveyed: &Surveyed,
        candidate: Candidate,
        files: Said,
    ) -> Self {
        let name = &surveyed.listed.model;
        let model = survey.models.get(name);
        let mut unmapped = candidate.unmapped;
        let mut said = files;
        said.hear(Said {
            model: model.map(|model| model.spec.clone()).unwrap_or_default(),
            version: candidate.version,
        });
        for (field, value) in model.into_iter().flat_map(|model| &model.unmapped) {
            unmapped.insert(format!("model.{field}"), value.clone());
        }
        let mapping = request.mapping.model(name);
        if let Some(title) = mapping.and_then(|mapping| mapping.title.as_ref()) {
            said.model.insert("title".to_owned(), json!(title));
        }
        said.model.entry("title").or_insert_with(|| json!(name));
        if let Some(owner) = owners(request, name) {
            said.model.insert("owners".to_owned(), json!([owner]));
        }
        let mut fields = Self { said, unmapped };
        for (from, to) in &request.mapping.fields {
            fields.place(from, to);
        }
        fields
    }

    /// Says which image has it, where others can have that; and what a person should know.
    fn carried_by(&mut self, carrier: &Carrier, repository: Option<&Repository>) -> Option<String> {
        let Carrier {
            purpose, digest, ..
        } = carrier;
        let Some(repository) = repository else {
            self.unmapped
                .insert("image.digest".to_owned(), json!(digest));
            return Some(
                "its image is on this machine alone: --copy puts it into the yard's store"
                    .to_owned(),
            );
        };
        let image = json!({"purpose": purpose, "repository": repository, "digest": digest});
        self.said
            .version
            .insert("images".to_owned(), json!([image]));
        None
    }

    /// Puts a field that found no place, or one of the properties, where a mapping says.
    fn place(&mut self, from: &str, to: &str) {
        let value = match from.strip_prefix("properties.") {
            Some(name) => {
                let properties = self.said.version.get_mut("properties");
                let properties = properties.and_then(Value::as_object_mut);
                properties.and_then(|properties| properties.remove(name))
            }
            None => self.unmapped.remove(from),
        };
        let (Some(value), Some((record, path))) = (value, to.split_once('.')) else {
            return;
        };
        let mut at = match record {
            "model" => &mut self.said.model,
            _ => &mut self.said.version,
        };
        let mut words = path.split('.').peekable();
        while let Some(word) = words.next() {
            if words.peek().is_none() {
                at.insert(word.to_owned(), value);
                return;
            }
            let next = at.entry(word).or_insert_with(|| json!({}));
            let Value::Object(next) = next else { return };
            at = next;
        }
    }
}

/// Where it comes from, as its record says it.
fn imported(request: &Request, listed: &Listed, mut unmapped: Map<String, Value>) -> Value {
    // Whoever wants what is longer than a record should be finds it in the source.
    while json!(unmapped).to_string().len() > MAX_UNMAPPED_BYTES {
        let longest = unmapped
            .iter()
            .max_by_key(|(_, value)| value.to_string().len());
        let Some((name, value)) = longest else { break };
        let told = format!("{} bytes, too long for a record", value.to_string().len());
        // Many short ones are for the check to refuse.
        if told.len() >= value.to_string().len() {
            break;
        }
        unmapped.insert(name.clone(), told.into());
    }
    let source = &request.source;
    let mut imported = json!({"from": source.source_type()});
    let mut say = |field: &str, value: Value| {
        if !value.is_null() {
            imported[field] = value;
        }
    };
    say("place", json!(source.address()));
    say("reference", json!(listed.reference));
    say("revision", json!(listed.revision));
    say("stage", json!(listed.stage));
    if !unmapped.is_empty() {
        say("unmapped", unmapped.into());
    }
    imported
}

impl Packed<'_> {
    /// What the source calls it.
    pub(super) fn reference(&self) -> &str {
        &self.surveyed.listed.reference
    }

    /// The bytes of its files.
    pub(super) fn size_bytes(&self) -> u64 {
        self.packed.total_bytes
    }

    /// Writes its records; the model's where there is none.
    ///
    /// # Errors
    /// If the yard can't be read, or takes no such file.
    pub(super) fn write(&self, change: &mut Change) -> Result<(), Failure> {
        let Called { model, version, .. } = self.called;
        let (namespace, name) = (model.namespace(), model.name());
        let now = change.snapshot();
        if now.read(&model_path(model))?.is_none() {
            let wish = Wish {
                kind: Kind::Model,
                metadata: json!({"namespace": namespace, "name": name}),
                spec: &self.said.model,
            };
            change.write(&model_path(model), wish.anew())?;
        }
        let card_path = publish::card_path(model);
        if let Some(card) = &self.card
            && now.read(&card_path)?.is_none()
        {
            change.write(&card_path, card.clone())?;
        }
        let wish = Wish {
            kind: Kind::ModelVersion,
            metadata: json!({"namespace": namespace, "name": name, "version": version}),
            spec: &self.said.version,
        };
        change.write(&version_path(model, version), wish.anew())?;
        Ok(())
    }

    /// What is told of it once it is stored.
    pub(super) fn brought(&self, sent_bytes: u64) -> Brought {
        Brought {
            reference: self.reference().to_owned(),
            to: self.called.clone(),
            stage: self.surveyed.listed.stage.clone(),
            lifecycle: self.lifecycle,
            digest: self.packed.digest,
            files: self.packed.layers.len(),
            size_bytes: self.packed.total_bytes,
            sent_bytes,
            left_out: self.packed.left_out.clone(),
            findings: self.packed.description.findings.clone(),
            unmapped: self.unmapped.clone(),
            remarks: self.remarks.clone(),
        }
    }

    /// Lets go of what lies on the disk for it.
    ///
    /// # Errors
    /// If that can't be removed.
    pub(super) fn clear(&self) -> Result<(), Failure> {
        match &self.spool {
            Some(spool) => Ok(spool.clear()?),
            None => Ok(()),
        }
    }
}
