//! Use cases, run as a person runs them.

mod demo;
mod init;
mod login;
mod promote;
mod publish;
mod pull;
mod push;
mod reading;
mod set;
