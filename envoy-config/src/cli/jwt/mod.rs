//! `outrigger jwt`

mod inspect;
mod mint;

use clap::{Args, Subcommand};

use crate::Exit;

const EXAMPLES: &str = "\
Examples:
  outrigger jwt inspect \"$TOKEN\" -f istio/
  outrigger jwt mint --new-key dev.pem --issuer https://dev.example --subject ann
  outrigger jwt jwks --key dev.pem

Exit codes:
  0  done (inspect: the token is accepted, or no rules were given)
  1  the token is refused
  2  wrong usage, or a file can't be read
  3  a file or the result can't be written";

/// Tokens: take one apart and ask which rule takes it, or make one for demos and tests
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Jwt {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Inspect(inspect::Inspect),
    Mint(mint::Mint),
    Jwks(mint::Jwks),
}

impl Jwt {
    /// Carries the command out.
    pub fn execute(&self) -> Exit {
        match &self.command {
            Command::Inspect(inspect) => inspect.execute(),
            Command::Mint(mint) => mint.execute(),
            Command::Jwks(jwks) => jwks.execute(),
        }
    }
}
