//! What commands take that start a version for their purpose.

use std::time::Duration;

use super::Context;
use super::stores::StoreArguments;
use crate::artifact::StoreOptions;
use crate::artifact::cache::Cache;
use crate::ops::pull::Ground;
use crate::ops::served::Starting;
use crate::record::Failure;
use crate::yard::{Depth, Yard};

/// Where the version comes from, and how long it may take.
#[derive(Debug, clap::Args)]
pub(super) struct ServedArguments {
    /// The yard whose records and trust policy count, by its git URL or path; no clone is kept
    #[arg(long, value_name = "URL")]
    yard: Option<String>,
    /// How long the runtime may take to become ready; if it is left out, 120 seconds, or 900 where
    /// packages may have to be installed
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    #[command(flatten)]
    stores: StoreArguments,
}

impl ServedArguments {
    /// The yard that is named, or the one that we are in.
    pub(super) async fn yard(&self, context: &Context) -> Result<Yard, Failure> {
        match self.yard.clone() {
            Some(url) => Ok(context.fetched(url, Depth::Tip).await?),
            None => context.yard(),
        }
    }

    pub(super) fn starting(&self, context: &Context) -> Result<Starting, Failure> {
        let program = context.program()?;
        Ok(Starting {
            program,
            patience: self.timeout.map(Duration::from_secs),
        })
    }

    pub(super) fn stores(&self, context: &Context) -> StoreOptions {
        self.stores.options(context)
    }

    pub(super) fn cache(context: &Context) -> Cache {
        Cache::new(&context.places.cache)
    }

    pub(super) fn ground<'a>(
        context: &'a Context,
        stores: &'a StoreOptions,
        cache: &'a Cache,
    ) -> Ground<'a> {
        Ground {
            directory: &context.directory,
            stores,
            cache: Some(cache),
            now: context.clock.now(),
            progress: &*context.progress,
        }
    }
}
