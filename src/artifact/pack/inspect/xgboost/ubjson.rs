//! UBJSON (Draft 12, and XGBoost's unnamed lengths), of which only the learner's settings are
//! kept.

use std::io::{self, Read, Seek};

use super::{MAX_MODEL_BYTES, Model};
use crate::artifact::pack::inspect::port::MAX_PORTS;
use crate::artifact::pack::inspect::stream::{Forward, Stream};

/// The longest text that is kept.
const MAX_TEXT_BYTES: u64 = 1024;
/// How deep values may lie in one another.
const MAX_DEPTH: usize = 32;

pub(super) fn read(file: impl Read + Seek) -> io::Result<Model> {
    let mut reader = Reader {
        stream: Stream::lying(file, 0, MAX_MODEL_BYTES)?,
        path: Vec::new(),
        model: Model::default(),
    };
    let kind = reader.stream.byte()?;
    reader.value(kind)?;
    Ok(reader.model)
}

struct Reader<S> {
    stream: Stream<S>,
    /// The keys that lead here; nothing for one that is too long, and for a list.
    path: Vec<String>,
    model: Model,
}

fn broken(what: &str) -> io::Error {
    io::Error::other(what.to_owned())
}

impl<S: Forward> Reader<S> {
    fn value(&mut self, kind: u8) -> io::Result<()> {
        if self.path.len() > MAX_DEPTH {
            return Err(broken("it is nested too deep"));
        }
        match kind {
            b'{' => self.object(),
            b'[' => self.list(),
            b'S' | b'H' => {
                let length = self.length()?;
                let bytes = self.stream.bytes(length, MAX_TEXT_BYTES)?;
                if let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
                    self.keep(text);
                }
                Ok(())
            }
            b'i' | b'U' | b'I' | b'l' | b'L' => {
                let number = self.number(kind)?;
                let at_version = matches!(&self.path[..], [key, _] if key == "version");
                if at_version && self.model.version.len() < 3 {
                    self.model.version.extend(u32::try_from(number).ok());
                }
                Ok(())
            }
            _ => match width(kind) {
                Some(width) => self.stream.pass(width),
                None => Err(broken("a value of no known type is in it")),
            },
        }
    }

    fn object(&mut self) -> io::Result<()> {
        let (kind, mut left) = self.announced()?;
        loop {
            match left.as_mut() {
                Some(0) => return Ok(()),
                Some(left) => *left -= 1,
                None if self.stream.peek()? == Some(b'}') => return self.stream.pass(1),
                None => {}
            }
            let length = self.length()?;
            let key = self
                .stream
                .bytes(length, MAX_TEXT_BYTES)?
                .unwrap_or_default();
            let kind = self.kind(kind)?;
            self.within(String::from_utf8(key).unwrap_or_default(), kind)?;
        }
    }

    fn list(&mut self) -> io::Result<()> {
        let (kind, mut left) = self.announced()?;
        if let (Some(width), Some(count)) = (kind.and_then(width), left) {
            let size = count.checked_mul(width);
            return self
                .stream
                .pass(size.ok_or_else(|| broken("a length is a lie"))?);
        }
        loop {
            match left.as_mut() {
                Some(0) => return Ok(()),
                Some(left) => *left -= 1,
                None if self.stream.peek()? == Some(b']') => return self.stream.pass(1),
                None => {}
            }
            let kind = self.kind(kind)?;
            self.within(String::new(), kind)?;
        }
    }

    fn within(&mut self, key: String, kind: u8) -> io::Result<()> {
        self.path.push(key);
        self.value(kind)?;
        self.path.pop();
        Ok(())
    }

    /// The type and the number of what follows, where they are said once for all of it.
    fn announced(&mut self) -> io::Result<(Option<u8>, Option<u64>)> {
        let mut kind = None;
        if self.stream.peek()? == Some(b'$') {
            self.stream.pass(1)?;
            kind = Some(self.stream.byte()?);
        }
        if self.stream.peek()? != Some(b'#') {
            return match kind {
                None => Ok((None, None)),
                Some(_) => Err(broken("a list of one type has no length")),
            };
        }
        self.stream.pass(1)?;
        let count = self.length()?;
        // Values of no bytes at all would let a short file announce endless work.
        let endless = kind.is_some_and(|kind| width(kind) == Some(0));
        if endless {
            return Err(broken("a list of nothing is in it"));
        }
        Ok((kind, Some(count)))
    }

    fn kind(&mut self, announced: Option<u8>) -> io::Result<u8> {
        announced.map_or_else(|| self.stream.byte(), Ok)
    }

    fn length(&mut self) -> io::Result<u64> {
        let kind = self.stream.byte()?;
        let length = self.number(kind)?;
        u64::try_from(length).map_err(|_| broken("a length is a lie"))
    }

    fn number(&mut self, kind: u8) -> io::Result<i64> {
        Ok(match kind {
            b'i' => i64::from(self.stream.byte()?.cast_signed()),
            b'U' => i64::from(self.stream.byte()?),
            b'I' => i64::from(i16::from_be_bytes(self.stream.array()?)),
            b'l' => i64::from(i32::from_be_bytes(self.stream.array()?)),
            b'L' => i64::from_be_bytes(self.stream.array()?),
            _ => return Err(broken("a length is no number")),
        })
    }

    fn keep(&mut self, text: String) {
        let learner = &mut self.model.learner;
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let place = match path[..] {
            ["learner", "feature_names", ""] => {
                if learner.feature_names.len() < MAX_PORTS {
                    learner.feature_names.push(text);
                }
                return;
            }
            ["learner", "learner_model_param", "num_feature"] => {
                &mut learner.learner_model_param.num_feature
            }
            ["learner", "learner_model_param", "num_class"] => {
                &mut learner.learner_model_param.num_class
            }
            ["learner", "learner_model_param", "num_target"] => {
                &mut learner.learner_model_param.num_target
            }
            ["learner", "objective", "name"] => &mut learner.objective.name,
            ["learner", "gradient_booster", "name"] => &mut learner.gradient_booster.name,
            _ => return,
        };
        *place = text;
    }
}

/// How many bytes a value of this type has behind its type.
fn width(kind: u8) -> Option<u64> {
    Some(match kind {
        b'Z' | b'N' | b'T' | b'F' => 0,
        b'i' | b'U' | b'C' => 1,
        b'I' => 2,
        b'l' | b'd' => 4,
        b'L' | b'D' => 8,
        _ => return None,
    })
}
