//! What nobody should have written or sent: for every command that meets it.

use super::Answer;

/// A file in a record's place that is none.
pub struct BadRecord {
    /// What it is.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The code by which it is told.
    pub code: &'static str,
    /// Where in the file that is, as people count; `""` where it is about all of it.
    pub place: &'static str,
}

/// Every sort of file that is no record, whatever the kind of the record should be.
pub fn bad_records() -> Vec<BadRecord> {
    let bad = |name, bytes: &[u8], code, place| BadRecord {
        name,
        bytes: bytes.to_owned(),
        code,
        place,
    };
    let bomb = (0..30).fold("a0: &a0 [x]\n".to_owned(), |text, level| {
        let alias = format!("*a{level}, ").repeat(9);
        format!("{text}a{}: &a{} [{alias}]\n", level + 1, level + 1)
    });
    vec![
        bad("a bomb", bomb.as_bytes(), "yaml-anchor", "1:5"),
        bad(
            "20,000 deep",
            "[".repeat(20_000).as_bytes(),
            "record-too-deep",
            "1:65",
        ),
        bad("100 MB", &vec![b'g'; 100 << 20], "record-too-large", ""),
        bad("no UTF-8", b"kind: Mod\xe9l\n", "not-utf8", "1:10"),
        bad("tabs", b"spec:\n\ttitle: x\n", "yaml-syntax", "2:2"),
        bad("a key twice", b"kind: A\nkind: B\n", "duplicate-key", "2:1"),
        bad(
            "control characters",
            b"kind: \x1b[2J\n",
            "control-character",
            "1:7",
        ),
        bad("nothing", b"", "record-empty", "1:1"),
        bad("a text", b"half written\n", "wrong-type", "1:1"),
    ]
}

/// What a server can answer that is no answer, by the code and the exit code with which every
/// command has to end that needs a registry there.
pub fn refusals() -> Vec<(Answer, &'static str, i32)> {
    let json = "application/json";
    let says = |status, code: &str| {
        let body = format!("{{\"errors\":[{{\"code\":\"{code}\",\"message\":\"says it\"}}]}}");
        Answer::body(status, json, body)
    };
    vec![
        (says(401, "UNAUTHORIZED"), "store-unauthorized", 2),
        (says(403, "DENIED"), "store-forbidden", 2),
        (says(405, "UNSUPPORTED"), "store-failed", 2),
        (says(429, "TOOMANYREQUESTS"), "store-throttled", 3),
        (says(500, "UNKNOWN"), "store-failed", 3),
        (Answer::html(), "store-answer", 2),
        (
            Answer::body(404, "text/html", "<html>Not found"),
            "store-answer",
            2,
        ),
        (Answer::Nothing, "store-unreachable", 3),
        (
            Answer::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
            "store-unreachable",
            3,
        ),
    ]
}
