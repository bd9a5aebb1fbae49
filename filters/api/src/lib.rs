//! Istio's resources as types: parse, validate, select.
