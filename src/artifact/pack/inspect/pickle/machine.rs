//! A pickle's opcodes, walked without doing what they say (CPython's `pickletools.py` describes
//! each of them).
//!
//! A stack and a memo are kept as the real machine keeps them, so that a name which is put
//! together from the memo is told as well; nothing is imported, made or called.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use super::numpy;
use super::scan::Scan;
use super::value::{Global, Value};
use crate::artifact::pack::inspect::stream::{Forward, Line, Stream};

/// The most values on the stack: Python's own pickler adds a thousand at a time.
const MAX_STACK: usize = 1 << 20;
/// The most values that are remembered; later ones are not followed.
const MAX_MEMO: usize = 1 << 19;
/// The longest text that is looked at.
const MAX_TEXT_BYTES: u64 = 256;
/// The longest line: protocol 0 writes texts and numbers so.
const MAX_LINE_BYTES: usize = 1024;
/// How deep pickles may lie within one another: joblib puts arrays of objects so.
const MAX_DEPTH: u8 = 8;

/// How arrays that joblib puts between opcodes are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrays {
    /// Passed over, as `joblib.load` does.
    Passed,
    /// Not known, as `pickle.load` does.
    Unknown,
}

pub(super) struct Machine<'a, S> {
    stream: &'a mut Stream<S>,
    scan: &'a mut Scan,
    arrays: Arrays,
    depth: u8,
    stack: Vec<Value>,
    memo: HashMap<u32, Value>,
}

fn broken(what: &str) -> io::Error {
    io::Error::other(what.to_owned())
}

impl<'a, S: Forward> Machine<'a, S> {
    pub(super) fn new(stream: &'a mut Stream<S>, scan: &'a mut Scan, arrays: Arrays) -> Self {
        Self {
            stream,
            scan,
            arrays,
            depth: 0,
            stack: Vec::new(),
            memo: HashMap::new(),
        }
    }

    /// Walks to the pickle's end, and says what it leaves.
    ///
    /// # Errors
    /// If it is broken or above a bound; what was told until then stands in the scan.
    pub(super) fn run(mut self) -> io::Result<Value> {
        loop {
            self.scan.count()?;
            let opcode = self.stream.byte()?;
            if opcode == b'.' {
                return self.pop();
            }
            let known = self.number(opcode)?
                || self.text(opcode)?
                || self.container(opcode)?
                || self.memory(opcode)?
                || self.object(opcode)?;
            if !known {
                let at = self.stream.position() - 1;
                return Err(broken(&format!("no opcode is {opcode:#04x}, at byte {at}")));
            }
        }
    }

    fn push(&mut self, value: Value) -> io::Result<()> {
        if self.stack.len() >= MAX_STACK {
            return Err(broken("its stack is higher than is followed"));
        }
        self.scan.pushed(&value);
        self.stack.push(value);
        Ok(())
    }

    fn pop(&mut self) -> io::Result<Value> {
        self.stack
            .pop()
            .ok_or_else(|| broken("it takes what it has not put"))
    }

    fn pop_to_mark(&mut self) -> io::Result<Vec<Value>> {
        let mark = self.stack.iter().rposition(|v| matches!(v, Value::Mark));
        let mark = mark.ok_or_else(|| broken("it has no mark where one has to be"))?;
        let values = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(values)
    }

    fn length(&mut self, width: usize) -> io::Result<u64> {
        let mut bytes = [0; 8];
        for byte in bytes.iter_mut().take(width) {
            *byte = self.stream.byte()?;
        }
        Ok(u64::from_le_bytes(bytes))
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        match self.stream.line(MAX_LINE_BYTES)? {
            Some(Line::Whole(line)) => Ok(line),
            // Nothing that is followed is so long.
            Some(Line::TooLong) => Ok(Vec::new()),
            None => Err(broken("it ends too early")),
        }
    }

