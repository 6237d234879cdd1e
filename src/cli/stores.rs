//! What every command takes that talks with a store.

use super::Context;
use crate::artifact::StoreOptions;

/// How stores are talked with.
#[derive(Debug, clap::Args)]
pub(super) struct StoreArguments {
    /// Speak plain HTTP with registries, which is otherwise done on this machine only; `false`
    /// never does
    #[arg(
        long,
        env = "MODELYARD_PLAIN_HTTP",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    plain_http: Option<bool>,
}

impl StoreArguments {
    pub(super) fn options(&self, context: &Context) -> StoreOptions {
        StoreOptions {
            plain_http: self.plain_http,
            ..StoreOptions::new(&context.places)
        }
    }
}
