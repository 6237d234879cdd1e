//! Modelyard: a GitOps registry for machine-learning models.

pub mod record;
