//! An OCI image layout on disk.
