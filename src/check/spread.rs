//! How work on many records is spread.

/// Does the same work on many things.
///
/// This room has no threads; whoever has some hands in a [`Spread`] that uses them.
pub trait Spread {
    /// Does `work` on every item; what comes of it is in the order of the items.
    fn spread<T: Send, R: Send>(&self, items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R>;
}

/// One after the other.
#[derive(Debug, Clone, Copy)]
pub struct InTurn;

impl Spread for InTurn {
    fn spread<T: Send, R: Send>(&self, items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
        items.into_iter().map(work).collect()
    }
}
