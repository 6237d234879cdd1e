//! Container images, built by buildah and run by podman, with a storage of their own.
//!
//! Containers share this machine's network, as machines that run tests may have no other, and are
//! run by runc with limits that need not be raised.

use std::net::{Ipv4Addr, TcpListener};

use super::tools;
use super::{Outcome, Run, Sandbox};

/// buildah and podman, in a sandbox.
pub struct Images<'a> {
    sandbox: &'a Sandbox,
}

impl<'a> Images<'a> {
    /// With no image yet.
    pub fn new(sandbox: &'a Sandbox) -> Self {
        let root = sandbox.root().join("images");
        let root = root.display();
        sandbox.write_home(
            "containers.conf",
            format!(
                "[containers]\n\
                 default_ulimits = [\"nofile=1024:1024\", \"nproc=4096:4096\"]\n\
                 netns = \"host\"\n\
                 [engine]\n\
                 runtime = \"runc\"\n\
                 cgroup_manager = \"cgroupfs\"\n\
                 events_logger = \"file\"\n\
                 tmp_dir = \"{root}/tmp\"\n"
            ),
        );
        sandbox.write_home(
            "storage.conf",
            format!(
                "[storage]\ndriver = \"vfs\"\nrunroot = \"{root}/run\"\ngraphroot = \"{root}/graph\"\n"
            ),
        );
        Self { sandbox }
    }

    /// A command that finds these images.
    pub fn know(&self, run: Run) -> Run {
        let home = self.sandbox.home();
        run.env("CONTAINERS_CONF", home.join("containers.conf"))
            .env("CONTAINERS_STORAGE_CONF", home.join("storage.conf"))
    }

    /// podman with these words.
    pub fn podman<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Outcome {
        self.know(self.sandbox.program("podman", words)).run()
    }

    /// buildah with these words.
    pub fn buildah<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Outcome {
        self.know(self.sandbox.program("buildah", words)).run()
    }

    /// Builds `name` by these lines of a Dockerfile, in the sandbox's folder `context`.
    pub fn build(&self, name: &str, lines: &str) {
        self.sandbox.write("context/Dockerfile", lines);
        let words = [
            "bud",
            "--quiet",
            "--layers",
            "--isolation=chroot",
            "--tag",
            name,
            "context",
        ];
        self.buildah(words).success();
    }

    /// Pushes it to `reference`, in a registry on loopback, in OCI's form.
    pub fn push(&self, name: &str, reference: &str) {
        self.push_as("oci", name, reference);
    }

    /// Pushes it in a form of podman's: `oci` or `v2s2`, which is Docker's.
    pub fn push_as(&self, format: &str, name: &str, reference: &str) {
        let format = format!("--format={format}");
        let to = format!("docker://{reference}");
        let words = ["push", "--quiet", "--tls-verify=false", &format, name, &to];
        self.podman(words).success();
    }

    /// Puts the server of the tests' images into the folder `context`.
    pub fn with_server(&self) {
        let program = std::fs::read(tools::path("model-server")).expect("a tool can be read");
        let place = self.sandbox.write("context/serve", program);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(place, mode).expect("the sandbox is ours");
        }
    }
}

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let address = listener.local_addr().expect("it listens somewhere");
    address.port()
}
