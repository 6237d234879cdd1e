//! What a forge posts by itself, handed to who listens: the gateway knows nothing of what it says.
//!
//! Whoever can reach the address can post here, so all of it is bounded: the body, how many are read
//! at once, and how often. What is too much is refused, and found out by polling.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{HeaderValue, RETRY_AFTER};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::flow::Answer;
use super::handle::{empty, only};
use super::reading::gather;
use super::refusal::Refusal;
use super::shared::Shared;

/// How many are read at once.
const AT_ONCE: usize = 4;
/// How many may come in a row, and how often one more may come after that.
const BURST: u32 = 30;
const ONE_IN: Duration = Duration::from_secs(1);

/// Who listens.
pub trait Ears: Send + Sync {
    /// The longest message that is heard, in bytes.
    fn longest(&self) -> usize;

    /// Hears a message; it is as it came.
    fn hear(&self, headers: &HeaderMap, body: &[u8]) -> Heard;
}

/// What was made of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Something is done about it.
    Taken,
    /// Nothing has to be done about it.
    Ignored,
    /// Nobody knows who says it.
    Unsigned,
    /// It can't be read.
    Nonsense,
}

/// What is posted, and who listens.
pub(super) struct Hooks {
    ears: Arc<dyn Ears>,
    at_once: Semaphore,
    often: Mutex<Often>,
}

/// How much may come at this moment.
struct Often {
    left: u32,
    since: Instant,
}

impl Hooks {
    pub(super) fn new(ears: Arc<dyn Ears>) -> Self {
        Self {
            ears,
            at_once: Semaphore::new(AT_ONCE),
            often: Mutex::new(Often {
                left: BURST,
                since: Instant::now(),
            }),
        }
    }
}

impl Often {
    /// Whether one more may come.
    fn takes(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since);
        let more = u32::try_from(passed.as_millis() / ONE_IN.as_millis()).unwrap_or(BURST);
        if more > 0 {
            self.left = self.left.saturating_add(more).min(BURST);
            self.since = now;
        }
        let takes = self.left > 0;
        self.left = self.left.saturating_sub(1);
        takes
    }
}

/// Answers what was posted.
pub(super) async fn heard(
    shared: &Shared,
    hooks: &Hooks,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Refusal> {
    only(&request, &[Method::POST])?;
    let may = {
        let mut often = hooks.often.lock().unwrap_or_else(PoisonError::into_inner);
        often.takes(Instant::now())
    };
    let (true, Ok(_place)) = (may, hooks.at_once.try_acquire()) else {
        return Ok(too_often());
    };
    let (head, body) = request.into_parts();
    let (body, _budget) = gather(shared, body, hooks.ears.longest()).await?;
    let ears = Arc::clone(&hooks.ears);
    // A long message takes longer than others may wait for.
    let heard = tokio::task::spawn_blocking(move || ears.hear(&head.headers, &body));
    Ok(empty(match heard.await {
        Ok(Heard::Taken) => StatusCode::OK,
        Ok(Heard::Ignored) => StatusCode::ACCEPTED,
        Ok(Heard::Unsigned) => StatusCode::UNAUTHORIZED,
        Ok(Heard::Nonsense) => StatusCode::BAD_REQUEST,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }))
}

fn too_often() -> Response<Answer> {
    let mut response = empty(StatusCode::TOO_MANY_REQUESTS);
    let wait = HeaderValue::from_static("1");
    response.headers_mut().insert(RETRY_AFTER, wait);
    response
}

#[cfg(test)]
mod tests {
    //! How often is too often.

    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let begin = Instant::now();
        let mut often = Often {
            left: BURST,
            since: begin,
        };
        for _ in 0..BURST {
            assert!(often.takes(begin));
        }
        assert!(!often.takes(begin));
        assert!(!often.takes(begin + ONE_IN / 2));
        assert!(often.takes(begin + ONE_IN));
        assert!(!often.takes(begin + ONE_IN));
        let later = begin + ONE_IN * 10_000;
        for _ in 0..BURST {
            assert!(often.takes(later));
        }
        assert!(!often.takes(later));
    }
}
