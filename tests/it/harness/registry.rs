//! Real registries on loopback, each with a temporary folder of its own.
//!
//! [`Distribution`] is the CNCF's registry, which has no referrers API; [`Referrers`] is
//! go-containerregistry's, which has it. Both listen on a free port and end on drop.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::Process;
use super::{Login, tools};

/// The name under which a token server and its registry know each other.
const SERVICE: &str = "registry.test";

fn folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("modelyard-registry-")
        .tempdir()
        .expect("a temporary folder can be made")
}

/// The CNCF's registry, `distribution`.
pub struct Distribution {
    process: Process,
    tokens: Option<TokenServer>,
    folder: TempDir,
    host: String,
}

/// How a [`Distribution`] is to be.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing runs before `.start()`"]
pub struct DistributionBuilder {
    access: Access,
    delete: bool,
    read_only: bool,
}

#[derive(Clone, Debug, Default)]
enum Access {
    #[default]
    Open,
    Basic(Login),
    Bearer(Tokens),
}

impl Distribution {
    /// Open to everyone.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// One that asks for more.
    pub fn builder() -> DistributionBuilder {
        DistributionBuilder::default()
    }

    /// `127.0.0.1:PORT`, as a reference begins.
    pub fn host(&self) -> String {
        self.host.clone()
    }

    /// Where its blobs lie: `docker/registry/v2/blobs/sha256/<xx>/<hex>/data`.
    pub fn storage(&self) -> PathBuf {
        self.folder.path().join("storage")
    }

    /// The file that holds a blob, to look at or to tamper with.
    pub fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").expect("a sha256 digest");
        self.storage()
            .join("docker/registry/v2/blobs/sha256")
            .join(&hex[..2])
            .join(hex)
            .join("data")
    }

    /// What it said so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Its token server, where it has one.
    pub fn tokens(&self) -> Option<&TokenServer> {
        self.tokens.as_ref()
    }
}

impl DistributionBuilder {
    /// Behind basic authentication.
    pub fn basic(mut self, login: &Login) -> Self {
        self.access = Access::Basic(login.clone());
        self
    }

    /// Behind bearer tokens, given out by a token server of its own.
    pub fn bearer(mut self, tokens: Tokens) -> Self {
        self.access = Access::Bearer(tokens);
        self
    }

    /// Manifests and blobs can be deleted.
    pub fn deletable(mut self) -> Self {
        self.delete = true;
        self
    }

    /// Nothing can be pushed (405).
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Starts it and waits until it listens.
    pub fn start(self) -> Distribution {
        let folder = folder();
        let storage = folder.path().join("storage");
        let mut tokens = None;
        let auth = match &self.access {
            Access::Open => String::new(),
            Access::Basic(login) => {
                let file = folder.path().join("htpasswd");
                fs::write(&file, htpasswd(login)).expect("a fresh folder can be filled");
                format!(
                    "auth:\n  htpasswd:\n    realm: test\n    path: {}\n",
                    file.display()
                )
            }
            Access::Bearer(wish) => {
                let server = TokenServer::start(wish);
                let auth = format!(
                    "auth:\n  token:\n    realm: {}\n    service: {SERVICE}\n    \
                     issuer: modelyard-tests\n    rootcertbundle: {}\n",
                    server.realm(),
                    server.certificate().display()
                );
                tokens = Some(server);
                auth
            }
        };
        let configuration = format!(
            "version: 0.1\nlog:\n  level: info\n  accesslog:\n    disabled: true\n\
             storage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: {}\n  \
             maintenance:\n    readonly:\n      enabled: {}\n    uploadpurging:\n      enabled: false\n\
             http:\n  addr: 127.0.0.1:0\n{auth}",
            storage.display(),
            self.delete,
            self.read_only,
        );
        let file = folder.path().join("config.yaml");
        fs::write(&file, configuration).expect("a fresh folder can be filled");
        let mut process = Process::start(
            Command::new(tools::path("registry"))
                .arg("serve")
                .arg(&file)
                .env("OTEL_TRACES_EXPORTER", "none"),
            &folder.path().join("log"),
        );
        let host = process.word_after("listening on ");
        Distribution {
            process,
            tokens,
            folder,
            host,
        }
    }
}

