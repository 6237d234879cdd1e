//! From what a person writes to an image: a reference, a layout's folder, an archive.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::Image;
use super::archive::{Archive, tag_of};
use super::holder::Holder;
use super::probe::Engine;
use crate::artifact::{ManifestKey, open as open_store};
use crate::import::oci::reference;
use crate::import::{ImportError, Opening, Place, Source};
use crate::platform::atomic::FileError;
use crate::record::{Repository, Tag};

/// Opens the image that `place` means. Nothing is asked of a registry yet.
///
/// # Errors
/// If it is no reference, or no archive or layout that is here.
pub(in crate::import) fn open(
    place: &Place,
    opening: &Opening<'_>,
) -> Result<Arc<dyn Source>, ImportError> {
    let engine = match opening.probe {
        true => Some(Engine::find(opening.variables)?),
        false => None,
    };
    let image = |holder, name: String, (stem, reference), tag| {
        Arc::new(Image {
            holder: Arc::new(holder),
            name,
            reference,
            stem,
            tag,
            engine,
            looked: OnceCell::new(),
            probed: OnceCell::new(),
        })
    };
    if let Some((path, tag)) = archive_at(place, opening)? {
        let archive = Archive::open(&path, tag.as_ref())?;
        let said = archive.names.first().map(String::as_str);
        let tag = tag.or_else(|| said.and_then(tag_of)?.parse().ok());
        // A whole name has the repository before its tag; a tag alone says nothing of it.
        let repository = said.and_then(|name| name.rsplit_once(':'));
        let repository = repository.and_then(|(name, _)| name.rsplit('/').next());
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let stem = file.split('.').next().unwrap_or_default();
        let name = repository.unwrap_or(stem).to_owned();
        let reference = match &tag {
            Some(tag) => format!("{file}:{tag}"),
            None => file.to_string(),
        };
        let reference = (file.into_owned(), reference);
        return Ok(image(
            Holder::Archive(Box::new(archive)),
            name,
            reference,
            tag,
        ));
    }
    let reference = reference(place, opening)?;
    let store = open_store(&reference.repository, &opening.stores)?;
    let key = match (&reference.digest, &reference.tag) {
        (None, None) => None,
        _ => Some(ManifestKey::of(&reference)),
    };
    let (name, text) = match &reference.repository {
        Repository::Registry { path, .. } => {
            let name = path.rsplit('/').next().unwrap_or(path);
            let stem = reference.repository.to_string();
            (name.to_owned(), (stem, reference.to_string()))
        }
        Repository::Layout { path } => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let tag = reference.tag.as_ref().map(|tag| format!(":{tag}"));
            let text = format!("{name}{}", tag.unwrap_or_default());
            (name.to_string(), (name.into_owned(), text))
        }
    };
    let tag = reference.tag.clone();
    Ok(image(Holder::Store { store, key }, name, text, tag))
}

/// The archive that `place` names by its path, with the tag behind it.
fn archive_at(
    place: &Place,
    opening: &Opening<'_>,
) -> Result<Option<(PathBuf, Option<Tag>)>, ImportError> {
    let tag = place.revision.as_deref();
    let whole = opening.folder.join(&place.at);
    if whole.is_file() {
        let path = fs::canonicalize(&whole).map_err(FileError::at("read", &whole))?;
        return Ok(Some((path, tag.and_then(|tag| tag.parse().ok()))));
    }
    let Some((path, tag)) = place.at.rsplit_once(':') else {
        return Ok(None);
    };
    let path = opening.folder.join(path);
    match tag.parse::<Tag>() {
        Ok(tag) if path.is_file() => {
            let path = fs::canonicalize(&path).map_err(FileError::at("read", &path))?;
            Ok(Some((path, Some(tag))))
        }
        _ => Ok(None),
    }
}
