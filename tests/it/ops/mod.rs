//! Use cases, run as a person runs them.

mod init;
mod publish;
mod pull;
