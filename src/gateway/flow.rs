//! The body of an answer: whole, or flowing from a replica to a client.

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use super::instance::{Instance, Lease};
use super::limits::Limits;
use super::line::Line;

/// The body of what a client is answered.
#[derive(Debug)]
pub(super) enum Answer {
    Whole(Option<Bytes>),
    Flow(Box<Flow>),
}

/// What flows through. It ends with an error, and so is cut off where the client can see it, if
/// the replica dies, is too late or says too much.
#[derive(Debug)]
pub(super) struct Flow {
    begun: Option<Bytes>,
    rest: Incoming,
    /// Given back when the last byte has come.
    line: Option<Line>,
    instance: Arc<Instance>,
    /// How many bytes may still come.
    left: u64,
    too_late: Pin<Box<Sleep>>,
    /// What is in use until the end: leases, the place inside the gate.
    held: Vec<Box<dyn Any + Send + Sync>>,
}

/// Why an answer is cut off.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cut {
    #[error("the replica broke off")]
    Died(#[source] hyper::Error),
    #[error("the replica was too late")]
    TooLate,
    #[error("the answer is too large")]
    TooLarge,
}

impl From<Bytes> for Answer {
    fn from(bytes: Bytes) -> Self {
        Self::Whole((!bytes.is_empty()).then_some(bytes))
    }
}

impl Flow {
    pub(super) fn new(
        begun: Bytes,
        rest: Incoming,
        line: Line,
        lease: &Lease,
        limits: &Limits,
        deadline: Instant,
    ) -> Self {
        Self {
            left: limits.answer_bytes.saturating_sub(begun.len() as u64),
            begun: (!begun.is_empty()).then_some(begun),
            rest,
            line: Some(line),
            instance: Arc::clone(lease),
            too_late: Box::pin(tokio::time::sleep_until(deadline)),
            held: Vec::new(),
        }
    }

    /// Keeps something in use until the last byte.
    pub(super) fn hold(&mut self, held: impl Any + Send + Sync) {
        self.held.push(Box::new(held));
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(begun) = self.begun.take() {
            return Poll::Ready(Some(Ok(Frame::data(begun))));
        }
        if self.too_late.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(Cut::TooLate)));
        }
        let Some(frame) = ready!(Pin::new(&mut self.rest).poll_frame(context)) else {
            if let Some(line) = self.line.take() {
                self.instance.keep_line(line);
            }
            self.held.clear();
            return Poll::Ready(None);
        };
        let frame = frame.map_err(Cut::Died).and_then(|frame| {
            let length = frame.data_ref().map_or(0, |data| data.len() as u64);
            self.left = self.left.checked_sub(length).ok_or(Cut::TooLarge)?;
            Ok(frame)
        });
        if let Err(cut) = &frame {
            tracing::warn!(instance = %self.instance.id, %cut, "an answer is cut off");
        }
        Poll::Ready(Some(frame))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Flow(flow) => flow.poll(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Flow(flow) => {
                let begun = flow.begun.as_ref().map_or(0, |begun| begun.len() as u64);
                let rest = flow.rest.size_hint();
                let mut hint = SizeHint::new();
                hint.set_lower(begun.saturating_add(rest.lower()));
                if let Some(upper) = rest.upper() {
                    hint.set_upper(begun.saturating_add(upper));
                }
                hint
            }
        }
    }
}
