//! Use cases, run as a person runs them.

mod demo;
mod init;
mod publish;
<<<<<<< HEAD
=======
mod pull;
mod reading;
>>>>>>> 4219fe4 (cli: lists models, versions and deployments, chosen by any field, at any revision)
