//! A machine of its own for a test: a home, a work folder, and commands run in them.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::Terminal;

/// A temporary folder with `home/` and `work/`, gone when the test ends.
pub struct Sandbox {
    root: TempDir,
}

impl Sandbox {
    /// An empty machine whose git knows who commits (`Yard Test`) and starts on `main`.
    pub fn new() -> Self {
        let sandbox = Self::without_identity();
        sandbox.write_home(
            ".gitconfig",
            "[user]\n\tname = Yard Test\n\temail = test@example.com\n\
             [init]\n\tdefaultBranch = main\n",
        );
        sandbox
    }

    /// An empty machine whose git has no configuration at all.
    pub fn without_identity() -> Self {
        let root = tempfile::Builder::new()
            .prefix("modelyard-test-")
            .tempdir()
            .expect("a temporary folder can be made");
        for folder in ["home", "work", "tmp"] {
            fs::create_dir(root.path().join(folder)).expect("a fresh folder can be filled");
        }
        Self { root }
    }

    /// The whole of it, to be replaced by `[sandbox]` in what is compared.
    pub fn root(&self) -> PathBuf {
        self.root
            .path()
            .canonicalize()
            .expect("the sandbox is there")
    }

    /// The user's home.
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// A place in the folder in which commands run; `""` is that folder.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root().join("work").join(relative)
    }

    /// Writes a file of the work folder, with its folders, and tells its place.
    pub fn write(&self, relative: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        write(self.path(relative), content.as_ref())
    }

    /// Writes a file of the home, with its folders, and tells its place.
    pub fn write_home(&self, relative: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        write(self.home().join(relative), content.as_ref())
    }

    /// A text file of the work folder.
    pub fn read(&self, relative: impl AsRef<Path>) -> String {
        let path = self.path(relative);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The built program with these arguments.
    pub fn modelyard<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        self.program(env!("CARGO_BIN_EXE_modelyard"), arguments)
    }

    /// The system's git with these arguments.
    pub fn git<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        self.program("git", arguments)
    }

    /// One of the pinned outside tools with these arguments.
    #[cfg(feature = "real-tools")]
    pub fn tool<A: AsRef<OsStr>>(&self, name: &str, arguments: impl IntoIterator<Item = A>) -> Run {
        self.program(super::tools::path(name), arguments)
    }

    /// Any program with these arguments, in the work folder and in a clean environment.
    pub fn program<A: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Run {
        let home = self.home();
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.path(""))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("TMPDIR", self.root().join("tmp"))
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("XDG_CACHE_HOME", home.join(".cache"))
            .env("XDG_DATA_HOME", home.join(".local/share"))
            .env("XDG_STATE_HOME", home.join(".local/state"))
            .env("XDG_RUNTIME_DIR", self.root().join("tmp"))
            .env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "dumb")
            .env("TZ", "UTC");
        Run {
            command,
            input: Vec::new(),
            root: self.root(),
        }
    }
}

fn write(path: PathBuf, content: &[u8]) -> PathBuf {
    let folder = path.parent().expect("a file lies in a folder");
    fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path
}

/// A command that is about to run.
#[must_use = "a command does nothing before `.run()`"]
pub struct Run {
    command: Command,
    input: Vec<u8>,
    root: PathBuf,
}

impl Run {
    /// In another folder: relative to the work folder, or absolute.
    pub fn in_folder(mut self, folder: impl AsRef<Path>) -> Self {
        let folder = self.root.join("work").join(folder);
        self.command.current_dir(folder);
        self
    }

    /// With one more variable in its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The names of the variables in its environment.
    pub fn variables(&self) -> Vec<OsString> {
        let names = self.command.get_envs().map(|(name, _)| name.to_owned());
        names.collect()
    }

    /// With a folder searched for programs before all others.
    pub fn path_first(mut self, folder: impl AsRef<Path>) -> Self {
        let mut paths = vec![folder.as_ref().to_owned()];
        paths.extend(std::env::split_paths(
            &std::env::var_os("PATH").unwrap_or_default(),
        ));
        let joined: OsString = std::env::join_paths(paths).expect("folders have no `:`");
        self.command.env("PATH", joined);
        self
    }

