//! The gateway against replicas on loopback that do what replicas do, good and bad.

mod answering;
mod faults;
mod guarded;
mod hostile;
mod replica;
mod rollouts;
mod stage;
mod switching;
mod waiting;
