//! A yard with the sample's versions, and a server of its environment `host`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Sandbox, Yard};

#[allow(unused_imports, reason = "benches need less of it")]
pub(super) use super::asking::{Clients, request};

/// How long anything may take on a machine that builds at the same time.
const PATIENCE: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(10);

const ENVIRONMENT: &str = "\
apiVersion: modelyard.dev/v1
kind: Environment
metadata: {name: host}
spec:
  target: {type: process}
";

/// What a deployment of `vision/digits:champion` begins with.
pub(super) const DEPLOYMENT: &str = "\
apiVersion: modelyard.dev/v1
kind: Deployment
metadata: {name: digits, environment: host}
spec:
  model: vision/digits
  version: champion
";

/// A quick canary.
pub(super) const CANARY: &str = "  \
  strategy:
    type: canary
    steps:
      - {weight: 25, for: 1s}
      - {weight: 50, for: 1s}
";

/// The yard, and its server if one runs.
pub(super) struct Stage<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) yard: Yard<'a>,
    server: Option<Child>,
    address: Option<String>,
    /// Where the state is seen, where that is on a disk of the server's own.
    seen: Option<PathBuf>,
}

/// What mounts a disk of so many bytes at the state, where this process alone and what it starts
/// see it, and then becomes what is behind that.
#[cfg(feature = "real-tools")]
const ON_A_DISK: &str = r#"mount -t tmpfs -o "size=$1" none "$2" && shift 2 && exec "$@""#;

impl<'a> Stage<'a> {
    /// A shared yard with the versions 1.0.0, which is the champion, 1.1.0 and 1.2.0, which is
    /// broken; all of them released.
    pub(super) fn set(sandbox: &'a Sandbox) -> Self {
        Self::bare(sandbox).with_digits()
    }

    /// The same, with its store in a registry.
    #[cfg(feature = "real-tools")]
    pub(super) fn set_at(sandbox: &'a Sandbox, registry: &str) -> Self {
        let stage = Self::bare(sandbox);
        let yard = sandbox.read("yard/modelyard.yaml");
        let store = format!("{registry}/acme");
        let yard = yard.replace("oci-layout:./store", &store);
        stage.yard.write("modelyard.yaml", &yard);
        stage.merge_all("A registry");
        stage.with_digits()
    }

    fn with_digits(self) -> Self {
        for version in ["1.0.0", "1.1.0", "1.2.0"] {
            self.publish("digits", version, "vision/digits");
        }
        self.champion("1.0.0");
        self
    }

    /// A shared yard with the environment, and no models.
    pub(super) fn bare(sandbox: &'a Sandbox) -> Self {
        let stage = Self {
            sandbox,
            yard: sandbox.shared_yard(),
            server: None,
            address: None,
            seen: None,
        };
        stage.yard.write("environments/host.yaml", ENVIRONMENT);
        stage.merge_all("An environment");
        stage
    }

    /// Publishes and merges a version of `examples/`, released.
    pub(super) fn publish(&self, sample: &str, version: &str, name: &str) {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
        let records = ["model", version].map(|file| format!("{folder}/{sample}/{file}.yaml"));
        self.publish_from(
            &format!("{folder}/{sample}/{version}"),
            &records,
            name,
            version,
        );
    }

    /// Publishes and merges a version of the files in `folder`, released.
    pub(super) fn publish_from(&self, folder: &str, records: &[String], name: &str, version: &str) {
        let reference = format!("{name}:{version}");
        let words = ["publish", folder, "--as", &reference, "--unsigned"];
        let records = records.iter().flat_map(|record| ["--from", record]);
        self.yard
            .modelyard(words.into_iter().chain(records))
            .run()
            .success();
        self.merge(&format!("publish/{name}/{version}"));
        let released = format!("{name}:{version}");
        let promote = ["promote", &released, "--to", "released"];
        self.yard.modelyard(promote).run().success();
        self.merge(&format!("promote/{name}/{version}"));
    }

    /// Merges a branch, and pushes main.
    pub(super) fn merge(&self, branch: &str) {
        self.yard.merge(branch);
        self.push();
    }

    /// Commits all there is on main, and pushes it.
    pub(super) fn merge_all(&self, message: &str) {
        self.yard.commit(message);
        self.push();
    }

    fn push(&self) {
        self.yard
            .git(["push", "--quiet", "origin", "main"])
            .run()
            .success();
    }

    /// Makes `version` the champion, on main.
    pub(super) fn champion(&self, version: &str) {
        let version = format!("vision/digits:{version}");
        let promote = ["promote", &version, "--alias", "champion"];
        self.yard.modelyard(promote).run().success();
        self.merge(&format!("promote/{}", version.replace(':', "/")));
    }

