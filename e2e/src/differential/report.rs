//! How a difference is told.

use serde_json::Value;

use super::batch::{Difference, Failure};
use super::configuration::Configuration;

/// A failure in a line.
pub(super) fn line(failure: &Failure) {
    match failure {
        Failure::Refused { configuration, problems } => {
            println!("{}: refused: {problems}", configuration.tag);
        }
        Failure::Differs(difference) => {
            let Difference { configuration, request, ours, native } = difference.as_ref();
            println!(
                "{}: ours [{}] native [{}]: {} {}{}",
                configuration.tag,
                shortened(&ours.without(native)),
                shortened(&native.without(ours)),
                request.method,
                shortened(&request.target.escape_ascii().to_string()),
                request.wire,
            );
        }
    }
}

/// A line has room for so many characters of a part.
const LONGEST: usize = 300;

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

/// A whole difference, with what repeats it. `notes`: what is to be told of the request.
pub(super) fn pair(difference: &Difference, seed: u64, notes: &str) {
    let Difference { configuration, request, ours, native } = difference;
    println!("\nthe smallest that differs (seed {seed}, from configuration {}):", configuration.tag);
    resources(configuration);
    println!("\nrequest: {request}{notes}\nours:\n{ours}\nnative:\n{native}");
}

/// A configuration.
pub(super) fn resources(configuration: &Configuration) {
    for resource in &configuration.resources {
        println!("---\n{}", yaml(resource));
    }
}

fn yaml(resource: &Value) -> String {
    yaml_serde::to_string(resource).unwrap_or_else(|_| resource.to_string())
}
