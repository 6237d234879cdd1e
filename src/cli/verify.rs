//! `modelyard verify`: says who vouches for an artifact.

use std::fmt::{self, Write};
use std::path::PathBuf;

use super::stores::StoreArguments;
use super::{Context, Outcome, Page, Report, completions};
use crate::ops::keys::KeyStore;
use crate::ops::locate::Reference;
use crate::ops::verify::{self, Ground, Verified};
use crate::platform::redact::printable;
use crate::record::{Failure, Fault, Name};
use crate::trust::{Examined, Form, RuleVerdict, Standing};
use crate::yard::Yard;

/// Say who vouches for an artifact
///
/// In a yard the artifact is held against the yard's trust policy; keys that `--key` names take the
/// policy's place. Of a bare OCI reference no model and no lifecycle is known, so every rule of the
/// policy is held against it. Ends with 0 if it is trusted, 1 if it is not or nobody vouches for
/// it, and 2 if it could not be checked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard verify vision/digits:champion
  modelyard verify --key release.pub registry.example.com/acme/vision/digits:1.0.0")]
pub(super) struct Arguments {
    /// What to verify: MODEL[:VERSION|:RANGE|:ALIAS|@DIGEST] of the yard, or an OCI reference
    #[arg(value_name = "REF", add = completions::references())]
    reference: Reference,
    /// A public key whose signature counts, by its file or the name of a key of yours; may be given
    /// several times, and one of them is enough
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    #[command(flatten)]
    stores: StoreArguments,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let options = self.stores.options(context);
        let ground = Ground {
            yard: self.yard(context)?,
            directory: &context.directory,
            stores: &options,
            now: context.clock.now(),
        };
        let verified = verify::verify(&self.reference, &self.keys(context), &ground).await?;
        context.print(&verified)?;
        Ok(match verified.verdict.standing() {
            Standing::Trusted => Outcome::Done,
            Standing::Refused | Standing::Unvouched => Outcome::Problems,
        })
    }

    /// The yard that we are in, which only a version of a model needs.
    fn yard(&self, context: &Context) -> Result<Option<Yard>, Failure> {
        match self.reference {
            Reference::Model(_) => context.yard().map(Some),
            Reference::Oci(_) => context.yard_if_any(),
        }
    }

    /// The files of the public keys.
    fn keys(&self, context: &Context) -> Vec<PathBuf> {
        let store = KeyStore::new(&context.places);
        let file = |key: &String| match key.parse::<Name>() {
            Ok(name) if store.has(&name) => store.public_file(&name),
            _ => context.path(key),
        };
        self.keys.iter().map(file).collect()
    }
}

impl Report for Verified {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let told = match self.verdict.standing() {
            Standing::Trusted => "trusted",
            Standing::Refused => "not trusted",
            Standing::Unvouched => "nobody vouches for it: no rule asks for a signature",
        };
        writeln!(page, "{}", self.reference)?;
        if let Some(version) = &self.version {
            writeln!(page, "  version  {version}")?;
        }
        writeln!(page, "  verdict  {told}")?;
        for rule in &self.verdict.rules {
            write_rule(rule, page)?;
        }
        for signature in &self.verdict.signatures {
            write_signature(signature, page)?;
        }
        if self.verdict.unexamined > 0 {
            let more = self.verdict.unexamined;
            writeln!(page, "{more} more signatures were not looked at")?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        let signers = self.verdict.signers();
        signers.iter().map(|signer| signer.key.clone()).collect()
    }
}

fn write_rule(rule: &RuleVerdict, page: &mut Page) -> fmt::Result {
    let (number, signed, needed) = (rule.rule, rule.signers.len(), rule.needed);
    writeln!(page, "rule {number}: {signed} of {needed} signers")?;
    for signer in &rule.signers {
        writeln!(
            page,
            "  signed   {} ({})",
            printable(&signer.key),
            signer.fingerprint
        )?;
    }
    for unmet in &rule.unmet {
        writeln!(page, "  unmet    {unmet} [{}]", unmet.code())?;
        if let Some(help) = unmet.help() {
            writeln!(page, "           help: {help}")?;
        }
    }
    Ok(())
}

fn write_signature(signature: &Examined, page: &mut Page) -> fmt::Result {
    let form = match signature.form {
        Form::Bundle => "bundle",
        Form::Classic => "classic",
    };
    write!(page, "{form} signature {}", signature.at.short())?;
    match (&signature.signer, &signature.remark) {
        (Some(signer), _) => writeln!(page, " is by {}", printable(&signer.key)),
        (None, Some(remark)) => writeln!(page, " {remark}"),
        (None, None) => writeln!(page),
    }
}
