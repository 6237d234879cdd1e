//! A real forge: Gitea on a free loopback port, with SQLite and a temporary folder of its own.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::process::Process;
use super::{tools, web};

/// How often another port is tried where somebody else took the one that was free.
const TRIES: usize = 5;

/// How long it may take to come up on a machine that builds at the same time.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running Gitea, and its first user, who may everything.
pub struct Gitea {
    process: Option<Process>,
    folder: TempDir,
    host: String,
    root: Person,
}

/// A user of it.
#[derive(Clone, Debug)]
pub struct Person {
    /// The name.
    pub name: String,
    /// A token of all scopes.
    pub token: String,
}

impl Gitea {
    /// One with nobody in it but `root`.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("modelyard-gitea-")
            .tempdir()
            .expect("a temporary folder can be made");
        let mut gitea = Self {
            process: None,
            folder,
            host: String::new(),
            root: Person {
                name: "root-user".into(),
                token: String::new(),
            },
        };
        gitea.move_to(&web::free_host());
        gitea.run(&["migrate"]);
        let mut words = gitea.new_user("root-user");
        words.push("--admin".into());
        gitea.run(&words);
        gitea.root.token = gitea.token("root-user", "all");
        gitea.listen();
        gitea
    }

    /// Ends it; what it has stays.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it again where it was.
    pub fn start_again(&mut self) {
        assert!(self.serve(), "{}", self.log());
    }

    fn listen(&mut self) {
        for _ in 0..TRIES {
            if self.serve() {
                return;
            }
            self.move_to(&web::free_host());
        }
        panic!("Gitea doesn't come up:\n{}", self.log());
    }

    /// Whether it came up.
    fn serve(&mut self) -> bool {
        let log = self.folder.path().join("log");
        let mut command = self.command();
        self.process = Some(Process::start(command.arg("web"), &log));
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let answer = web::try_ask(&self.host, "GET", "/api/healthz", &[], None);
            if answer.is_ok_and(|answer| answer.status == 200) {
                return true;
            }
            if self.log().contains("address already in use") {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    fn log(&self) -> String {
        let process = self.process.as_ref();
        process.map(Process::log).unwrap_or_default()
    }

    fn move_to(&mut self, host: &str) {
        host.clone_into(&mut self.host);
        let home = self.folder.path().display().to_string();
        let (_, port) = host.rsplit_once(':').expect("a host and a port");
        let user = if fs::metadata(self.folder.path()).expect("it is there").uid() == 0 {
            "I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true\n"
        } else {
            ""
        };
        let sources = tools::path("gitea").canonicalize().expect("it is there");
        let sources = sources.parent().expect("a program lies in a folder");
        let configuration = format!(
            "APP_NAME = Test\nRUN_MODE = prod\nWORK_PATH = {home}\n{user}\
             [server]\nHTTP_ADDR = 127.0.0.1\nHTTP_PORT = {port}\nDOMAIN = 127.0.0.1\n\
             ROOT_URL = http://{host}/\nDISABLE_SSH = true\nOFFLINE_MODE = true\n\
             STATIC_ROOT_PATH = {}\nLFS_START_SERVER = true\n\
             LFS_JWT_SECRET = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\
             [lfs]\nPATH = {home}/lfs\n\
             [database]\nDB_TYPE = sqlite3\nPATH = {home}/gitea.db\n\
             [security]\nINSTALL_LOCK = true\nPASSWORD_HASH_ALGO = pbkdf2$1$8\n\
             MIN_PASSWORD_LENGTH = 6\nPASSWORD_COMPLEXITY = off\n\
             [repository]\nROOT = {home}/repositories\nDEFAULT_BRANCH = main\n\
             [log]\nMODE = console\nLEVEL = Warn\n[mailer]\nENABLED = false\n\
             [webhook]\nALLOWED_HOST_LIST = loopback\n[cron]\nENABLED = false\n\
             [indexer]\nREPO_INDEXER_ENABLED = false\nISSUE_INDEXER_TYPE = db\n\
             [actions]\nENABLED = false\n",
            sources.display(),
        );
        fs::write(self.configuration(), configuration).expect("a fresh folder can be filled");
    }

    fn configuration(&self) -> std::path::PathBuf {
        self.folder.path().join("app.ini")
    }

    fn command(&self) -> Command {
        let home: &Path = self.folder.path();
        let mut command = Command::new(tools::path("gitea"));
        command
            .arg("--config")
            .arg(self.configuration())
            .current_dir(home)
            .env("HOME", home)
            .env(
                "USER",
                std::env::var("USER").unwrap_or_else(|_| "root".into()),
            )
            .env("GITEA_WORK_DIR", home)
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    fn run<A: AsRef<std::ffi::OsStr>>(&self, words: &[A]) -> String {
        let output = self.command().args(words).output().expect("Gitea runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "gitea: {}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    fn new_user(&self, name: &str) -> Vec<String> {
        let words = ["admin", "user", "create", "--username", name, "--password"];
        let email = format!("{name}@example.com");
        let rest = [
            "password",
            "--must-change-password=false",
            "--email",
            &email,
        ];
        words.iter().chain(&rest).map(|&word| word.into()).collect()
    }

    /// Waits until it has done what it does in the background.
    pub fn settle(&self) {
        self.run(&["manager", "flush-queues", "--timeout", "300s"]);
    }

    /// A new user.
    pub fn person(&self, name: &str) -> Person {
        self.run(&self.new_user(name));
        Person {
            name: name.into(),
            token: self.token(name, "all"),
        }
    }

    /// A token of a user, with these scopes.
    pub fn token(&self, user: &str, scopes: &str) -> String {
        let name = format!("token-{}", scopes.replace([':', ','], "-"));
        let words = [
            "admin",
            "user",
            "generate-access-token",
            "--raw",
            "--username",
            user,
        ];
        let rest = ["--token-name", &name, "--scopes", scopes];
        let words: Vec<&str> = words.into_iter().chain(rest).collect();
        let said = self.run(&words);
        // Its log goes the same way.
        let is_token =
            |line: &&str| line.len() == 40 && line.bytes().all(|b| b.is_ascii_hexdigit());
        let token = said.lines().map(str::trim).find(is_token);
        token
            .unwrap_or_else(|| panic!("no token: {said}"))
            .to_owned()
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.host.clone()
    }

    /// The first user.
    pub fn root(&self) -> &Person {
        &self.root
    }

    /// Asks its API as somebody; fails the test unless it says yes.
    #[track_caller]
    pub fn ask(
        &self,
        who: &Person,
        method: &str,
        path: &str,
        body: impl Into<Option<Value>>,
    ) -> Value {
        let body = body.into();
        let authorization = format!("token {}", who.token);
        let headers = [("authorization", &*authorization)];
        let path = format!("/api/v1/{path}");
        let answer = web::ask(&self.host, method, &path, &headers, body.as_ref());
        assert!(
            (200..300).contains(&answer.status),
            "{method} {path}: {} {}",
            answer.status,
            answer.text()
        );
        answer.json()
    }

    /// A new, empty repository `acme/NAME` of an organization, of which these may write to it; its
    /// URL for git, with the first one's token.
    pub fn repository(&self, name: &str, writers: &[&Person]) -> String {
        let organization = json!({ "username": "acme" });
        let authorization = format!("token {}", self.root.token);
        let headers = [("authorization", &*authorization)];
        // It may be there already.
        web::ask(
            &self.host,
            "POST",
            "/api/v1/orgs",
            &headers,
            Some(&organization),
        );
        let wish = json!({ "name": name, "default_branch": "main" });
        self.ask(&self.root, "POST", "orgs/acme/repos", Some(wish));
        for writer in writers {
            let path = format!("repos/acme/{name}/collaborators/{}", writer.name);
            let may = json!({ "permission": "write" });
            self.ask(&self.root, "PUT", &path, Some(may));
        }
        self.git_url(name, writers.first().unwrap_or(&&self.root))
    }

    /// Has it tell `url` of pushes and pull requests of `acme/NAME`, signed with `secret`.
    pub fn hook(&self, name: &str, url: &str, secret: &str) {
        let hook = json!({
            "type": "gitea",
            "active": true,
            "events": ["push", "pull_request"],
            "config": { "url": url, "content_type": "json", "secret": secret },
        });
        let path = format!("repos/acme/{name}/hooks");
        self.ask(&self.root, "POST", &path, hook);
    }

    /// Where git finds `acme/NAME`, as somebody.
    pub fn git_url(&self, name: &str, who: &Person) -> String {
        format!(
            "http://{}:{}@{}/acme/{name}.git",
            who.name, who.token, self.host
        )
    }
}
