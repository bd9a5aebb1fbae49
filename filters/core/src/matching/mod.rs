//! Matchers: a pure function of bytes each, compiled once.

pub mod regex;
