//! Work on many records, on all cores.

use std::num::NonZero;
use std::thread;

use crate::check::spread::Spread;

/// Spreads work on all cores of the machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cores;

/// Below this many items one thread is faster than starting others.
const FEW: usize = 64;

/// The most threads: with more, they wait for memory and for each other.
const MAX_THREADS: usize = 16;

impl Spread for Cores {
    fn spread<T: Send, R: Send>(&self, items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
        let threads = match items.len() {
            0..FEW => 1,
            _ => thread::available_parallelism()
                .map_or(1, NonZero::get)
                .min(MAX_THREADS),
        };
        if threads == 1 {
            return items.into_iter().map(work).collect();
        }
        let work = &work;
        thread::scope(|scope| {
            let start = |chunk: Vec<T>| {
                scope.spawn(move || chunk.into_iter().map(work).collect::<Vec<R>>())
            };
            let workers: Vec<_> = chunks(items, threads).into_iter().map(start).collect();
            let join = |worker: thread::ScopedJoinHandle<'_, Vec<R>>| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            workers.into_iter().flat_map(join).collect()
        })
    }
}

/// `items` in `count` parts of about one size, in order.
fn chunks<T>(mut items: Vec<T>, count: usize) -> Vec<Vec<T>> {
    let size = items.len().div_ceil(count).max(1);
    let mut chunks = Vec::with_capacity(count);
    while !items.is_empty() {
        let rest = items.split_off(size.min(items.len()));
        chunks.push(std::mem::replace(&mut items, rest));
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_in_order() {
        for count in [0, 1, FEW - 1, FEW, 1000] {
            let items: Vec<usize> = (0..count).collect();
            let doubled = Cores.spread(items.clone(), |item| item * 2);
            assert_eq!(
                doubled,
                items.iter().map(|item| item * 2).collect::<Vec<_>>()
            );
        }
    }
}
