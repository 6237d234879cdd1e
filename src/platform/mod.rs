//! The world's edges, each behind a face that the rest of the project can hold.
//!
//! Time, files, HTTP, retries, progress and secrets come from here and from nowhere else, so that
//! what is above can be tested without them, and so that each rule (writes are atomic, waits are
//! capped, credentials are never printed) is kept in one place.

pub mod atomic;
pub mod clock;
pub mod http;
pub mod lock;
pub mod patient;
pub mod places;
pub mod progress;
pub mod redact;
pub mod retry;

pub use clock::Clock;
pub use places::Places;
pub use progress::Progress;

/// Does work that blocks (git, large files, a slow disk) where it holds up nobody else.
pub async fn on_blocking_pool<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // A panic in it is ours.
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

/// The codes of this room.
pub mod codes {
    crate::codes! {
        FILE_FAILED = "file-failed";
        NO_HOME = "no-home";
        HTTP_CLIENT = "http-client";
    }
}
