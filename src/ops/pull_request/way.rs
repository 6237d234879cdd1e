//! How pull requests come about in a yard: on which forge, or why on none.

use std::sync::Arc;

use secrecy::SecretString;

use crate::forge::{self, Address, Choice, Forge, Options, Place};
use crate::ops::codes;
use crate::record::{Code, Failure, Fault};
use crate::yard::{Catalog, Revision, Yard};

/// How pull requests come about here.
#[derive(Debug, Clone)]
pub enum Way {
    /// On this forge.
    Forge(Arc<dyn Forge>),
    /// On none.
    None(NoForge),
}

/// Why there is no forge that can be asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NoForge {
    /// There is no token for it.
    #[error("there is no token for {address}")]
    NoToken {
        /// Where it is.
        address: Box<Address>,
        /// The variables that may have one.
        variables: Vec<&'static str>,
    },
    /// The remote is on a host of which nobody has said what it is.
    #[error("which forge {host} is, is not known")]
    Unknown {
        /// The host.
        host: String,
    },
    /// There is no remote, or one without a forge.
    #[error("the yard is on no forge")]
    Git,
}

impl Fault for NoForge {
    fn code(&self) -> &'static Code {
        &codes::FORGE_NEEDED
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoToken { variables, .. } => format!("set {}", variables.join(" or ")),
            Self::Unknown { .. } | Self::Git => "say which as `spec.forge` in main's \
                modelyard.yaml, or by `--forge` to a command that has it"
                .to_owned(),
        })
    }
}

impl Way {
    /// The forge.
    ///
    /// # Errors
    /// [`NoForge`].
    pub fn forge(&self) -> Result<Arc<dyn Forge>, NoForge> {
        match self {
            Self::Forge(forge) => Ok(Arc::clone(forge)),
            Self::None(why) => Err(why.clone()),
        }
    }

    /// The yard's place on its forge, as far as that is known.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Forge(forge) => Some(forge.address()),
            Self::None(NoForge::NoToken { address, .. }) => Some(address),
            Self::None(NoForge::Unknown { .. } | NoForge::Git) => None,
        }
    }
}

/// How pull requests come about in `yard`: as `choice` says, else main's `modelyard.yaml`, else
/// the remote's URL; with the token that `variable` has.
///
/// # Errors
/// [`ForgeError`](crate::forge::ForgeError) if a forge is named that can't be found, or can't be
/// asked safely.
pub fn way(
    yard: &Yard,
    choice: Option<&Choice>,
    variable: impl Fn(&str) -> Option<SecretString>,
    options: &Options,
) -> Result<Way, Failure> {
    let Some(remote) = yard.remote()? else {
        return Ok(Way::None(NoForge::Git));
    };
    // A yard that can't be read is for others to tell.
    let main = yard.snapshot(&Revision::Main).ok();
    let record = main.and_then(|main| Catalog::new(main).yard().ok());
    let record = record.and_then(|record| record.spec.forge);
    let address = match forge::settle(Some(&remote.url), record.as_ref(), choice)? {
        Place::Git => return Ok(Way::None(NoForge::Git)),
        Place::Unknown { host } => return Ok(Way::None(NoForge::Unknown { host })),
        Place::Forge(address) => address,
    };
    Ok(match forge::token(&address, &variable) {
        Some(token) => Way::Forge(forge::connect(address, token, options)?),
        None => Way::None(NoForge::NoToken {
            variables: forge::variables(&address, &variable),
            address: Box::new(address),
        }),
    })
}
