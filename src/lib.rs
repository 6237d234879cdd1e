//! Modelyard: a GitOps registry for machine-learning models.
//!
//! What is about a model is YAML in a git repository, a *yard*; a model's bytes are signed OCI
//! artifacts in any container registry, or in a folder. This crate is the library behind the
//! `modelyard` command.
//!
//! # The map
//!
//! | room | owns |
//! | --- | --- |
//! | [`record`] | the words: names, versions, digests, the kinds of record; pure |
//! | [`platform`] | the world's edges: files, HTTP, retries, time, progress |
//! | [`check`] | from YAML with positions to diagnostics; pure |
//! | [`protocol`] | the Open Inference Protocol: requests, answers, golden tests; pure |
//! | [`rollout`] | from what should be and what is to what to do next, and the routing table; pure |
//! | [`yard`] | the git side: snapshots at a commit, changes on a branch |
//! | [`artifact`] | the OCI side: pack, push, pull, registry, layout, cache, referrers |
//! | [`forge`] | where pull requests live: GitHub, GitLab, Gitea |
//! | [`import`] | where models come from: sources, read as candidates for records |
//! | [`trust`] | keys, signatures, and what the yard's trust policy asks for |
//! | [`target`] | where models run: what starts them, and what answers for them |
//! | [`ops`] | one file a use case |
//! | [`reconcile`] | makes an environment run what main says: fetch, plan, apply, report |
//! | [`gateway`] | answers predictions for what is deployed |
//! | [`cli`] | one file a command |
//!
//! Each imports only from floors below it; `tests/it/layering.rs` holds the table.
//!
//! # One walk through
//!
//! `modelyard publish ./digits --as vision/digits:1.0.0` goes like this. [`cli`] parses the line
//! and hands [`ops::publish`] a request. [`artifact::pack`] reads every file once and gives a
//! manifest that is a function of the files alone. A [`yard::Change`] begins from the remote's
//! main branch; the version's and the model's records are written into it, their layout kept by
//! [`yard::edit`], and [`check`] reads the yard as it would then be. Only if it has nothing to say
//! are the blobs and the manifest put into an [`artifact::Store`], signed by [`trust::sign()`], and
//! tagged. Last, [`ops::propose`] makes the change one commit on a branch, pushes it, and tells
//! how to merge it. Whoever stops the walk anywhere finds the old state or the new.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests write, read and time as they need; clippy.toml is for what ships"
    )
)]

pub mod artifact;
pub mod check;
pub mod cli;
pub mod forge;
pub mod gateway;
pub mod import;
pub mod ops;
pub mod platform;
pub mod protocol;
pub mod reconcile;
pub mod record;
pub mod rollout;
pub mod target;
pub mod trust;
pub mod yard;
