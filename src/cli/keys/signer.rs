//! Which key signs, as every command that signs takes it.

use super::password::{PasswordArguments, Purpose};
use crate::cli::Context;
use crate::ops::keys::{self, KeyStore};
use crate::record::Failure;
use crate::trust::SigningKey;

/// Which key signs, and its password.
#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct SignerArguments {
    /// The key that signs: its name (`modelyard keys list`), its file, or env://NAME
    /// [default: the key `default`, or the only one]
    #[arg(
        long,
        value_name = "KEY",
        env = "MODELYARD_KEY",
        hide_env_values = true
    )]
    key: Option<String>,
    #[command(flatten)]
    password: PasswordArguments,
}

impl SignerArguments {
    /// Opens the key; `None` if none was named and there is none.
    ///
    /// # Errors
    /// If the key that was named is not there, or its password is another.
    pub(in crate::cli) async fn open(
        &self,
        context: &Context,
    ) -> Result<Option<SigningKey>, Failure> {
        let store = KeyStore::new(&context.places);
        let wish = self.key.as_deref().filter(|wish| !wish.is_empty());
        let Some(source) = keys::choose(&store, &context.directory, wish)? else {
            return Ok(None);
        };
        let variable = |name: &str| context.variable(name);
        let ask = |place: &str| self.password.get(context, place, Purpose::Open);
        keys::open(&source, variable, ask).await.map(Some)
    }
}
