//! MLflow: real servers of 2.x and 3.x that their own client filled, and servers that fail.

#[cfg(feature = "real-tools")]
mod cli;
mod faults;
#[cfg(feature = "real-tools")]
pub(super) mod lab;
mod local;
#[cfg(feature = "real-tools")]
mod serves;
#[cfg(feature = "real-tools")]
mod stores;
#[cfg(feature = "real-tools")]
mod whole;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use modelyard::artifact::StoreOptions;
use modelyard::import::{
    Candidate, Files, ImportError, Listed, Listing, Opening, Place, Source, Spool,
};
use modelyard::platform::progress::Silent;
use modelyard::platform::retry::Policy;

/// Four calls with waits that nobody notices; a server's wish is heeded up to a tenth of a second.
const QUICK: Policy = Policy {
    attempts: 4,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(100),
};

/// The source that `word` says, read from `folder` with these variables.
fn open(
    word: &str,
    folder: &Path,
    variables: &[(&str, &str)],
) -> Result<Arc<dyn Source>, ImportError> {
    let place: Place = word.parse().expect("a word of a source");
    open_place(&place, folder, variables)
}

fn open_place(
    place: &Place,
    folder: &Path,
    variables: &[(&str, &str)],
) -> Result<Arc<dyn Source>, ImportError> {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    place.open(&Opening {
        folder: folder.to_owned(),
        variables: &|name| variables.get(name).map(|value| (*value).into()),
        retry: QUICK,
        stores: StoreOptions {
            docker_config: folder.to_owned(),
            plain_http: None,
            retry: QUICK,
        },
        probe: false,
    })
}

/// The server at `host`, asked without a login.
fn server(host: &str) -> Arc<dyn Source> {
    open(&format!("mlflow:http://{host}"), Path::new("/"), &[]).unwrap()
}

async fn list(source: &dyn Source) -> Result<Listing, ImportError> {
    source.list(&Silent).await
}

/// What is listed under this name and number.
fn listed<'a>(listing: &'a Listing, reference: &str) -> &'a Listed {
    let found = listing
        .versions
        .iter()
        .find(|listed| listed.reference == reference);
    found.unwrap_or_else(|| panic!("no {reference} in {listing:#?}"))
}

/// The folder with the files of `candidate`, fetched into `cache` where they lie elsewhere.
async fn fetched(
    source: &dyn Source,
    listed: &Listed,
    candidate: &Candidate,
    cache: &Path,
) -> Result<std::path::PathBuf, ImportError> {
    match &candidate.files {
        Files::Here(folder) => Ok(folder.clone()),
        Files::There(files) => {
            let spool = Spool::of(cache, source, listed);
            spool.fetch(source, files, QUICK, &Silent).await
        }
        Files::Inside(_) => panic!("MLflow keeps no archives"),
    }
}
