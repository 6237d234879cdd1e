//! Prism, which holds calls and answers against an API's description.

use std::path::Path;
use std::process::Command;

use super::process::Process;
use super::{tools, web};

/// A running prism.
pub struct Prism {
    process: Process,
    host: String,
}

impl Prism {
    /// Between its callers and `upstream`, by the description in `file`; what breaks it is refused.
    pub fn proxy(file: &Path, upstream: &str, folder: &Path) -> Self {
        let host = web::free_host();
        let (address, port) = host.split_once(':').expect("a host and a port");
        let mut command = Command::new(tools::path("prism"));
        command
            .args(["proxy", "--errors", "--port", port, "--host", address])
            .arg(file)
            .arg(format!("http://{upstream}"));
        let mut process = Process::start(&mut command, &folder.join("prism.log"));
        process.word_after("Prism is listening on http://");
        Self { process, host }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.host.clone()
    }

    /// What it said so far.
    pub fn log(&self) -> String {
        self.process.log()
    }
}
