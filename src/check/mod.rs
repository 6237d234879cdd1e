//! YAML with positions -> schema -> references -> diagnostics; pure.
