//! An image as a tensor, as the record's input says it: decoded, resized, and each channel's
//! value `(pixel * scale - mean) / std`.
//!
//! The layout and the channels are those that the input's `image` registers; where it says
//! nothing, those that its shape leaves no doubt of. An image of another size is resized to the
//! registered one, both sides by themselves, bilinearly. An opacity that the input does not take
//! is left out, and a photograph is not turned by what its camera wrote beside it: this is what
//! Pillow and torchvision do when they load images to train with.

mod encoding;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use half::f16;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageFormat, ImageReader, Limits};

use self::encoding::{channels, color, layout, shape_error, sizes, weights};
use super::columns::Sample;
use super::error::Flaw;
use crate::platform::atomic::read_at_most;
use crate::protocol::Elements;
use crate::record::causes;
use crate::record::kind::{Color, Datatype, Layout, Tensor};

pub use encoding::EncodingError;

/// The largest image file.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// The most pixels of an image: what large cameras and scanners make.
const MAX_PIXELS: u64 = 128 * 1024 * 1024;
/// The most memory that decoding an image may take.
const MAX_DECODED_BYTES: u64 = 1024 * 1024 * 1024;

/// How an image file becomes a sample of an input.
#[derive(Debug)]
pub(super) struct Pixels {
    folder: PathBuf,
    datatype: Datatype,
    layout: Layout,
    color: Color,
    /// As registered; none where any is right.
    height: Option<u32>,
    width: Option<u32>,
    batch: Option<usize>,
    /// Of each channel: what a pixel is multiplied with, and what is added then.
    weights: Vec<(f32, f32)>,
}

impl Pixels {
    /// How images of `folder` become the only one of `inputs`.
    pub(super) fn of(inputs: &[Tensor], folder: &Path) -> Result<Self, EncodingError> {
        let [input] = inputs else {
            return Err(EncodingError::Inputs(inputs.len()));
        };
        if matches!(input.datatype, Datatype::Bool | Datatype::Bytes) {
            let (input, datatype) = (input.name.clone(), input.datatype);
            return Err(EncodingError::Datatype { input, datatype });
        }
        let encoding = input.image.clone().unwrap_or_default();
        let layout = layout(input, encoding.layout)?;
        let sizes = sizes(input, layout)?;
        let color = color(input, encoding.color, sizes.channels)?;
        let side = |size: i64| match size {
            -1 => Ok(None),
            size => match u32::try_from(size) {
                Ok(size @ 1..) => Ok(Some(size)),
                _ => Err(shape_error(input)),
            },
        };
        let batch = match sizes.samples {
            Some(-1) => None,
            Some(count) => Some(usize::try_from(count).ok().filter(|&count| count > 0)),
            None => Some(Some(1)),
        };
        let (height, width) = (side(sizes.height)?, side(sizes.width)?);
        let pixels = u64::from(height.unwrap_or(1)) * u64::from(width.unwrap_or(1));
        if pixels > MAX_PIXELS {
            return Err(shape_error(input));
        }
        Ok(Self {
            folder: folder.to_owned(),
            datatype: input.datatype,
            layout,
            color,
            height,
            width,
            batch: match batch {
                // Images of several sizes don't go into one tensor.
                None if height.is_none() || width.is_none() => Some(1),
                None => None,
                Some(count) => Some(count.ok_or_else(|| shape_error(input))?),
            },
            weights: weights(input, &encoding, channels(color))?,
        })
    }

    /// How many images a request has to have, if that is fixed.
    pub(super) fn batch(&self) -> Option<usize> {
        self.batch
    }

    /// Whether the tensor has a size that counts images.
    pub(super) fn counted(&self) -> bool {
        matches!(self.layout, Layout::Nchw | Layout::Nhwc | Layout::Nhw)
    }

