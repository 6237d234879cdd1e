//! The bounds of everything that comes from outside: sizes, times, numbers.

use std::time::Duration;

const MEBIBYTE: usize = 1024 * 1024;

/// How much, how long and how many.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest body of a request.
    pub request_bytes: usize,
    /// What the bodies of all requests may take together.
    pub held_bytes: usize,
    /// The largest answer that is held until it is whole and then looked at. A larger one is
    /// passed on as it comes.
    pub whole_answer_bytes: usize,
    /// The largest answer; one that turns out larger is cut off.
    pub answer_bytes: u64,
    /// How long a client may take to send a request's headers, and be idle between two requests.
    pub header_time: Duration,
    /// How long a client may take to send a request's body.
    pub body_time: Duration,
    /// How long a client may take nothing of what it is sent.
    pub stall_time: Duration,
    /// How long a replica may take to accept a connection.
    pub connect_time: Duration,
    /// How long a replica may take to answer, to the last byte.
    pub answer_time: Duration,
    /// How long a request waits for something to be ready.
    pub wait_time: Duration,
    /// How long requests may go on after the server was told to stop.
    pub drain_time: Duration,
    /// How long a connection to a replica is kept for the next request.
    pub idle_time: Duration,
    /// How many requests a replica is given at once.
    pub at_once: usize,
    /// How many requests of one deployment may wait.
    pub queue: usize,
    /// How many copies of one deployment's requests go to a mirror at once; more are left out.
    pub mirrored_at_once: usize,
    /// How many clients may be connected; more wait in the socket's backlog.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A batch of 100 images of 3 × 224 × 224 in FP32 is 57 MiB.
            request_bytes: 64 * MEBIBYTE,
            held_bytes: 1024 * MEBIBYTE,
            whole_answer_bytes: 8 * MEBIBYTE,
            answer_bytes: 1024 * MEBIBYTE as u64,
            header_time: Duration::from_secs(60),
            body_time: Duration::from_secs(60),
            stall_time: Duration::from_secs(30),
            // Replicas are on this host, or beside it.
            connect_time: Duration::from_secs(2),
            answer_time: Duration::from_secs(60),
            // What a model takes to be fetched from the cache and started.
            wait_time: Duration::from_secs(60),
            drain_time: Duration::from_secs(30),
            // Less than what servers are known to keep theirs: five seconds.
            idle_time: Duration::from_secs(4),
            at_once: 64,
            queue: 1024,
            mirrored_at_once: 32,
            connections: 4096,
        }
    }
}
