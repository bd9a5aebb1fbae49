//! Tokens from outside the proxy: taken apart and held against the rules, and made for demos and tests.

pub mod human;
pub mod inspect;
pub mod key;
pub mod mint;
pub mod parts;
mod times;
mod wanted;
