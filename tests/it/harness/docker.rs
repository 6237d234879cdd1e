//! Docker's own engine, with a storage, a network and mounts of its own: whatever it sets up
//! there ends with it. It has to be root.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::in_time;
use super::sandbox::{Outcome, Run, Sandbox};
use super::shared::Shared;

/// Readies the network before the engine starts in it.
const SHELL: &str = r#"
ip link set lo up && exec dockerd --iptables=false --storage-driver=vfs \
    --data-root="$PWD/data" --exec-root="$PWD/run" --pidfile="$PWD/pid" --host="unix://$PWD/socket"
"#;

/// A running engine with no image.
pub struct Docker {
    process: Shared,
}

impl Docker {
    /// Starts one.
    pub fn start() -> Self {
        let words = ["--net", "--mount", "sh", "-c", SHELL];
        let mut process = Shared::start(Path::new("unshare"), &words, &[]);
        let began = Instant::now();
        while !process.folder().join("socket").exists() {
            assert!(
                process.is_running(),
                "Docker's engine needs root\n{}",
                process.log()
            );
            in_time(began);
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process }
    }

    /// A command in its network, which finds it by Docker's variable.
    pub fn know(&self, run: Run) -> Run {
        let folder = self.process.folder();
        let pid = fs::read_to_string(folder.join("pid")).expect("it writes that");
        let network = OsString::from(format!("--net=/proc/{}/ns/net", pid.trim()));
        run.under(Path::new("nsenter"), [network]).env(
            "DOCKER_HOST",
            format!("unix://{}", folder.join("socket").display()),
        )
    }

    /// docker with these words.
    pub fn docker<'w>(
        &self,
        sandbox: &Sandbox,
        words: impl IntoIterator<Item = &'w str>,
    ) -> Outcome {
        self.know(sandbox.program("docker", words)).run()
    }
}
