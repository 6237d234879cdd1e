//! Whether a file can be started.

/// The permissions of a packed file: only whether it can be started.
///
/// A checkout's permissions differ by umask, file system and operating system, so they are not
/// taken from the disk. A file can be started if it is a program or a script that names its
/// interpreter: those are the files that an operating system starts, and everyone who has the
/// same bytes says the same of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// 0644, less the umask.
    #[default]
    Plain,
    /// 0755, less the umask.
    Executable,
}

impl Mode {
    /// The permission bits, before the umask.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Plain => 0o644,
            Self::Executable => 0o755,
        }
    }

    /// What is kept of another's permission bits: no owner, group, set-id or sticky bit.
    pub const fn from_bits(bits: u32) -> Self {
        if bits & 0o111 == 0 {
            Self::Plain
        } else {
            Self::Executable
        }
    }
}
