//! What registries tell page by page: tags and referrers.

use std::collections::BTreeSet;

use bytes::Bytes;
use reqwest::{Method, Response};
use serde::Deserialize;
use url::Url;

use super::access::Action;
use super::answer;
use super::client::Client;
use crate::artifact::descriptor::{Descriptor, IMAGE_INDEX};
use crate::artifact::error::StoreError;
use crate::artifact::index::Index;
use crate::artifact::limits::{MAX_MANIFEST_BYTES, MAX_TAGS};
use crate::artifact::referrers;
use crate::record::{Digest, Tag};

/// How many tags are asked for at once: what most registries give at most.
const TAGS_A_PAGE: u32 = 1000;

/// Every tag, sorted.
pub(super) async fn tags(client: &Client) -> Result<Vec<Tag>, StoreError> {
    #[derive(Deserialize)]
    struct Page {
        // Some registries say `null` where there is none.
        tags: Option<Vec<String>>,
    }
    let place = format!("the list of tags of {}", client.repository);
    let mut tags: BTreeSet<Tag> = BTreeSet::new();
    let mut next = Some(client.url(&format!("tags/list?n={TAGS_A_PAGE}")));
    while let Some(url) = next {
        let Some((bytes, following)) = page(client, &place, url, "application/json").await? else {
            break;
        };
        let page: Page = serde_json::from_slice(&bytes).map_err(|_| no_list(&place))?;
        let before = tags.len();
        let names = page.tags.unwrap_or_default();
        tags.extend(names.iter().filter_map(|name| name.parse().ok()));
        if tags.len() > MAX_TAGS {
            return Err(StoreError::TooLarge {
                place,
                unit: "tags",
                limit: MAX_TAGS as u64,
            });
        }
        // A page with nothing new on it leads nowhere.
        next = following.filter(|_| tags.len() > before);
    }
    Ok(tags.into_iter().collect())
}

/// What the referrers API tells; `None` if the registry has none.
pub(super) async fn referrers(
    client: &Client,
    subject: &Digest,
    artifact_type: Option<&str>,
) -> Result<Option<Vec<Descriptor>>, StoreError> {
    let place = format!("the referrers of {}", client.repository.at(*subject));
    let mut url = client.url(&format!("referrers/{subject}"));
    if let Some(artifact_type) = artifact_type {
        url.query_pairs_mut()
            .append_pair("artifactType", artifact_type);
    }
    let mut found: Vec<Descriptor> = Vec::new();
    let mut next = Some(url);
    let mut pages = 0;
    while let Some(url) = next {
        let Some((bytes, following)) = page(client, &place, url, IMAGE_INDEX).await? else {
            if pages == 0 {
                return Ok(None);
            }
            break;
        };
        pages += 1;
        let index = Index::parse(&bytes).map_err(|_| no_list(&place))?;
        let before = found.len();
        for entry in index.entries() {
            if !found.contains(&entry) {
                found.push(entry);
            }
        }
        referrers::bounded(&found, &client.repository, subject)?;
        next = following.filter(|_| found.len() > before);
    }
    // Registries may leave the filtering to us.
    found.retain(|entry| referrers::is_wanted(entry, artifact_type));
    Ok(Some(found))
}

/// One page and the address of the next; `None` for 404.
async fn page(
    client: &Client,
    place: &str,
    url: Url,
    media_type: &str,
) -> Result<Option<(Bytes, Option<Url>)>, StoreError> {
    let asked = client
        .send_patiently(place, Action::Pull, || {
            client
                .request(Method::GET, url.clone())
                .header("Accept", media_type)
        })
        .await;
    let response = match asked {
        Ok(response) => response,
        Err(StoreError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let response = answer::no_page(place, response)?;
    let following = following(client, place, &response)?;
    let bytes = answer::body(place, response, MAX_MANIFEST_BYTES).await?;
    Ok(Some((bytes, following)))
}

fn following(client: &Client, place: &str, response: &Response) -> Result<Option<Url>, StoreError> {
    answer::next_page(response.headers())
        .map(|next| client.follow(place, response.url(), next))
        .transpose()
}

fn no_list(place: &str) -> StoreError {
    StoreError::Answer {
        place: place.to_owned(),
        reason: "it sends no list".to_owned(),
    }
}
