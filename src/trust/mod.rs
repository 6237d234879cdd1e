//! Keys, signatures and verification policy.
