//! The git side: snapshots at a commit, differences, changes, the index.