    fn number(&mut self, opcode: u8) -> io::Result<bool> {
        let value = match opcode {
            b'J' => Value::Int(i64::from(i32::from_le_bytes(self.stream.array()?))),
            b'K' => Value::Int(i64::from(self.stream.byte()?)),
            b'M' => Value::Int(i64::from(u16::from_le_bytes(self.stream.array()?))),
            b'G' => {
                self.stream.pass(8)?;
                Value::Other
            }
            b'I' | b'L' | b'F' => {
                let line = self.line()?;
                let text = std::str::from_utf8(&line).unwrap_or_default();
                let number = text.trim_end_matches('L').parse();
                number.map_or(Value::Other, Value::Int)
            }
            0x8a | 0x8b => {
                let length = self.length(if opcode == 0x8a { 1 } else { 4 })?;
                match self.stream.bytes(length, 8)? {
                    Some(bytes) => Value::Int(signed(&bytes)),
                    None => Value::Other,
                }
            }
            b'N' | 0x88 | 0x89 => Value::Other,
            _ => return Ok(false),
        };
        self.push(value)?;
        Ok(true)
    }

    fn text(&mut self, opcode: u8) -> io::Result<bool> {
        let width = match opcode {
            b'U' | 0x8c | b'C' => 1,
            b'T' | b'X' | b'B' => 4,
            0x8d | 0x8e | 0x96 => 8,
            b'S' | b'V' => {
                let line = self.line()?;
                let value = self.scan.hold(unquoted(&line));
                self.push(value)?;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        let length = self.length(width)?;
        let value = match self.stream.bytes(length, MAX_TEXT_BYTES)? {
            Some(bytes) => self.scan.hold(&bytes),
            None => Value::Other,
        };
        self.push(value)?;
        Ok(true)
    }

    fn container(&mut self, opcode: u8) -> io::Result<bool> {
        let value = match opcode {
            b'(' => Value::Mark,
            b'}' => Value::dict(Vec::new()),
            b']' | 0x8f => Value::Other,
            b')' => Value::tuple(Vec::new()),
            b't' => Value::tuple(self.pop_to_mark()?),
            0x85..=0x87 => {
                let count = usize::from(opcode - 0x84);
                let begin = self.stack.len().checked_sub(count);
                let begin = begin.ok_or_else(|| broken("it takes what it has not put"))?;
                Value::tuple(self.stack.split_off(begin))
            }
            b'd' => Value::dict(Vec::new()).with(&self.pop_to_mark()?),
            b'l' | 0x91 => {
                self.pop_to_mark()?;
                Value::Other
            }
            b'u' | b's' => {
                let pairs = if opcode == b'u' {
                    self.pop_to_mark()?
                } else {
                    let value = self.pop()?;
                    vec![self.pop()?, value]
                };
                // An object that is a mapping stays what it is.
                match self.pop()? {
                    dict @ Value::Dict(_) => dict.with(&pairs),
                    other => other,
                }
            }
            b'e' | 0x90 => {
                self.pop_to_mark()?;
                return Ok(true);
            }
            b'a' => {
                self.pop()?;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        self.push(value)?;
        Ok(true)
    }

    fn memory(&mut self, opcode: u8) -> io::Result<bool> {
        match opcode {
            0x80 => self.stream.pass(1)?,
            0x95 => self.stream.pass(8)?,
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            b'2' => {
                let top = self.stack.last().cloned();
                self.push(top.ok_or_else(|| broken("it takes what it has not put"))?)?;
            }
            b'p' | b'q' | b'r' | 0x94 => {
                let place = match opcode {
                    b'p' => self.place()?,
                    b'q' => self.length(1)?,
                    b'r' => self.length(4)?,
                    _ => self.memo.len() as u64,
                };
                let top = self.stack.last().cloned();
                let top = top.ok_or_else(|| broken("it remembers what is not there"))?;
                if let Ok(place) = u32::try_from(place)
                    && (self.memo.len() < MAX_MEMO || self.memo.contains_key(&place))
                {
                    self.memo.insert(place, top);
                }
            }
            b'g' | b'h' | b'j' => {
                let place = match opcode {
                    b'g' => self.place()?,
                    b'h' => self.length(1)?,
                    _ => self.length(4)?,
                };
                let place = u32::try_from(place).ok();
                let value = place.and_then(|place| self.memo.get(&place).cloned());
                self.push(value.unwrap_or(Value::Other))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn place(&mut self) -> io::Result<u64> {
        let line = self.line()?;
        let number = std::str::from_utf8(&line).ok().and_then(|t| t.parse().ok());
        number.ok_or_else(|| broken("it remembers by no number"))
    }

    fn object(&mut self, opcode: u8) -> io::Result<bool> {
        let value = match opcode {
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(Value::text(&module), Value::text(&name))
            }
            0x93 => {
                let name = self.pop()?;
                let module = self.pop()?;
                self.global(module, name)
            }
            b'i' => {
                let (module, name) = (self.line()?, self.line()?);
                let arguments = Value::tuple(self.pop_to_mark()?);
                let class = self.global(Value::text(&module), Value::text(&name));
                made(&class, arguments)
            }
            b'o' => {
                let mut values = self.pop_to_mark()?;
                if values.is_empty() {
                    return Err(broken("it makes an object of nothing"));
                }
                let class = values.remove(0);
                made(&class, Value::tuple(values))
            }
            b'R' | 0x81 | 0x92 => {
                if opcode == 0x92 {
                    self.pop()?;
                }
                let arguments = self.pop()?;
                let class = self.pop()?;
                made(&class, arguments)
            }
            b'b' => {
                let state = self.pop()?;
                self.built(&state)?;
                return Ok(true);
            }
            b'P' => {
                self.line()?;
                Value::Other
            }
            b'Q' => {
                let id = self.pop()?;
                self.scan.persistent(&id);
                id
            }
            0x82..=0x84 => {
                // A number that another program's registry gives a meaning.
                self.stream.pass([1, 2, 4][usize::from(opcode - 0x82)])?;
                self.scan.unresolved = true;
                Value::Other
            }
            0x97 => Value::Other,
            0x98 => return Ok(true),
            _ => return Ok(false),
        };
        self.push(value)?;
        Ok(true)
    }

    fn global(&mut self, module: Value, name: Value) -> Value {
        let (Value::Text(module), Value::Text(name)) = (module, name) else {
            self.scan.unresolved = true;
            return Value::Other;
        };
        let global = Rc::new(Global {
            module: module.to_string(),
            name: name.to_string(),
        });
        self.scan.imported(&global);
        if self.scan.has_room(global.module.len() + global.name.len()) {
            Value::Global(global)
        } else {
            Value::Other
        }
    }

    /// Gives the topmost object its state; behind that of joblib's stand-in for an array lies
    /// the array.
    fn built(&mut self, state: &Value) -> io::Result<()> {
        let top = self.stack.last();
        let top = top.ok_or_else(|| broken("it takes what it has not put"))?;
        let stand_in = top
            .as_object()
            .is_some_and(|object| object.class.is("joblib.numpy_pickle", "NumpyArrayWrapper"));
        if !stand_in {
            return Ok(());
        }
        self.scan.has_arrays = true;
        if self.arrays == Arrays::Unknown {
            return Ok(());
        }
        match numpy::array(state)? {
            numpy::Array::Plain { size_bytes } => {
                if state
                    .get("numpy_array_alignment_bytes")
                    .and_then(Value::as_int)
                    > Some(0)
                {
                    let padding = self.stream.byte()?;
                    self.stream.pass(u64::from(padding))?;
                }
                self.stream.pass(size_bytes)
            }
            numpy::Array::Objects => {
                if self.depth >= MAX_DEPTH {
                    return Err(broken("arrays lie too deep in one another"));
                }
                let mut within = Machine::new(self.stream, self.scan, self.arrays);
                within.depth = self.depth + 1;
                within.run().map(drop)
            }
        }
    }
}

/// What calling `class` with `arguments` makes.
fn made(class: &Value, arguments: Value) -> Value {
    let Some(class) = class.as_global() else {
        return Value::Other;
    };
    let is_reconstructor =
        class.name == "_reconstructor" && matches!(&*class.module, "copyreg" | "copy_reg");
    if is_reconstructor {
        let first = arguments.as_tuple().and_then(<[_]>::first);
        if let Some(class) = first.and_then(Value::as_global) {
            return Value::object(Rc::clone(class), Value::Other);
        }
    }
    Value::object(Rc::clone(class), arguments)
}

/// A number of up to eight bytes, little-endian, in two's complement.
fn signed(bytes: &[u8]) -> i64 {
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut whole = [if negative { 0xff } else { 0 }; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    i64::from_le_bytes(whole)
}

/// The text without Python's quotes, if it has them.
fn unquoted(line: &[u8]) -> &[u8] {
    match line {
        [b'\'', text @ .., b'\''] | [b'"', text @ .., b'"'] => text,
        text => text,
    }
}
