//! Where a pixel's values go.

use super::*;
use serde_json::{Value, json};

fn input(shape: &[i64], datatype: &str, image: Value) -> Vec<Tensor> {
    let mut input = json!({"name": "x", "datatype": datatype, "shape": shape});
    if !image.is_null() {
        input["image"] = image;
    }
    serde_json::from_value(json!([input])).unwrap()
}

/// Two pixels beside each other: red with a little blue, and green.
fn image(folder: &Path) {
    let pixels = vec![255, 0, 10, 0, 255, 0];
    image::RgbImage::from_raw(2, 1, pixels)
        .unwrap()
        .save(folder.join("a.png"))
        .unwrap();
}

fn sample(shape: &[i64], datatype: &str, encoding: Value) -> (Vec<u64>, Elements) {
    let folder = tempfile::tempdir().unwrap();
    image(folder.path());
    let pixels = Pixels::of(&input(shape, datatype, encoding), folder.path()).unwrap();
    let sample = pixels.sample("a.png").unwrap();
    (sample.sizes, sample.elements)
}

#[test]
fn values_lie_as_the_layout_says() {
    let uint8 = |shape: &[i64], image| sample(shape, "UINT8", image);
    let planes = Elements::Uint8(vec![255, 0, 0, 255, 10, 0]);
    assert_eq!(
        uint8(&[-1, 3, 1, 2], json!({"layout": "NCHW"})),
        (vec![3, 1, 2], planes.clone())
    );
    assert_eq!(uint8(&[3, 1, 2], json!(null)), (vec![3, 1, 2], planes));
    let pixels = Elements::Uint8(vec![255, 0, 10, 0, 255, 0]);
    assert_eq!(
        uint8(&[-1, 1, 2, 3], json!({"layout": "NHWC"})),
        (vec![1, 2, 3], pixels)
    );
    let turned = Elements::Uint8(vec![10, 0, 255, 0, 255, 0]);
    let bgr = json!({"layout": "HWC", "color": "BGR"});
    assert_eq!(uint8(&[-1, -1, 3], bgr), (vec![1, 2, 3], turned));
    let (sizes, opaque) = uint8(&[1, 2, 4], json!({"layout": "HWC"}));
    assert_eq!((sizes, opaque.len()), (vec![1, 2, 4], 8));
    let (sizes, gray) = uint8(&[1, 2], json!({"layout": "HW"}));
    assert_eq!((sizes, gray.len()), (vec![1, 2], 2));
}

#[test]
fn values_are_scaled_channel_by_channel() {
    let encoding = json!({"layout": "NCHW", "scale": 0.1, "mean": [0.5, 0, 1], "std": [0.5, 1, 2]});
    let (_, elements) = sample(&[-1, 3, 1, 2], "FP32", encoding);
    let Elements::Fp32(values) = elements else {
        panic!("{elements:?}")
    };
    let wanted = [50.0, -1.0, 0.0, 25.5, 0.0, -0.5];
    for (value, wanted) in values.iter().zip(wanted) {
        assert!((value - wanted).abs() < 1e-5, "{values:?}");
    }
    let centered = json!({"layout": "NCHW", "mean": [128]});
    let (_, elements) = sample(&[1, 3, 1, 2], "INT8", centered);
    assert_eq!(
        elements,
        Elements::Int8(vec![127, -128, -128, 127, -118, -128])
    );
}

#[test]
fn an_image_is_made_the_size_that_is_registered() {
    let (sizes, elements) = sample(&[-1, 3, 8, 6], "UINT8", json!(null));
    assert_eq!((sizes, elements.len()), (vec![3, 8, 6], 144));
    let pixels =
        |shape: &[i64]| Pixels::of(&input(shape, "FP32", json!(null)), Path::new("")).unwrap();
    assert_eq!(pixels(&[-1, 3, 8, 6]).batch(), None);
    assert_eq!(pixels(&[4, 3, 8, 6]).batch(), Some(4));
    assert_eq!(pixels(&[3, 8, 6]).batch(), Some(1));
    // Images of several sizes go one by one.
    assert_eq!(pixels(&[-1, 3, -1, -1]).batch(), Some(1));
}

#[test]
fn what_leaves_a_doubt_is_refused() {
    let told = [
        input(&[-1, 3, 8, 3], "FP32", json!(null)),
        input(&[-1, -1, -1, -1], "FP32", json!(null)),
        input(&[8, 8], "FP32", json!(null)),
        input(&[-1, 8, 8, 3], "FP32", json!({"layout": "NCHW"})),
        input(&[-1, 8, 8], "FP32", json!({"layout": "NCHW"})),
        input(&[-1, 3, 8, 8], "FP32", json!({"color": "GRAY"})),
        input(&[-1, 3, 8, 8], "FP32", json!({"mean": [1, 2]})),
        input(&[-1, 3, 8, 8], "FP32", json!({"std": [0]})),
        input(&[-1, 64], "BYTES", json!(null)),
        input(&[64], "FP32", json!(null)),
        Vec::new(),
    ]
    .map(|inputs| Pixels::of(&inputs, Path::new("")).unwrap_err().to_string());
    insta::assert_snapshot!(told.join("\n"), @r#"
    input `x` has the shape [-1, 3, 8, 3], and nothing says which of its sizes are the channels
    input `x` has the shape [-1, -1, -1, -1], and nothing says which of its sizes are the channels
    input `x` has the shape [8, 8], and nothing says which of its sizes are the channels
    input `x` has the shape [-1, 8, 8, 3], and its image is registered as one of 8 channels
    input `x` has the shape [-1, 8, 8], and its image is registered as `layout: NCHW`
    input `x` has the shape [-1, 3, 8, 8], and its image is registered as `color: GRAY`
    input `x` has the shape [-1, 3, 8, 8], and its image is registered as `mean` of 2 channels
    input `x` has the shape [-1, 3, 8, 8], and its image is registered as `std: [0]`
    input `x` is BYTES, which pixels don't become
    input `x` has the shape [64], which no image has
    an image fills one input, and the version has 0
    "#);
}