    /// Has main say that `champion` is deployed, with this behind its spec.
    pub(super) fn deploy(&self, more: &str) {
        self.yard.write(
            "deployments/host/digits.yaml",
            &format!("{DEPLOYMENT}{more}"),
        );
        self.merge_all("A deployment");
    }

    pub(super) fn state(&self) -> PathBuf {
        let seen = self.seen.clone();
        seen.unwrap_or_else(|| self.sandbox.path("state"))
    }

    /// A command about the environment.
    pub(super) fn command(&self, words: &[&str]) -> crate::harness::Run {
        let state = self.state();
        let host = ["--environment", "host", "--state", state.to_str().unwrap()];
        self.yard.modelyard(words.iter().copied().chain(host))
    }

    /// Starts a server, at the address of the one before if there was one.
    pub(super) fn serve(&mut self) {
        self.serve_given(&[], &[]);
    }

    /// The same, with more arguments, and more variables in its environment.
    pub(super) fn serve_given(&mut self, arguments: &[&str], variables: &[(&str, &str)]) {
        let listen = self.address.clone();
        let listen = listen.unwrap_or_else(|| "127.0.0.1:0".to_owned());
        let words = [
            "serve", "--listen", &listen, "--poll", "1h", "--output", "json",
        ];
        let words: Vec<&str> = words.iter().chain(arguments).copied().collect();
        let mut command = self.command(&words).into_command();
        command.envs(variables.iter().copied());
        self.begin(command);
    }

    /// Starts a server whose state is on a disk of its own, of so many bytes, and which looks at
    /// main every second.
    #[cfg(feature = "real-tools")]
    pub(super) fn serve_on_a_disk(&mut self, bytes: u64) {
        let state = self.sandbox.path("state");
        fs::create_dir_all(&state).unwrap();
        let state = state.to_str().unwrap();
        let size = bytes.to_string();
        // As nobody in particular; where that is not allowed, root may still mount.
        let anybody = ["--user", "--map-root-user", "--mount"];
        let mut probe = Command::new("unshare");
        let may = probe.args(anybody).arg("true").stderr(Stdio::null());
        let words = match may.status().is_ok_and(|status| status.success()) {
            true => &anybody[..],
            false => &anybody[2..],
        };
        let words = words.iter().copied().chain(["sh", "-c", ON_A_DISK, "sh"]);
        let serve = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--poll",
            "1s",
            "--output",
            "json",
            "--environment",
            "host",
            "--state",
            state,
        ];
        let program = [&*size, state, env!("CARGO_BIN_EXE_modelyard")];
        let words = words.chain(program).chain(serve);
        let command = self.sandbox.program("unshare", words).in_folder("yard");
        let server = self.begin(command.into_command());
        self.seen = Some(format!("/proc/{server}/root{state}").into());
    }

    fn begin(&mut self, mut command: Command) -> u32 {
        // What was told before is no longer so.
        let _ = fs::remove_file(self.state().join("status.json"));
        let log = self.sandbox.path("serve.log");
        let errors = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let said = self.sandbox.path("serve.out");
        let child = command
            .stdin(Stdio::null())
            .stdout(File::create(&said).unwrap())
            .stderr(errors)
            .spawn()
            .unwrap();
        let process = child.id();
        self.server = Some(child);
        self.address = Some(self.wait(|| {
            let line = fs::read_to_string(&said).unwrap();
            let line: Value = serde_json::from_str(line.strip_suffix('\n')?).ok()?;
            Some(line["listening"].as_str()?.to_owned())
        }));
        process
    }

    /// Has the next server listen there.
    pub(super) fn listens(&mut self, address: &str) {
        self.address = Some(address.to_owned());
    }

    /// Takes a server that somebody else started, and would leave running.
    pub(super) fn adopt(&mut self, server: Child) {
        self.server = Some(server);
    }

    /// Where the server listens.
    pub(super) fn address(&self) -> &str {
        self.address.as_ref().unwrap()
    }

    /// The URL of the deployment `digits`.
    pub(super) fn url(&self) -> String {
        format!("http://{}/v2/models/digits/infer", self.address())
    }

    /// All that the server said.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.sandbox.path("serve.log")).unwrap_or_default()
    }

    /// Has the server look at main at once.
    pub(super) fn nudge(&self) {
        self.command(&["reconcile", "--nudge"]).run().success();
    }

    /// Waits for something.
    #[track_caller]
    pub(super) fn wait<T>(&self, look: impl Fn() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "it never came\n{:#}\n{}",
                self.status(),
                self.log()
            );
            std::thread::sleep(POLL);
        }
    }

    /// What is told of the environment; nothing where nothing is.
    pub(super) fn status(&self) -> Value {
        let text = fs::read_to_string(self.state().join("status.json"));
        text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    /// Waits until the deployment `digits` is as it is looked for; returns its status.
    #[track_caller]
    pub(super) fn until(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.wait(|| {
            let status = self.status();
            let deployment = status["deployments"].as_array()?.iter();
            let mut deployment = deployment.filter(|one| one["name"] == "digits");
            deployment.next().filter(|one| wanted(one)).cloned()
        })
    }

    /// Waits until `version` is all that serves, and nothing is left to do.
    #[track_caller]
    pub(super) fn serves(&self, version: &str) -> Value {
        let version = format!("vision/digits {version}");
        self.until(|one| {
            one["health"] == "healthy"
                && one["stable"] == version.as_str()
                && one["serving"].as_array().is_some_and(|all| all.len() == 1)
                && one["instances"]
                    .as_array()
                    .is_some_and(|all| all.len() == 1)
        })
    }

    /// The process that answers, below the one that holds the socket.
    pub(super) fn server(&self) -> u32 {
        let parent = self.server.as_ref().unwrap().id();
        self.wait(|| children(parent).first().copied())
    }

    /// The runtimes that run.
    pub(super) fn runtimes(&self) -> Vec<u32> {
        shims(&self.state())
            .into_iter()
            .flat_map(children)
            .collect()
    }

    /// Has the program started anew.
    pub(super) fn upgrade(&self) {
        kill("-HUP", self.server.as_ref().unwrap().id());
    }

    /// Waits until the server has ended, as it was told to; returns its exit code.
    pub(super) fn ends(&mut self, signal: &str) -> Option<i32> {
        let mut server = self.server.take().unwrap();
        kill(signal, server.id());
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = server.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it never ends\n{}", self.log());
            std::thread::sleep(POLL);
        }
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        // A disk of the server's own is not seen any more when the server is gone.
        let (mut below, mut groups) = (shims(&self.state()), groups(&self.state()));
        if let Some(mut server) = self.server.take() {
            // Or it would start another child where one ends.
            kill("-STOP", server.id());
            for child in children(server.id()) {
                kill("-KILL", child);
            }
            let _ = server.kill();
            let _ = server.wait();
        }
        below.extend(shims(&self.state()));
        for shim in below {
            for child in children(shim) {
                kill("-KILL", child);
            }
            kill("-KILL", shim);
        }
        groups.extend(self::groups(&self.state()));
        let deadline = Instant::now() + PATIENCE;
        while groups.iter().any(|group| group.exists()) && Instant::now() < deadline {
            for group in &groups {
                let _ = fs::write(group.join("cgroup.kill"), "1");
                let _ = fs::remove_dir(group);
            }
        }
    }
}

