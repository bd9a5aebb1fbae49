//! The words that policies and requests are made of: few, so that requests often meet a rule, and close to each other, so
//! that they often just miss it.

mod operation;
mod source;
mod token;

pub(super) use operation::*;
pub(super) use source::*;
pub(super) use token::*;

/// The ports of every listener, as policies have them.
pub(super) const PORTS: [u16; 2] = [8080, 8443];

/// What stands in policies for the listener's own address.
pub(super) const OWN_ADDRESS: &str = "127.9.9.9";
