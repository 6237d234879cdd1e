//! What a model takes and gives: tensors, as the Open Inference Protocol describes them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::grammar::words;
use super::number::Finite;

/// The most dimensions of a shape: what NumPy and most runtimes stop at.
pub const MAX_DIMENSIONS: usize = 32;
/// The largest size of a dimension: what every JSON reader keeps exact.
pub const MAX_DIMENSION: i64 = (1 << 53) - 1;

words! {
    /// A tensor's element type (Open Inference Protocol v2, "Tensor Data Types").
    Datatype, "a datatype",
    {
        /// True or false.
        Bool = "BOOL",
        /// 8 bits without a sign.
        Uint8 = "UINT8",
        /// 16 bits without a sign.
        Uint16 = "UINT16",
        /// 32 bits without a sign.
        Uint32 = "UINT32",
        /// 64 bits without a sign.
        Uint64 = "UINT64",
        /// 8 bits with a sign.
        Int8 = "INT8",
        /// 16 bits with a sign.
        Int16 = "INT16",
        /// 32 bits with a sign.
        Int32 = "INT32",
        /// 64 bits with a sign.
        Int64 = "INT64",
        /// Half precision.
        Fp16 = "FP16",
        /// Single precision.
        Fp32 = "FP32",
        /// Double precision.
        Fp64 = "FP64",
        /// Text, or any bytes.
        Bytes = "BYTES",
    }
}

/// A tensor's sizes, outermost first; `-1` is any size, no size at all is a scalar.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<i64>", into = "Vec<i64>")]
pub struct Shape(Vec<i64>);

/// Why numbers are no shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// A size below -1, or too large for JSON.
    #[error("{size} is not the size of a dimension: it has to be -1, for any size, or more")]
    Size {
        /// The number as it was given.
        size: i64,
    },
    /// More dimensions than any runtime has.
    #[error("a shape of {count} dimensions has too many: {MAX_DIMENSIONS} is the most")]
    Dimensions {
        /// How many there are.
        count: usize,
    },
}

impl Shape {
    /// The sizes, outermost first; -1 is any.
    pub fn sizes(&self) -> &[i64] {
        &self.0
    }

    /// Whether every size is known.
    pub fn is_fixed(&self) -> bool {
        self.0.iter().all(|&size| size >= 0)
    }

    /// Whether there are tensors that have both shapes: as many dimensions, and each size the
    /// same or any.
    pub fn fits(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self
                .0
                .iter()
                .zip(&other.0)
                .all(|(&ours, &theirs)| ours == theirs || ours == -1 || theirs == -1)
    }
}

impl TryFrom<Vec<i64>> for Shape {
    type Error = ShapeError;

    fn try_from(sizes: Vec<i64>) -> Result<Self, ShapeError> {
        if sizes.len() > MAX_DIMENSIONS {
            return Err(ShapeError::Dimensions { count: sizes.len() });
        }
        match sizes
            .iter()
            .find(|size| !(-1..=MAX_DIMENSION).contains(*size))
        {
            Some(&size) => Err(ShapeError::Size { size }),
            None => Ok(Self(sizes)),
        }
    }
}

impl From<Shape> for Vec<i64> {
    fn from(shape: Shape) -> Self {
        shape.0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<_> = self.0.iter().map(i64::to_string).collect();
        write!(formatter, "[{}]", sizes.join(", "))
    }
}

/// One input or output of a model. A table's column is a tensor of shape `[-1]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tensor {
    /// What requests and answers call it.
    pub name: String,
    /// The type of its elements.
    pub datatype: Datatype,
    /// Its sizes.
    pub shape: Shape,
    /// What it means, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How an image becomes this tensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageEncoding>,
    /// What each class number means, from 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

/// How the pixels of an image become a tensor: `(pixel * scale - mean) / std`, for each channel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageEncoding {
    /// The order of the dimensions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// The channels and their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
    /// What each pixel's value, 0 to 255, is multiplied with; 1 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<Finite>,
    /// What is then subtracted, for each channel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mean: Vec<Finite>,
    /// What it is then divided by, for each channel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub std: Vec<Finite>,
}

words! {
    /// The order of an image tensor's dimensions: N images, C channels, H rows, W columns.
    Layout, "an image's layout",
    {
        /// Channels first.
        Nchw = "NCHW",
        /// Channels last.
        Nhwc = "NHWC",
        /// Channels first, one image.
        Chw = "CHW",
        /// Channels last, one image.
        Hwc = "HWC",
        /// Gray images, with no dimension for channels.
        Nhw = "NHW",
        /// One gray image, with no dimension for channels.
        Hw = "HW",
    }
}

words! {
    /// An image tensor's channels, in their order.
    Color, "an image's channels",
    {
        /// Red, green, blue.
        Rgb = "RGB",
        /// Blue, green, red: OpenCV's order.
        Bgr = "BGR",
        /// Brightness only.
        Gray = "GRAY",
        /// Red, green, blue, opacity.
        Rgba = "RGBA",
    }
}

/// Something that a request may set beside its tensors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parameter {
    /// What requests call it.
    pub name: String,
    /// Its type.
    pub datatype: Datatype,
    /// What it is where a request does not set it: a boolean, a number or a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Whether every request has to set it; no where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// What it does, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(sizes: &[i64]) -> Shape {
        sizes.to_vec().try_into().unwrap()
    }

    #[test]
    fn any_size_fits_every_size() {
        assert!(shape(&[-1, 3, 224]).fits(&shape(&[8, 3, -1])));
        assert!(!shape(&[-1, 3]).fits(&shape(&[-1, 4])));
        assert!(!shape(&[-1]).fits(&shape(&[-1, 1])));
        assert!(shape(&[]).fits(&shape(&[])));
        assert_eq!(shape(&[-1, 3]).to_string(), "[-1, 3]");
    }

    #[test]
    fn impossible_sizes_are_refused() {
        assert_eq!(
            Shape::try_from(vec![1, -2]),
            Err(ShapeError::Size { size: -2 })
        );
        assert!(Shape::try_from(vec![i64::MAX]).is_err());
        assert_eq!(
            Shape::try_from(vec![1; 33]),
            Err(ShapeError::Dimensions { count: 33 })
        );
    }
}