    /// The image in the file at `path`, relative to the folder.
    pub(super) fn sample(&self, path: &str) -> Result<Sample, Flaw> {
        let bytes = read_at_most(&self.folder.join(path), MAX_FILE_BYTES).map_err(|error| {
            let because = causes(&error).into_iter().next();
            Flaw::Image(because.unwrap_or_else(|| error.to_string()))
        })?;
        let image = decoded(&bytes)?;
        let width = self.width.unwrap_or_else(|| image.width());
        let height = self.height.unwrap_or_else(|| image.height());
        let values = self.values(image, width, height);
        let (height, width) = (u64::from(height), u64::from(width));
        let channels = channels(self.color) as u64;
        Ok(Sample {
            elements: elements(self.datatype, values),
            sizes: match self.layout {
                Layout::Nchw | Layout::Chw => vec![channels, height, width],
                Layout::Nhwc | Layout::Hwc => vec![height, width, channels],
                Layout::Nhw | Layout::Hw => vec![height, width],
            },
        })
    }

    /// The image's values, in the order of the layout.
    fn values(&self, image: DynamicImage, width: u32, height: u32) -> Vec<f32> {
        macro_rules! sized {
            ($image:expr) => {{
                let image = $image;
                if image.dimensions() == (width, height) {
                    image.into_raw()
                } else {
                    imageops::resize(&image, width, height, FilterType::Triangle).into_raw()
                }
            }};
        }
        let mut bytes: Vec<u8> = match self.color {
            Color::Gray => sized!(image.into_luma8()),
            Color::Rgb | Color::Bgr => sized!(image.into_rgb8()),
            Color::Rgba => sized!(image.into_rgba8()),
        };
        let channels = channels(self.color);
        if self.color == Color::Bgr {
            bytes.chunks_exact_mut(3).for_each(|pixel| pixel.swap(0, 2));
        }
        let value = |byte: u8, channel: usize| {
            let (factor, offset) = self.weights[channel];
            f32::from(byte) * factor + offset
        };
        match self.layout {
            Layout::Nchw | Layout::Chw => (0..channels)
                .flat_map(|channel| {
                    let plane = bytes.iter().skip(channel).step_by(channels);
                    plane.map(move |&byte| value(byte, channel))
                })
                .collect(),
            _ => bytes
                .iter()
                .enumerate()
                .map(|(index, &byte)| value(byte, index % channels))
                .collect(),
        }
    }
}

/// The image that is in a PNG or JPEG file, whatever the file's name.
fn decoded(bytes: &[u8]) -> Result<DynamicImage, Flaw> {
    let broken = |error: image::ImageError| Flaw::Image(error.to_string());
    let reader = || {
        let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
        let reader = reader.expect("memory can be read");
        match reader.format() {
            Some(ImageFormat::Png | ImageFormat::Jpeg) => Ok(reader),
            _ => Err(Flaw::Image("it is neither PNG nor JPEG".to_owned())),
        }
    };
    let (width, height) = reader()?.into_dimensions().map_err(broken)?;
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Flaw::TooLarge(format!(
            "the image says that it has {width} x {height} pixels; {MAX_PIXELS} are the most"
        )));
    }
    let mut reader = reader()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    reader.decode().map_err(broken)
}

/// Numbers as elements of `datatype`: whole ones rounded, and held within what it can say.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float stops at the type's ends"
)]
fn elements(datatype: Datatype, values: Vec<f32>) -> Elements {
    macro_rules! rounded {
        ($variant:ident, $type:ty) => {
            Elements::$variant(
                values
                    .into_iter()
                    .map(|value| value.round() as $type)
                    .collect(),
            )
        };
    }
    match datatype {
        Datatype::Uint8 => rounded!(Uint8, u8),
        Datatype::Uint16 => rounded!(Uint16, u16),
        Datatype::Uint32 => rounded!(Uint32, u32),
        Datatype::Uint64 => rounded!(Uint64, u64),
        Datatype::Int8 => rounded!(Int8, i8),
        Datatype::Int16 => rounded!(Int16, i16),
        Datatype::Int32 => rounded!(Int32, i32),
        Datatype::Int64 => rounded!(Int64, i64),
        Datatype::Fp16 => Elements::Fp16(values.into_iter().map(f16::from_f32).collect()),
        Datatype::Fp64 => Elements::Fp64(values.into_iter().map(f64::from).collect()),
        Datatype::Fp32 => Elements::Fp32(values),
        Datatype::Bool | Datatype::Bytes => Elements::none(datatype),
    }
}

#[cfg(test)]
mod tests;
