//! What a record registers of an image: the layout, the channels, and what their values become.

use crate::ops::codes;
use crate::ops::predict::cell::quoted;
use crate::record::kind::{Color, Datatype, Finite, ImageEncoding, Layout, Tensor};
use crate::record::{Code, Fault};

/// Why images can't become what is registered.
#[derive(Debug, thiserror::Error)]
pub enum EncodingError {
    /// Images fill one input.
    #[error("an image fills one input, and the version has {0}")]
    Inputs(usize),
    /// The shape has no rows and columns of pixels.
    #[error("input {} has the shape {shape}, which no image has", quoted(input))]
    Shape {
        /// The input.
        input: String,
        /// Its shape.
        shape: String,
    },
    /// The shape can be read in several ways.
    #[error(
        "input {} has the shape {shape}, and nothing says which of its sizes are the channels",
        quoted(input)
    )]
    Ambiguous {
        /// The input.
        input: String,
        /// Its shape.
        shape: String,
    },
    /// What is registered of the image is not what the shape is.
    #[error(
        "input {} has the shape {shape}, and its image is registered as {registered}",
        quoted(input)
    )]
    Contradiction {
        /// The input.
        input: String,
        /// Its shape.
        shape: String,
        /// What is said otherwise.
        registered: String,
    },
    /// Elements that are no numbers.
    #[error("input {} is {datatype}, which pixels don't become", quoted(input))]
    Datatype {
        /// The input.
        input: String,
        /// Its type.
        datatype: Datatype,
    },
}

impl Fault for EncodingError {
    fn code(&self) -> &'static Code {
        &codes::IMAGE_INPUT_UNCLEAR
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Inputs(_) | Self::Datatype { .. } | Self::Shape { .. } => {
                "send rows of numbers, or requests of the Open Inference Protocol in JSON"
            }
            Self::Ambiguous { .. } => {
                "register it in the version's record: `image: {layout: NCHW, color: RGB}`, or NHWC"
            }
            Self::Contradiction { .. } => "correct the input's `image` in the version's record",
        }
        .to_owned())
    }
}

/// A shape's sizes as an image has them; -1 is any.
pub(super) struct Sizes {
    pub(super) samples: Option<i64>,
    pub(super) channels: i64,
    pub(super) height: i64,
    pub(super) width: i64,
}

pub(super) const fn channels(color: Color) -> usize {
    match color {
        Color::Gray => 1,
        Color::Rgb | Color::Bgr => 3,
        Color::Rgba => 4,
    }
}

pub(super) fn shape_error(input: &Tensor) -> EncodingError {
    EncodingError::Shape {
        input: input.name.clone(),
        shape: input.shape.to_string(),
    }
}

fn contradiction(input: &Tensor, registered: String) -> EncodingError {
    EncodingError::Contradiction {
        input: input.name.clone(),
        shape: input.shape.to_string(),
        registered,
    }
}

/// The layout that is registered, or the only one that the shape can be.
pub(super) fn layout(input: &Tensor, registered: Option<Layout>) -> Result<Layout, EncodingError> {
    if let Some(layout) = registered {
        return Ok(layout);
    }
    let may_be = |size: i64| matches!(size, 1 | 3 | 4);
    let ambiguous = || EncodingError::Ambiguous {
        input: input.name.clone(),
        shape: input.shape.to_string(),
    };
    match *input.shape.sizes() {
        [_, first, _, last] => match (may_be(first), may_be(last)) {
            (true, false) => Ok(Layout::Nchw),
            (false, true) => Ok(Layout::Nhwc),
            // Of unknown sizes, too, any may be the channels.
            _ => Err(ambiguous()),
        },
        [first, _, last] => match (matches!(first, 3 | 4), matches!(last, 3 | 4)) {
            (true, false) => Ok(Layout::Chw),
            (false, true) if first != -1 && first != 1 => Ok(Layout::Hwc),
            (false, false) => Ok(Layout::Nhw),
            _ => Err(ambiguous()),
        },
        [_, _] if input.image.is_some() => Ok(Layout::Hw),
        [_, _] => Err(ambiguous()),
        _ => Err(shape_error(input)),
    }
}

pub(super) fn sizes(input: &Tensor, layout: Layout) -> Result<Sizes, EncodingError> {
    let (samples, channels, height, width) = match (layout, input.shape.sizes()) {
        (Layout::Nchw, &[n, c, h, w]) | (Layout::Nhwc, &[n, h, w, c]) => (Some(n), c, h, w),
        (Layout::Chw, &[c, h, w]) | (Layout::Hwc, &[h, w, c]) => (None, c, h, w),
        (Layout::Nhw, &[n, h, w]) => (Some(n), 1, h, w),
        (Layout::Hw, &[h, w]) => (None, 1, h, w),
        _ => return Err(contradiction(input, format!("`layout: {layout}`"))),
    };
    Ok(Sizes {
        samples,
        channels,
        height,
        width,
    })
}

/// The channels that are registered, or what their number is taken for everywhere.
pub(super) fn color(
    input: &Tensor,
    registered: Option<Color>,
    count: i64,
) -> Result<Color, EncodingError> {
    let told = match count {
        1 => Color::Gray,
        4 => Color::Rgba,
        _ => Color::Rgb,
    };
    if registered.is_none() && !matches!(count, -1 | 1 | 3 | 4) {
        return Err(contradiction(input, format!("one of {count} channels")));
    }
    let color = registered.unwrap_or(told);
    if count != -1 && u64::try_from(count) != Ok(channels(color) as u64) {
        return Err(contradiction(input, format!("`color: {color}`")));
    }
    if count == -1 && registered.is_none() {
        let (input, shape) = (input.name.clone(), input.shape.to_string());
        return Err(EncodingError::Ambiguous { input, shape });
    }
    Ok(color)
}

/// `(pixel * scale - mean) / std` as one factor and one offset for each channel.
pub(super) fn weights(
    input: &Tensor,
    encoding: &ImageEncoding,
    channels: usize,
) -> Result<Vec<(f32, f32)>, EncodingError> {
    let scale = encoding.scale.map_or(1.0, f64::from);
    let of = |name: &str, numbers: &[Finite], channel: usize, default: f64| match numbers {
        [] => Ok(default),
        [one] => Ok(one.get()),
        several if several.len() == channels => Ok(several[channel].get()),
        several => {
            let count = several.len();
            Err(contradiction(
                input,
                format!("`{name}` of {count} channels"),
            ))
        }
    };
    let weight = |channel| {
        let mean = of("mean", &encoding.mean, channel, 0.0)?;
        let std = of("std", &encoding.std, channel, 1.0)?;
        if std == 0.0 {
            return Err(contradiction(input, "`std: [0]`".to_owned()));
        }
        #[expect(clippy::cast_possible_truncation, reason = "pixels have eight bits")]
        Ok(((scale / std) as f32, (-mean / std) as f32))
    };
    (0..channels).map(weight).collect()
}
