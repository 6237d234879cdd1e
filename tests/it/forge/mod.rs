//! Forges: one contract, held by each of them, real or faked, and what each may do wrong.

pub(crate) mod contract;
pub(crate) mod fakes;
mod wrong;

#[cfg(feature = "real-tools")]
mod acts;
#[cfg(feature = "real-tools")]
mod described;
#[cfg(feature = "real-tools")]
pub(crate) mod gitea;
#[cfg(feature = "real-tools")]
mod plans;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use modelyard::forge::{self, Address, Forge, Options, Token};
use modelyard::platform::clock::SystemClock;
use modelyard::platform::retry::Policy;
use modelyard::record::kind::ForgeType;
use secrecy::SecretString;
use url::Url;

/// Quick, so that what is tried again is seen at once.
pub(crate) const RETRY: Policy = Policy {
    attempts: 3,
    first_wait: Duration::from_millis(5),
    longest_wait: Duration::from_secs(2),
};

/// The yard `acme/yard` on a forge of this kind at `host`, asked with `token`.
pub(crate) fn connected(kind: ForgeType, host: &str, token: &str) -> Arc<dyn Forge> {
    let page = Url::parse(&format!("http://{host}/acme/yard")).unwrap();
    let address = Address::new(kind, &page).unwrap();
    let token = Token::new("TEST_TOKEN", SecretString::from(token));
    let options = Options {
        retry: RETRY,
        clock: Arc::new(SystemClock),
    };
    forge::connect(address, token, &options).unwrap()
}

/// Now, for what is in the future.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
