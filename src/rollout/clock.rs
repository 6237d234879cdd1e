//! Time that is handed in, and may have leapt.
//!
//! A clock can be set back or far ahead between two passes. What was written down before a leap
//! may lie in the future: then nothing can be told of how long ago it was, and whoever asks says
//! what holds in that case, so that no wait becomes endless.

use jiff::{SignedDuration, Timestamp};

use crate::record::kind::Span;

/// How far in the future a time may lie until the clock has leapt: clocks are set right by less
/// all the time, and two clocks are never the same.
const LEAP: SignedDuration = SignedDuration::from_secs(60);

/// How long ago `since` was; `None` when it lies in the future because the clock was set back.
pub(super) fn elapsed(since: Timestamp, now: Timestamp) -> Option<SignedDuration> {
    let elapsed = now.duration_since(since);
    (elapsed >= -LEAP).then(|| elapsed.max(SignedDuration::ZERO))
}

/// Whether `span` has passed since `since`; it has if the clock was set back.
pub(super) fn passed(since: Timestamp, span: Span, now: Timestamp) -> bool {
    elapsed(since, now).is_none_or(|elapsed| elapsed >= signed(span))
}

/// The time `span` after `since`, or the last there is.
pub(super) fn later(since: Timestamp, span: Span) -> Timestamp {
    since.checked_add(signed(span)).unwrap_or(Timestamp::MAX)
}

fn signed(span: Span) -> SignedDuration {
    SignedDuration::try_from(span.to_duration()).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_makes_no_endless_wait() {
        let now: Timestamp = "2026-11-01T10:00:00Z".parse().unwrap();
        let minute = Span::minutes(1);
        for (since, is) in [
            ("2026-11-01T09:59:00Z", true),
            ("2026-11-01T09:59:01Z", false),
            ("2026-11-01T10:00:59Z", false),
            ("2036-11-01T10:00:00Z", true),
        ] {
            assert_eq!(passed(since.parse().unwrap(), minute, now), is, "{since}");
        }
        assert_eq!(later(Timestamp::MAX, minute), Timestamp::MAX);
    }
}
