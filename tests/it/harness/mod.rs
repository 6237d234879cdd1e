//! What the integration tests stand on: a machine of its own for each test, and real servers.
//!
//! - [`Sandbox`]: a temporary folder with a home, a clean environment, and the built `modelyard`,
//!   `git` and the outside tools run in it. Nothing of the developer's machine shines through.
//! - [`Terminal`]: a person before a screen, who types and looks.
//! - [`Front`]: an HTTP server before a registry (or before nothing) that counts what is asked of
//!   it and misbehaves on demand.
//! - behind the feature `real-tools`: [`registry`] starts real registries, [`GitHttp`] serves
//!   bare repositories by git's own `http-backend`, [`gitea`] starts a real forge, [`tools`] finds
//!   other people's programs, [`cluster`] starts Kubernetes and KServe, [`killed_at_every_write`] kills a command before each of its writes.
//!
//! Whatever a test starts here listens on a free loopback port, is awaited by asking it rather
//! than by sleeping, and ends when its value is dropped.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test takes from the harness what it needs"
)]

mod bad;
pub mod forges;
mod front;
mod geti;
mod http;
mod hub;
mod patience;
mod sandbox;
mod terminal;
mod yard;

#[cfg(feature = "real-tools")]
pub mod cluster;
#[cfg(feature = "real-tools")]
pub mod docker;
#[cfg(feature = "real-tools")]
mod git_http;
#[cfg(feature = "real-tools")]
pub mod gitea;
#[cfg(feature = "real-tools")]
pub mod images;
#[cfg(feature = "real-tools")]
mod kernel;
#[cfg(feature = "real-tools")]
mod killing;
#[cfg(feature = "real-tools")]
pub mod minio;
#[cfg(feature = "real-tools")]
pub mod mlflow;
#[cfg(feature = "real-tools")]
pub mod prism;
#[cfg(feature = "real-tools")]
mod process;
#[cfg(feature = "real-tools")]
mod prometheus;
#[cfg(feature = "real-tools")]
mod proof;
#[cfg(feature = "real-tools")]
pub mod registry;
#[cfg(feature = "real-tools")]
mod shared;
#[cfg(feature = "real-tools")]
pub mod tools;
pub mod web;

pub use bad::{BadRecord, bad_records, refusals};
pub use front::{Answer, Front};
pub use geti::{FakeGeti, GETI_TOKEN};
#[cfg(feature = "real-tools")]
pub use git_http::GitHttp;
pub use hub::{FakeHub, HUB_TOKEN};
#[cfg(feature = "real-tools")]
pub use kernel::under_own_kernel;
#[cfg(feature = "real-tools")]
pub use killing::{full_at_each_nth_write, killed_at_each_nth_write, killed_at_every_write};
pub use patience::{in_time, in_time_of_tasks};
#[cfg(feature = "real-tools")]
pub use prometheus::Prometheus;
pub use sandbox::{Outcome, Run, Sandbox};
pub use terminal::Terminal;
pub use yard::Yard;

/// A user name and password that a server of the harness asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The password, in clear: it guards a temporary folder.
    pub password: String,
}

impl Login {
    /// A login of these two.
    pub fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
        }
    }

    /// The value of the `Authorization` header that carries it.
    pub fn basic(&self) -> String {
        use base64::prelude::{BASE64_STANDARD, Engine as _};

        format!(
            "Basic {}",
            BASE64_STANDARD.encode(format!("{}:{}", self.user, self.password))
        )
    }
}
