//! `allium token`: tokens, whose holders acknowledge, annotate and merge incidents.

use std::io::Write as _;

use allium_model::Timestamp;
use allium_words::inert::inert;
use anyhow::{Context as _, bail, ensure};

use crate::config::Config;
use crate::progress;
use allium_service::tokens;

/// The longest name of a token, in characters.
const LONGEST_NAME: usize = 40;

/// Creates a token and prints it, this once: the store keeps only its hash.
pub(crate) fn create(config: &Config, name: &str) -> anyhow::Result<()> {
    let is_plain = name == name.trim() && name == inert(name) && (1..=LONGEST_NAME).contains(&name.chars().count());
    ensure!(is_plain, "a name has 1 to {LONGEST_NAME} visible characters and no space around them");
    let mut random = [0; 32];
    getrandom::fill(&mut random).context("the system has no random numbers")?;
    let token = tokens::token(random);
    // A token in a store that a misspelt path made would authorise nobody.
    let mut store = config.store.open_existing()?;
    if !store.add_token(name, &tokens::hash(&token), Timestamp::now())? {
        bail!("a token {name:?} exists already, in use or revoked: choose another name");
    }
    progress::line(&format!("Token {name:?}, shown only this once:"));
    writeln!(std::io::stdout().lock(), "{token}")?;
    Ok(())
}

/// Lists tokens with their times; the secrets are not stored.
pub(crate) fn list(config: &Config) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for token in config.store.open_read_only()?.tokens()? {
        let state = token.revoked_at.map_or_else(|| "in use".to_owned(), |at| format!("revoked {}", allium_words::format::rfc3339(at)));
        writeln!(out, "{}\tcreated {}\t{state}", inert(&token.name), allium_words::format::rfc3339(token.created_at))?;
    }
    Ok(())
}

/// Revokes a token.
pub(crate) fn revoke(config: &Config, name: &str) -> anyhow::Result<()> {
    ensure!(config.store.open_existing()?.revoke_token(name, Timestamp::now())?, "no token {name:?} is in use");
    progress::line(&format!("Revoked the token {name:?}"));
    Ok(())
}
