//! A real Prometheus, told what to scrape after it has started.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::process::Process;

/// It scrapes five times a second.
const CONFIGURATION: &str = "\
global: {scrape_interval: 200ms, scrape_timeout: 200ms}
scrape_configs:
  - job_name: modelyard
    file_sd_configs:
      - {files: [targets.json], refresh_interval: 200ms}
";

/// The server; it ends with this.
pub struct Prometheus {
    _process: Process,
    folder: TempDir,
    /// Where its HTTP API is.
    pub url: String,
}

impl Prometheus {
    /// Starts it, with nothing to scrape.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = |name: &str| folder.path().join(name);
        fs::write(file("prometheus.yaml"), CONFIGURATION).expect("a fresh folder can be filled");
        fs::write(file("targets.json"), "[]").expect("a fresh folder can be filled");
        let mut process = Process::start(
            Command::new("prometheus")
                .arg(argument("config.file", &file("prometheus.yaml")))
                .arg(argument("storage.tsdb.path", &file("data")))
                .arg("--web.listen-address=127.0.0.1:0")
                .arg("--log.format=logfmt"),
            &file("log"),
        );
        let address = process.word_after("msg=\"Listening on\" address=");
        process.word_after("msg=\"Server is ready to receive web requests");
        Self {
            _process: process,
            folder,
            url: format!("http://{address}"),
        }
    }

    /// Has it scrape `/metrics` there from now on.
    pub fn scrapes(&self, address: &str) {
        let targets = format!("[{{\"targets\": [\"{address}\"]}}]");
        let path = self.folder.path().join("targets.new");
        fs::write(&path, targets).expect("its folder can be written");
        fs::rename(path, self.folder.path().join("targets.json"))
            .expect("its folder can be written");
    }
}

fn argument(name: &str, value: &Path) -> String {
    format!("--{name}={}", value.display())
}