/// The control groups of the runtimes, on hosts where they have some.
fn groups(state: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(state.join("instances")).into_iter().flatten();
    let group = |folder: fs::DirEntry| {
        let order = fs::read(folder.path().join("order.json")).ok()?;
        let order: Value = serde_json::from_slice(&order).ok()?;
        let group = order["command"]["group"]["path"].as_str()?;
        Some(PathBuf::from(group))
    };
    folders.flatten().filter_map(group).collect()
}

/// Sends a signal; that the process is gone already is fine.
pub(super) fn kill(signal: &str, process: u32) {
    let mut kill = Command::new("kill");
    let kill = kill
        .args([signal, &process.to_string()])
        .stderr(Stdio::null());
    kill.status().unwrap();
}

fn shims(state: &Path) -> Vec<u32> {
    let folders = fs::read_dir(state.join("instances")).into_iter().flatten();
    let shim = |folder: fs::DirEntry| {
        let shim = fs::read(folder.path().join("shim.json")).ok()?;
        let shim: Value = serde_json::from_slice(&shim).ok()?;
        let process = u32::try_from(shim["process"].as_u64()?).ok()?;
        // Only while it is one: numbers are given again.
        let line = fs::read_to_string(format!("/proc/{process}/cmdline")).ok()?;
        line.contains("shim").then_some(process)
    };
    folders.flatten().filter_map(shim).collect()
}

fn children(process: u32) -> Vec<u32> {
    let path = format!("/proc/{process}/task/{process}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut all: Vec<u32> = text
        .split_whitespace()
        .filter_map(|one| one.parse().ok())
        .collect();
    // Other threads start processes, too.
    for task in fs::read_dir(format!("/proc/{process}/task"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let text = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        all.extend(
            text.split_whitespace()
                .filter_map(|one| one.parse::<u32>().ok()),
        );
    }
    all.sort_unstable();
    all.dedup();
    all
}
