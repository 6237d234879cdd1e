//! What stands where a file is meant.

use std::fmt;

/// What stands where a file is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// A symbolic link.
    Link,
    /// Something in a folder that is a symbolic link.
    BehindLink,
    /// A folder.
    Folder,
    /// A submodule.
    Submodule,
    /// A device, a pipe or a socket.
    Device,
}

impl Instead {
    /// Whether a link is on the way.
    pub fn is_link(self) -> bool {
        matches!(self, Self::Link | Self::BehindLink)
    }
}

impl fmt::Display for Instead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Link => "a symbolic link",
            Self::BehindLink => "behind a symbolic link",
            Self::Folder => "a folder",
            Self::Submodule => "a submodule",
            Self::Device => "a device or a pipe",
        })
    }
}
