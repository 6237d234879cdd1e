//! How a runtime that chooses its own port tells it to whoever started it.
//!
//! It is one line of JSON, the first on its standard output, written when the socket listens and
//! before the model is loaded:
//!
//! ```text
//! {"listening":"127.0.0.1:40123"}
//! ```

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// The longest line that can be one.
pub const MAX_ANNOUNCEMENT_BYTES: usize = 1024;

/// Where a runtime listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Its address, with the port that it got.
    pub listening: SocketAddr,
}

impl Announcement {
    /// Reads a line; `None` if it is none.
    pub fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// The line, without its end.
    pub fn to_line(self) -> String {
        serde_json::to_string(&self).expect("an address is a text")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_other_lines_are_none() {
        let told = Announcement {
            listening: "[::1]:80".parse().unwrap(),
        };
        assert_eq!(told.to_line(), r#"{"listening":"[::1]:80"}"#);
        assert_eq!(Announcement::parse(&told.to_line()), Some(told));
        for line in ["", "listening", "{}", r#"{"listening":"localhost"}"#] {
            assert_eq!(Announcement::parse(line), None, "{line}");
        }
    }
}
