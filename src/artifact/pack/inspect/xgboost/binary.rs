//! XGBoost's binary form, which its releases up to 3.0 could write (`src/learner.cc`,
//! `LearnerModelParamLegacy`), little-endian.
//!
//! ```text
//! ["binf"] | f32 base score | u32 features | i32 classes | i32, i32 | u32, u32 version | …
//! 136 bytes in all | u64 length, objective's name | u64 length, booster's name | …
//! ```

use std::io::{self, Read, Seek};

use super::{Booster, Learner, Model, Objective, Params};
use crate::artifact::pack::inspect::stream::Stream;

/// The settings' length.
const PARAMS_BYTES: u64 = 136;
/// How much of the file is read.
const MAX_HEAD_BYTES: u64 = 4096;
/// The longest name of an objective or a booster.
const MAX_NAME_BYTES: u64 = 256;

/// The model's settings, if the file has this form.
pub(super) fn read(mut file: impl Read + Seek) -> io::Result<Option<Model>> {
    let mut mark = Vec::new();
    file.rewind()?;
    (&mut file).take(4).read_to_end(&mut mark)?;
    let begin = if mark == b"binf" { 4 } else { 0 };
    let mut stream = Stream::lying(file, begin, MAX_HEAD_BYTES)?;
    let mut head = || -> io::Result<Option<Model>> {
        let number = u32::from_le_bytes;
        stream.pass(4)?;
        let features = number(stream.array()?);
        let classes = number(stream.array()?);
        stream.pass(8)?;
        let (major, minor) = (number(stream.array()?), number(stream.array()?));
        stream.pass(PARAMS_BYTES - 28)?;
        let mut name = || -> io::Result<Option<String>> {
            let length = u64::from_le_bytes(stream.array()?);
            if length > MAX_NAME_BYTES {
                return Ok(None);
            }
            let bytes = stream.bytes(length, MAX_NAME_BYTES)?.unwrap_or_default();
            Ok(String::from_utf8(bytes).ok().filter(|name| is_name(name)))
        };
        let Some(objective) = name()? else {
            return Ok(None);
        };
        let Some(booster) =
            name()?.filter(|name| matches!(&**name, "gbtree" | "gblinear" | "dart"))
        else {
            return Ok(None);
        };
        Ok(Some(Model {
            learner: Learner {
                learner_model_param: Params {
                    num_feature: features.to_string(),
                    num_class: classes.to_string(),
                    ..Params::default()
                },
                objective: Objective { name: objective },
                gradient_booster: Booster { name: booster },
                ..Learner::default()
            },
            version: vec![major, minor],
        }))
    };
    match head() {
        // Too short to be one.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        told => told,
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b":_-".contains(&byte))
}
