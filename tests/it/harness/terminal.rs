//! A command at a pseudo-terminal, and a person before it who types and looks.

use std::io::{Read as _, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long a person waits for something to appear.
const PATIENCE: Duration = Duration::from_secs(60);
const ROWS: NonZero<u16> = NonZero::new(40).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(100).unwrap();

/// A running command, its keyboard, and its screen of 40 lines by 100 columns.
pub struct Terminal {
    line: String,
    root: PathBuf,
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    printed: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    all: Vec<u8>,
    master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    pub(super) fn start(command: &Command, root: &Path) -> Self {
        let size = PtySize {
            rows: ROWS.get(),
            cols: COLUMNS.get(),
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system()
            .openpty(size)
            .expect("the system has pseudo-terminals");
        let mut builder = CommandBuilder::new(command.get_program());
        builder.args(command.get_args());
        builder.env_clear();
        for (name, value) in command.get_envs() {
            builder.env(name, value.unwrap_or_default());
        }
        builder.env("TERM", "xterm-256color");
        builder.cwd(command.get_current_dir().unwrap_or(root));
        let child = pair
            .slave
            .spawn_command(builder)
            .expect("the command starts");
        let mut output = pair
            .master
            .try_clone_reader()
            .expect("a terminal can be read");
        let (sender, printed) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal whose last program ended can't be read any more.
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            line: format!("{command:?}"),
            root: root.to_owned(),
            child,
            keyboard: pair.master.take_writer().expect("it has one keyboard"),
            printed,
            screen: vt100::Parser::new(ROWS, COLUMNS, 0),
            all: Vec::new(),
            master: pair.master,
        }
    }

    /// Waits until the screen has this text.
    #[track_caller]
    pub fn shows(&mut self, text: &str) -> &mut Self {
        while !self.seen().contains(text) {
            self.look(text);
        }
        self
    }

    /// Types key by key, each when the one before was taken; `\r` is the return key.
    #[track_caller]
    pub fn types(&mut self, keys: &str) -> &mut Self {
        for key in keys.chars() {
            self.presses(&key.to_string());
        }
        self
    }

    /// Presses one key, waits for what the screen says to it, and no longer than that.
    #[track_caller]
    pub fn presses(&mut self, key: &str) -> &mut Self {
        self.listens();
        self.press(key);
        self.look("an answer to a key");
        self
    }

    /// Types a line that the screen does not show.
    #[track_caller]
    pub fn types_secretly(&mut self, line: &str) -> &mut Self {
        self.listens();
        self.press(line);
        self.press("\r");
        self
    }

    fn press(&mut self, keys: &str) {
        let typed = self.keyboard.write_all(keys.as_bytes());
        typed.expect("somebody reads the keyboard");
    }

    /// Waits until the terminal leaves it to the command to show what is typed.
    #[track_caller]
    fn listens(&self) {
        let until = Instant::now() + PATIENCE;
        while self.echoes() {
            assert!(Instant::now() < until, "nobody listens:\n{}", self.seen());
            std::thread::yield_now();
        }
    }

    fn echoes(&self) -> bool {
        /// POSIX's `ECHO` among the local modes, the same bit on Linux and macOS.
        const ECHO: u64 = 0x8;
        let modes = self.master.get_termios().expect("a terminal has modes");
        u64::from(modes.local_flags.bits()) & ECHO != 0
    }

    /// Waits for something new on the screen.
    #[track_caller]
    fn look(&mut self, wanted: &str) {
        match self.printed.recv_timeout(PATIENCE) {
            Ok(bytes) => self.take(&bytes),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("`{}` ended without «{wanted}»:\n{}", self.line, self.seen())
            }
            Err(RecvTimeoutError::Timeout) => {
                panic!("«{wanted}» does not come up:\n{}", self.seen())
            }
        }
    }

    /// What is on the screen, without what is empty, the sandbox's place hidden.
    pub fn seen(&self) -> String {
        let rows = self.screen.screen().rows(0, COLUMNS.get());
        let rows: Vec<_> = rows.map(|row| row.trim_end().to_owned()).collect();
        let seen = rows.join("\n").trim_end().to_owned();
        seen.replace(&*self.root.to_string_lossy(), "[sandbox]")
    }

    /// Waits for the end, looks whether it has this exit code, and gives what is on the screen.
    #[track_caller]
    pub fn ends(&mut self, code: u32) -> String {
        loop {
            match self.printed.recv_timeout(PATIENCE) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end:\n{}", self.seen()),
            }
        }
        let status = self.child.wait().expect("a started child can be awaited");
        let seen = self.seen();
        assert_eq!(status.exit_code(), code, "`{}`:\n{seen}", self.line);
        seen
    }

    /// Every byte that came to the terminal so far, as text.
    pub fn all(&self) -> String {
        String::from_utf8_lossy(&self.all).into_owned()
    }

    /// Whether the cursor is left hidden.
    pub fn hides_the_cursor(&self) -> bool {
        self.screen.screen().hide_cursor()
    }

    fn take(&mut self, bytes: &[u8]) {
        self.all.extend_from_slice(bytes);
        self.screen.process(bytes);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.child.kill();
    }
}