fn htpasswd(login: &Login) -> String {
    let output = Command::new(tools::path("token-server"))
        .args(["-htpasswd", &format!("{}:{}", login.user, login.password)])
        .output()
        .expect("the token server runs");
    String::from_utf8(output.stdout).expect("bcrypt is text")
}

/// go-containerregistry's registry with the referrers API; blobs on disk, manifests in memory.
pub struct Referrers {
    process: Process,
    folder: TempDir,
    host: String,
}

impl Referrers {
    /// Open to everyone.
    pub fn start() -> Self {
        Self::launch(None)
    }

    /// Behind basic authentication.
    pub fn basic(login: &Login) -> Self {
        Self::launch(Some(login))
    }

    fn launch(login: Option<&Login>) -> Self {
        let folder = folder();
        let mut command = Command::new(tools::path("referrers-registry"));
        command.arg("-blobs").arg(folder.path().join("blobs"));
        if let Some(login) = login {
            command
                .arg("-basic")
                .arg(format!("{}:{}", login.user, login.password));
        }
        let mut process = Process::start(&mut command, &folder.path().join("log"));
        let host = process.word_after("listening on ");
        Self {
            process,
            folder,
            host,
        }
    }

    /// `127.0.0.1:PORT`, as a reference begins.
    pub fn host(&self) -> String {
        self.host.clone()
    }

    /// The file that holds a blob, to look at or to tamper with.
    ///
    /// Tampered with, this registry says 404: it hashes before it serves.
    pub fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").expect("a sha256 digest");
        self.folder.path().join("blobs/sha256").join(hex)
    }

    /// What it said so far.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

/// How bearer tokens are given out.
#[derive(Clone, Debug)]
pub struct Tokens {
    login: Login,
    anonymous_pull: bool,
    lifetime_seconds: u32,
    dead_on_arrival: u32,
}

impl Tokens {
    /// To this login alone, good for five minutes.
    pub fn to(login: &Login) -> Self {
        Self {
            login: login.clone(),
            anonymous_pull: false,
            lifetime_seconds: 300,
            dead_on_arrival: 0,
        }
    }

    /// Who comes without a login may pull, and only pull.
    pub fn anonymous_pull(mut self) -> Self {
        self.anonymous_pull = true;
        self
    }

    /// The registry refuses a token this long after it was given.
    pub fn lifetime_seconds(mut self, seconds: u32) -> Self {
        self.lifetime_seconds = seconds;
        self
    }

    /// The first so many tokens have run out when they are given, as if time had passed: whoever
    /// is refused with one must ask for another.
    pub fn dead_on_arrival(mut self, tokens: u32) -> Self {
        self.dead_on_arrival = tokens;
        self
    }
}

/// A token server after distribution's specification.
pub struct TokenServer {
    process: Process,
    folder: TempDir,
    host: String,
}

impl TokenServer {
    fn start(tokens: &Tokens) -> Self {
        let folder = folder();
        let mut command = Command::new(tools::path("token-server"));
        command
            .args(["-service", SERVICE, "-issuer", "modelyard-tests"])
            .args([
                "-login",
                &format!("{}:{}", tokens.login.user, tokens.login.password),
            ])
            .args(["-lifetime", &format!("{}s", tokens.lifetime_seconds)])
            .args(["-dead-on-arrival", &tokens.dead_on_arrival.to_string()])
            .arg(format!("-anonymous-pull={}", tokens.anonymous_pull))
            .arg("-certificate")
            .arg(certificate(folder.path()));
        let mut process = Process::start(&mut command, &folder.path().join("log"));
        let host = process.word_after("listening on ");
        Self {
            process,
            folder,
            host,
        }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.host.clone()
    }

    /// By name: crane refuses a realm that is a loopback address.
    fn realm(&self) -> String {
        let (_, port) = self.host.rsplit_once(':').expect("the host has a port");
        format!("http://localhost:{port}/token")
    }

    fn certificate(&self) -> PathBuf {
        certificate(self.folder.path())
    }

    /// How many tokens were given out.
    pub fn given(&self) -> usize {
        self.process.log().matches("token given").count()
    }
}

fn certificate(folder: &Path) -> PathBuf {
    folder.join("certificate.pem")
}
