//! Use cases, run as a person runs them.

mod demo;
mod init;
mod publish;
