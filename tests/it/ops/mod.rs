//! Use cases, run as a person runs them.

mod affected;
mod demo;
mod deploy;
mod init;
mod lives;
mod login;
mod plan;
mod predict;
mod promote;
mod publish;
mod pull;
mod push;
mod racing;
mod reading;
mod rollback;
mod set;
mod test;
