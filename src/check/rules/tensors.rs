//! Whether one tensor can be what another place asks for.

use crate::record::kind::{Datatype, Shape, Tensor};

/// Why a tensor of `datatype` and `shape` can't be `wanted`.
pub(super) fn misfit(datatype: Datatype, shape: &Shape, wanted: &Tensor) -> Option<String> {
    if datatype != wanted.datatype {
        return Some(format!(
            "it is {datatype}, but has to be {}",
            wanted.datatype
        ));
    }
    if !shape.fits(&wanted.shape) {
        return Some(format!(
            "its shape is {shape}, but has to be {}",
            wanted.shape
        ));
    }
    None
}