    /// With something to read on its standard input, which is empty otherwise.
    pub fn input(mut self, input: impl AsRef<[u8]>) -> Self {
        self.input = input.as_ref().to_owned();
        self
    }

    /// Run by another program, which takes these arguments and then the command's own.
    pub fn under(mut self, program: &Path, arguments: impl IntoIterator<Item = OsString>) -> Self {
        let mut outer = Command::new(program);
        outer
            .args(arguments)
            .arg(self.command.get_program())
            .args(self.command.get_args())
            .env_clear()
            .envs(
                self.command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
        if let Some(folder) = self.command.get_current_dir() {
            outer.current_dir(folder);
        }
        self.command = outer;
        self
    }

    /// As a user whom permissions bind: whoever runs the tests, without root's privileges should
    /// that be root.
    #[cfg(unix)]
    pub fn bound_by_permissions(self) -> Self {
        use std::os::unix::fs::MetadataExt as _;

        let ours = self.root.metadata().expect("the sandbox is there");
        if ours.uid() != 0 {
            return self;
        }
        let nothing = ["--bounding-set=-all", "--inh-caps=-all"];
        self.under(Path::new("setpriv"), nothing.map(OsString::from))
    }

    /// The command itself, for tests that start it, kill it or give it a terminal.
    pub fn into_command(self) -> Command {
        self.command
    }

    /// Starts it at a terminal of its own.
    pub fn at_terminal(self) -> Terminal {
        Terminal::start(&self.command, &self.root)
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Outcome {
        let line = told(&self.command);
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("`{line}` does not start: {error}"));
        let mut stdin = child.stdin.take().expect("its input is piped");
        let input = std::mem::take(&mut self.input);
        let writer = std::thread::spawn(move || {
            // A program may end without reading all of it; that is for the test to judge.
            let _ = stdin.write_all(&input);
        });
        let output = child
            .wait_with_output()
            .expect("a started child can be awaited");
        writer.join().expect("the writer does not panic");
        Outcome {
            line,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            bytes: output.stdout,
            root: self.root,
        }
    }
}

fn told(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What came of a command.
#[derive(Debug)]
pub struct Outcome {
    line: String,
    root: PathBuf,
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// What it printed, as text.
    pub stdout: String,
    /// What it said beside, as text.
    pub stderr: String,
    /// What it printed, byte by byte.
    pub bytes: Vec<u8>,
}

impl Outcome {
    /// Fails the test, with all that was printed, unless the command succeeded.
    #[track_caller]
    pub fn success(self) -> Self {
        self.exits(0)
    }

    /// Fails the test, with all that was printed, unless the command ended with this exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert!(
            self.code == Some(code),
            "wanted exit code {code}\n{}",
            self.report()
        );
        self
    }

    /// Fails the test unless the standard error has this text, the sandbox's place hidden.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.hide(&self.stderr).contains(text),
            "wanted «{text}»\n{}",
            self.report()
        );
        self
    }

    /// Fails the test unless the standard output has this text, the sandbox's place hidden.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert!(
            self.hide(&self.stdout).contains(text),
            "wanted «{text}»\n{}",
            self.report()
        );
        self
    }

    /// Standard output without the newline at its end.
    pub fn line(&self) -> &str {
        self.stdout.trim_end_matches('\n')
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON: {error}\n{}", self.report()))
    }

    /// All that is to see, for a snapshot: exit code, output, and the sandbox's place hidden.
    pub fn report(&self) -> String {
        let code = self.code.map_or("a signal".into(), |code| code.to_string());
        self.hide(&format!(
            "$ {}\nexit: {code}\n--- stdout\n{}--- stderr\n{}",
            self.line, self.stdout, self.stderr
        ))
    }

    fn hide(&self, text: &str) -> String {
        text.replace(&*self.root.to_string_lossy(), "[sandbox]")
    }
}
