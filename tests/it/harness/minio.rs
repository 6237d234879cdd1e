//! A real S3-compatible store: MinIO on a free loopback port, with a folder of its own.

use std::time::{Duration, Instant};

use super::shared::Shared;
use super::{tools, web};

/// How often another port is tried where somebody else took the one that was free.
const TRIES: usize = 5;

/// How long it may take to come up on a machine that builds at the same time.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running store with nothing in it.
pub struct Minio {
    _process: Shared,
    host: String,
}

impl Minio {
    /// The key that may everything.
    pub const KEY: &str = "modelyard-key";
    /// Its secret.
    pub const SECRET: &str = "modelyard-secret";

    /// Starts one.
    pub fn start() -> Self {
        (0..TRIES)
            .find_map(|_| Self::try_start())
            .expect("MinIO comes up")
    }

    fn try_start() -> Option<Self> {
        let host = web::free_host();
        let words = ["server", "--quiet", "--address", &host, "data"];
        let variables = [
            ("HOME", "."),
            ("MINIO_BROWSER", "off"),
            ("MINIO_UPDATE", "off"),
            ("MINIO_ROOT_USER", Self::KEY),
            ("MINIO_ROOT_PASSWORD", Self::SECRET),
        ];
        let mut process = Shared::start(&tools::path("minio"), &words, &variables);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && process.is_running() {
            let answer = web::try_ask(&host, "GET", "/minio/health/ready", &[], None);
            if answer.is_ok_and(|answer| answer.status == 200) {
                return Some(Self {
                    _process: process,
                    host,
                });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    /// Where its API is.
    pub fn url(&self) -> String {
        format!("http://{}", self.host)
    }

    /// What its clients find it and its key by.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ACCESS_KEY_ID", Self::KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", Self::SECRET.to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("MLFLOW_S3_ENDPOINT_URL", self.url()),
        ]
    }
}
