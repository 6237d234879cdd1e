//! Verifying: what the policy says of an artifact in a store.

use super::discover::{Found, signatures};
use super::error::TrustError;
use super::policy::{Context, Policy, judge};
use super::verdict::Verdict;
use crate::artifact::Store;
use crate::record::Digest;

/// Says what `policy` makes of `subject` in `store`. Where no rule that fits asks for signatures,
/// the store is not asked.
///
/// `subject` has to be the digest that was recomputed from the manifest's bytes.
///
/// # Errors
/// [`TrustError`] if the store can't tell; never because something is not signed.
pub async fn verify(
    store: &dyn Store,
    subject: &Digest,
    policy: &Policy,
    context: &Context,
) -> Result<Verdict, TrustError> {
    let found = if policy.asks_for_signatures(context) {
        signatures(store, subject).await?
    } else {
        Found::default()
    };
    Ok(judge(&policy.rules, &policy.keys, context, subject, &found))
}
