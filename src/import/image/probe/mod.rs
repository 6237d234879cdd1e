//! Which protocol an image's server speaks: it is started, asked, and ended.
//!
//! It runs somebody else's program, and so only where a person asked for it, by the user's own
//! podman or docker, with no more rights than it begins with, and with ports on loopback alone.
//! Whatever happens it is removed: when the answer is there, when it fails, and when we are
//! interrupted.

mod engine;
mod protocol;
mod running;

use serde_json::{Value, json};

use super::config::ImageConfig;
use super::holder::Holder;
use crate::import::ImportError;
use crate::import::annotations::Told;
use crate::record::Digest;

pub(super) use engine::Engine;
pub(super) use protocol::Protocol;

/// What a probe found.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Probed {
    /// What it speaks; nothing where nothing was recognised.
    pub(super) protocol: Option<Protocol>,
    /// What it calls itself.
    pub(super) server: Option<String>,
    /// The models that it says it has.
    pub(super) models: Vec<String>,
    /// What its only model takes and gives.
    pub(super) inputs: Option<Value>,
    pub(super) outputs: Option<Value>,
    /// Why nothing was recognised.
    pub(super) why_not: Option<String>,
}

impl Engine {
    /// Starts the image, asks it what it speaks, and ends it.
    ///
    /// # Errors
    /// If the engine doesn't have it or doesn't start it. One that starts and doesn't answer is no
    /// error: that is what was found.
    pub(super) async fn probe(
        &self,
        holder: &Holder,
        digest: Digest,
        config: &ImageConfig,
    ) -> Result<Probed, ImportError> {
        let fetched = self.fetch(holder, digest).await?;
        let running = self.start(&fetched, &config.listens()).await?;
        let models = config.model_names();
        let probed = running.ask(&models).await;
        running.end().await?;
        fetched.remove().await?;
        probed
    }
}

impl Probed {
    /// Says it in the words of records.
    pub(super) fn tell(&self, told: &mut Told) {
        if let Some(protocol) = self.protocol {
            told.keep("probe.protocol", json!(protocol.as_str()));
            told.remarks
                .push(format!("it speaks {}", protocol.described()));
        }
        told.keep("probe.server", json!(self.server));
        told.keep("probe.models", json!(self.models));
        for (field, value) in [("inputs", &self.inputs), ("outputs", &self.outputs)] {
            if let Some(value) = value {
                told.version.insert(field.to_owned(), value.clone());
            }
        }
        if let Some(why_not) = &self.why_not {
            told.remarks
                .push(format!("its protocol was not recognised: {why_not}"));
        }
    }
}
