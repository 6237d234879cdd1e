//! Images become tensors as the record registers it.

use image::{ImageFormat, imageops};
use serde_json::Value;

use super::{left, predict};
use crate::harness::{Sandbox, Yard};
use crate::ops::test::yard_with;

const DIGITS: &str = "vision/digits:1.0.0";

/// The ten digits of the example as gray images of 8 x 8 pixels.
fn digits() -> Vec<image::GrayImage> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/digits/1.0.0/tests/all-ten-at-once.image.json"
    );
    let data: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    fn flat(value: &Value, into: &mut Vec<f64>) {
        match value.as_array() {
            Some(all) => all.iter().for_each(|value| flat(value, into)),
            None => into.push(value.as_f64().unwrap()),
        }
    }
    let mut values = Vec::new();
    flat(&data, &mut values);
    let pixels: Vec<u8> = values
        .iter()
        .map(|value| (value * 255.0).round() as u8)
        .collect();
    let image = |pixels: &[u8]| image::GrayImage::from_raw(8, 8, pixels.to_vec()).unwrap();
    pixels.chunks(64).map(image).collect()
}

fn save(yard: &Yard<'_>, path: &str, image: &image::DynamicImage) {
    let path = yard.path(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.save(path).unwrap();
}

/// Each line's first two cells.
fn labels(yard: &Yard<'_>, result: &str) -> String {
    let text = std::fs::read_to_string(yard.path(result)).unwrap();
    let cells = |line: &str| line.splitn(3, ',').take(2).collect::<Vec<_>>().join(" ");
    text.lines().map(cells).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_folder_of_images_gives_a_row_for_each() {
    let sandbox = Sandbox::new();
    let yard = yard_with(&sandbox, "digits", "1.0.0", "vision/digits");
    for (digit, image) in digits().into_iter().enumerate() {
        // In color, in other sizes, in JPEG under another name: it is made what is registered.
        let gray = image::DynamicImage::from(image);
        match digit {
            3 => save(&yard, "scans/odd/3.png", &gray.to_rgba8().into()),
            4 => {
                let large =
                    imageops::resize(&gray.to_rgb8(), 64, 64, imageops::FilterType::Nearest);
                save(&yard, "scans/4.PNG", &large.into());
            }
            5 => {
                let large =
                    imageops::resize(&gray.to_rgb8(), 64, 64, imageops::FilterType::Nearest);
                let path = yard.path("scans/5.png");
                large.save_with_format(path, ImageFormat::Jpeg).unwrap();
            }
            6 => save(&yard, "scans/6.png", &gray.to_luma16().into()),
            _ => save(&yard, &format!("scans/{digit}.png"), &gray),
        }
    }
    yard.write("scans/notes.txt", "which is none");
    let done = predict(
        &yard,
        DIGITS,
        "scans",
        "out/digits.csv",
        &["--batch-size", "3"],
    )
    .success();
    insta::assert_snapshot!(labels(&yard, "out/digits.csv"), @r#"
    file label
    0.png 0
    1.png 1
    2.png 2
    4.PNG 4
    5.png 5
    6.png 6
    7.png 7
    8.png 8
    9.png 9
    odd/3.png 3
    "#);
    assert!(
        done.stdout
            .contains("\n1 file of the folder is no image, and was left alone"),
        "{}",
        done.stdout
    );
    // One image by itself, and without a result.
    let one = yard
        .modelyard(["predict", DIGITS, "-f", "scans/odd/3.png"])
        .run()
        .success();
    assert!(one.stdout.contains("\n3      0.0"), "{}", one.stdout);
    predict(&yard, DIGITS, "scans/4.PNG", "out/one.csv", &[]).success();
    assert!(labels(&yard, "out/one.csv").ends_with("4.PNG 4"));
}

#[test]
fn an_image_that_can_not_be_read_is_told_by_its_name() {
    let sandbox = Sandbox::new();
    let yard = yard_with(&sandbox, "digits", "1.0.0", "vision/digits");
    let gray = image::DynamicImage::from(digits().remove(7));
    save(&yard, "scans/a.png", &gray);
    let whole = std::fs::read(yard.path("scans/a.png")).unwrap();
    std::fs::write(yard.path("scans/b-cut.png"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(yard.path("scans/c-text.jpg"), "no image").unwrap();
    std::fs::write(yard.path("scans/d-empty.png"), "").unwrap();
    std::fs::write(
        yard.path("scans/e-huge.png"),
        claiming(&whole, 60_000, 60_000),
    )
    .unwrap();
    save(&yard, "scans/f.png", &gray);
    let stopped = predict(&yard, DIGITS, "scans", "out/x.csv", &[]);
    assert_eq!(stopped.code, Some(2));
    insta::assert_snapshot!(stopped.stderr, @r#"
    error[not-an-image]: scans, file `b-cut.png`: it can't be read as an image: unexpected end of file
      help: mend the image, or take it out of the folder; --on-error skip leaves such rows out
      more: modelyard explain not-an-image
    "#);
    let skipped = predict(&yard, DIGITS, "scans", "out/x.csv", &["--on-error", "skip"]);
    assert_eq!(skipped.code, Some(1), "{}", skipped.report());
    assert_eq!(left(&yard), ["x.csv", "x.csv.errors.jsonl"]);
    insta::assert_snapshot!(labels(&yard, "out/x.csv"), @r#"
    file label
    a.png 7
    f.png 7
    "#);
    let errors = std::fs::read_to_string(yard.path("out/x.csv.errors.jsonl")).unwrap();
    insta::assert_snapshot!(errors, @r#"
    {"row":2,"file":"b-cut.png","code":"not-an-image","error":"it can't be read as an image: unexpected end of file"}
    {"row":3,"file":"c-text.jpg","code":"not-an-image","error":"it can't be read as an image: it is neither PNG nor JPEG"}
    {"row":4,"file":"d-empty.png","code":"not-an-image","error":"it can't be read as an image: it is neither PNG nor JPEG"}
    {"row":5,"file":"e-huge.png","code":"not-an-image","error":"the image says that it has 60000 x 60000 pixels; 134217728 are the most"}
    "#);
    assert!(
        skipped
            .stdout
            .contains("\n4 rows could not be answered: see "),
        "{}",
        skipped.stdout
    );
}

/// A PNG that says that it has other sizes.
fn claiming(png: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut png = png.to_vec();
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = png[12..29].iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg())
        })
    });
    png[29..33].copy_from_slice(&(!checksum).to_be_bytes());
    png
}
