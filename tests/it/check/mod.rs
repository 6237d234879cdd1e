//! Checking: a sound yard, and all that can be wrong with it.

mod affected;
mod before;
mod codes;
mod evidence;
mod gates;
mod hostile;
pub(crate) mod sound;
mod words;
