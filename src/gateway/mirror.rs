//! Copies of requests for versions that are only looked at: their answers are compared with the
//! clients', counted, and thrown away.
//!
//! Copies are sent behind the clients' answers and slow nothing down. As many go at once as may;
//! what comes above that is left out.

use std::sync::Arc;

use half::f16;
use hyper::StatusCode;
use tokio::time::Instant;

use super::course;
use super::exchange::Payload;
use super::reading::Read;
use super::shared::Shared;
use super::way::{self, Wanted, Way};
use crate::protocol::fit::fit;
use crate::protocol::{Body, Elements, Response};

/// How far two numbers may be apart, of the larger one or of one, to be called the same: what the
/// same model differs by from one processor or precision to another.
const TOLERANCE: f64 = 1e-3;

/// Sends a copy of a request to a mirror of its deployment, if it has one; `answered` is what the
/// client got.
pub(super) fn copy(
    shared: &Arc<Shared>,
    way: &Way,
    wanted: &Wanted,
    read: Read,
    answered: Option<Body>,
) {
    let Some(deployment) = way.map.named(way.backend.stamps.name()) else {
        return;
    };
    if deployment.mirror.is_empty() {
        return;
    }
    let mirroring = &deployment.standing.mirroring;
    let Ok(place) = Arc::clone(mirroring).try_acquire_owned() else {
        return;
    };
    let Some(backend) = way::pick(&deployment.mirror, wanted, &[]) else {
        return;
    };
    let taken = Way::take(&way.map, backend, wanted.turn, &[]);
    let Some(taken) = taken.filter(|_| shared.is_in_force(&way.map)) else {
        return;
    };
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        send(&shared, taken, &read, answered).await;
        drop(place);
    });
}

async fn send(shared: &Shared, mut way: Way, read: &Read, answered: Option<Body>) {
    let tally = Arc::clone(&way.backend.tally);
    let misfit = way
        .backend
        .first()
        .registered
        .as_ref()
        .and_then(|registered| fit(&read.request, &registered.signature()).err());
    if let Some(misfit) = misfit {
        tracing::debug!(%misfit, "a copy does not fit the mirror");
        if answered.is_some() {
            tally.compared(false);
        }
        return;
    }
    let begun = Instant::now();
    let reply = course::run(shared, &mut way, read).await;
    let is_error = match &reply {
        Ok(reply) => reply.status.is_server_error(),
        Err(_) => true,
    };
    tally.answered(begun.elapsed(), is_error);
    let Some(answered) = answered else {
        return;
    };
    let agrees = match reply {
        Ok(reply) if reply.status == StatusCode::OK => match reply.payload {
            Payload::Whole(bytes) => {
                let header_length = reply.header_length;
                let mirrored = Body {
                    bytes,
                    header_length,
                };
                agree(answered, mirrored).await
            }
            Payload::Flow(_) => return,
        },
        _ => false,
    };
    tally.compared(agrees);
}

/// Whether two answers say the same.
async fn agree(one: Body, other: Body) -> bool {
    let compare = move || {
        let parsed = (Response::parse(&one), Response::parse(&other));
        let (Ok(one), Ok(other)) = parsed else {
            return false;
        };
        one.outputs.len() == other.outputs.len()
            && one.outputs.iter().all(|tensor| {
                let twin = other.outputs.iter().find(|twin| twin.name == tensor.name);
                twin.is_some_and(|twin| {
                    twin.shape == tensor.shape && same(&tensor.elements, &twin.elements)
                })
            })
    };
    tokio::task::spawn_blocking(compare).await.unwrap_or(false)
}

/// Whether elements are the same, numbers with a point nearly.
fn same(one: &Elements, other: &Elements) -> bool {
    fn near<T: Copy>(one: &[T], other: &[T], wide: impl Fn(T) -> f64) -> bool {
        one.len() == other.len()
            && one.iter().zip(other).all(|(&one, &other)| {
                let (one, other) = (wide(one), wide(other));
                let apart = (one - other).abs();
                apart <= TOLERANCE * one.abs().max(other.abs()).max(1.0)
                    || one == other
                    || (one.is_nan() && other.is_nan())
            })
    }
    match (one, other) {
        (Elements::Fp16(one), Elements::Fp16(other)) => near(one, other, f16::to_f64),
        (Elements::Fp32(one), Elements::Fp32(other)) => near(one, other, f64::from),
        (Elements::Fp64(one), Elements::Fp64(other)) => near(one, other, |number| number),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_same_nearly_and_everything_else_exactly() {
        let floats = |numbers: &[f32]| Elements::Fp32(numbers.to_vec());
        for (one, other, is_same) in [
            (floats(&[0.5, 1e9]), floats(&[0.5004, 1.0001e9]), true),
            (floats(&[0.5]), floats(&[0.6]), false),
            (floats(&[f32::NAN]), floats(&[f32::NAN]), true),
            (floats(&[f32::INFINITY]), floats(&[f32::INFINITY]), true),
            (floats(&[f32::NAN]), floats(&[0.0]), false),
            (floats(&[0.5]), floats(&[0.5, 0.5]), false),
            (floats(&[1.0]), Elements::Fp64(vec![1.0]), false),
            (
                Elements::Int64(vec![1000]),
                Elements::Int64(vec![1001]),
                false,
            ),
        ] {
            assert_eq!(same(&one, &other), is_same, "{one:?} {other:?}");
        }
    }
}
