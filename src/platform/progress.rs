//! Progress of long work, for whoever watches.

/// Shows how far transfers are.
pub trait Progress: Send + Sync {
    /// Begins a transfer of `total_bytes`, called `name`, and gives what counts it.
    ///
    /// The transfer ends when the meter is dropped.
    fn begin(&self, name: &str, total_bytes: u64) -> Box<dyn Meter>;

    /// Tells one line about a step, such as `signing` or `pushing the branch`.
    fn step(&self, message: &str);
}

/// Counts one transfer's bytes.
pub trait Meter: Send + Sync {
    /// `bytes` more went through.
    fn advance(&self, bytes: u64);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _name: &str, _total_bytes: u64) -> Box<dyn Meter> {
        Box::new(Silent)
    }

    fn step(&self, _message: &str) {}
}

impl Meter for Silent {
    fn advance(&self, _bytes: u64) {}
}
