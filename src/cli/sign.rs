//! `modelyard sign`: signs an artifact by one of the user's keys.

use std::fmt::{self, Write};

use super::keys::signer::SignerArguments;
use super::stores::StoreArguments;
use super::{Context, Outcome, Page, Report, completions};
use crate::ops::keys::KeysError;
use crate::ops::locate::{self, Reference};
use crate::ops::sign::{self, SignedArtifact};
use crate::record::Failure;
use crate::trust::Form;
use crate::yard::{Catalog, blocking};

/// Sign an artifact, so that others can tell who vouches for it
///
/// The signature lies beside the artifact in both of cosign's formats: a bundle that refers to it,
/// and a layer under the tag `sha256-….sig`. Signing again by the same key changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard sign vision/digits:1.0.0
  modelyard sign --key release registry.example.com/acme/vision/digits:1.0.0
  modelyard sign --key env://SIGNING_KEY oci-layout:./store/vision/digits:1.0.0")]
pub(super) struct Arguments {
    /// What to sign: MODEL[:VERSION|:RANGE|:ALIAS|@DIGEST] of the yard, or an OCI reference
    #[arg(value_name = "REF", add = completions::references())]
    reference: Reference,
    #[command(flatten)]
    signer: SignerArguments,
    #[command(flatten)]
    stores: StoreArguments,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let options = self.stores.options(context);
        let located = match &self.reference {
            Reference::Oci(reference) => {
                locate::in_store(reference, &context.directory, &options).await?
            }
            Reference::Model(reference) => {
                let yard = context.yard()?;
                let snapshot = blocking(move || yard.snapshot(&yard.at_hand())).await?;
                let catalog = Catalog::new(snapshot);
                locate::in_yard(reference, &catalog, &options).await?
            }
        };
        let key = self.signer.open(context).await?.ok_or(KeysError::NoKey)?;
        let signed = sign::sign(&located, &key, context.clock.as_ref()).await?;
        context.print(&signed)?;
        Ok(Outcome::Done)
    }
}

impl Report for SignedArtifact {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let (reference, key) = (&self.reference, self.signed.key);
        if self.unchanged {
            writeln!(page, "unchanged: {reference}")?;
            return writeln!(page, "  was signed by the key {key} before");
        }
        writeln!(page, "signed {reference}")?;
        writeln!(page, "  key      {key}")?;
        for form in &self.signed.written {
            let told = match form {
                Form::Bundle => "bundle   refers to it",
                Form::Classic => "classic  a layer under its signatures' tag",
            };
            writeln!(page, "  {told}")?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        vec![self.reference.clone()]
    }
}
