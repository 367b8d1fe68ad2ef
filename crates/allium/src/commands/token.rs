//! `allium token`: who may acknowledge, annotate and merge incidents.

use std::io::Write as _;

use allium_history::SqliteHistory;
use allium_model::Timestamp;
use allium_words::inert::inert;
use anyhow::{Context as _, bail, ensure};

use crate::config::Config;
use crate::desk;
use crate::progress;

/// The longest name of a token, in characters.
const LONGEST_NAME: usize = 40;

/// Makes a token and prints it, which nobody can do again.
pub(crate) fn create(config: &Config, name: &str) -> anyhow::Result<()> {
    let is_plain = name == name.trim() && name == inert(name) && (1..=LONGEST_NAME).contains(&name.chars().count());
    ensure!(is_plain, "a name has 1 to {LONGEST_NAME} visible characters and no space around them");
    let mut random = [0; 32];
    getrandom::fill(&mut random).context("the system has no random numbers")?;
    let token = desk::token(random);
    let mut store = opened(config)?;
    if !store.add_token(name, &desk::hash(&token), Timestamp::now())? {
        bail!("there is a token {name:?} already, in use or revoked: choose another name");
    }
    progress::line(&format!("Token {name:?}, shown only this once:"));
    writeln!(std::io::stdout().lock(), "{token}")?;
    Ok(())
}

/// Prints all tokens with their times, never themselves.
pub(crate) fn list(config: &Config) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for token in SqliteHistory::open_read_only(&config.store)?.tokens()? {
        let state = token.revoked_at.map_or_else(|| "in use".to_owned(), |at| format!("revoked {}", allium_words::format::rfc3339(at)));
        writeln!(out, "{}\tcreated {}\t{state}", inert(&token.name), allium_words::format::rfc3339(token.created_at))?;
    }
    Ok(())
}

/// Makes a token open nothing from now on.
pub(crate) fn revoke(config: &Config, name: &str) -> anyhow::Result<()> {
    ensure!(opened(config)?.revoke_token(name, Timestamp::now())?, "no token {name:?} is in use");
    progress::line(&format!("Token {name:?} opens nothing any more"));
    Ok(())
}

/// The store, which must exist: a token in a store that a misspelt path made would open nothing.
fn opened(config: &Config) -> anyhow::Result<SqliteHistory> {
    let path = &config.store;
    ensure!(path.exists(), allium_history::Error::Missing { path: path.clone() });
    Ok(SqliteHistory::open(path)?)
}
