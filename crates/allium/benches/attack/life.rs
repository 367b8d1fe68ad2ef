//! Starts, stops, kills, and disks without space.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use allium_stats::SplitMix64;
use anyhow::Context as _;
use tokio::runtime::Handle;

use super::SEED;
use super::attackers::heavy;
use super::client::{Who, ask};
use super::misuse::metric;
use super::pages::HEAVY;
use super::table::Row;
use crate::common::process::{PROGRAM, finish};
use crate::common::server::{Server, Start, copied};

const KILLS: usize = 6;
/// Notes that are sent before a kill at most; an incident takes 200.
const NOTES: usize = 120;

/// A token of a store.
fn token(store: &Path) -> anyhow::Result<String> {
    Ok(finish(Command::new(PROGRAM).args(["token", "create", "attack", "--store"]).arg(store))?.trim().to_owned())
}

/// A note about an incident; true if it was acknowledged.
async fn note(to: SocketAddr, incident: &str, token: &str, text: &str) -> anyhow::Result<u16> {
    let body = format!("{{\"text\":\"{text}\"}}");
    let (who, path) = (Who::at(0, 40), format!("/api/v1/incidents/{incident}/annotations"));
    Ok(ask(who.from, to, &who.post(&path, token, &body)).await?.status)
}

/// SIGKILL while notes are written: what was acknowledged is there after the next start, and the store is sound.
pub(crate) fn kills(small: &Path, scratch: &Path, on: &Handle) -> anyhow::Result<Vec<Row>> {
    let (mut chance, mut n_acknowledged, mut n_lost, mut n_sound) = (SplitMix64::new(SEED), 0, 0, 0);
    for kill in 0..KILLS {
        let store = copied(small, &scratch.join(format!("kill-{kill}")))?;
        let token = token(&store)?;
        let server = Start::offline(&store).run()?;
        let incident = incident_of(&server)?;
        let after = Duration::from_millis(20 + chance.bits() % 400);
        let acknowledged = on.block_on(notes_until(&server, &incident, &token, after))?;
        drop(server);
        let server = Start::offline(&store).run()?;
        incident_of(&server)?;
        let text = server.page(&format!("/api/v1/incidents/{incident}"))?;
        n_acknowledged += acknowledged.len();
        n_lost += acknowledged.iter().filter(|note| !text.contains(note.as_str())).count();
        n_sound += usize::from(finish(Command::new(PROGRAM).args(["store", "check", "--store"]).arg(&store)).is_ok());
    }
    let figure = format!("{n_sound} sound stores, {n_acknowledged} acknowledged notes, {n_lost} lost");
    let held = n_sound == KILLS && n_lost == 0 && n_acknowledged > 0;
    Ok(vec![Row::new(&format!("SIGKILL × {KILLS} while notes are written"), "all sound, none lost", figure, held)])
}

/// Sends notes one after the other until the server is killed, and gives those that it acknowledged.
async fn notes_until(server: &Server, incident: &str, token: &str, after: Duration) -> anyhow::Result<BTreeSet<String>> {
    let acknowledged = Mutex::new(BTreeSet::new());
    let write = async {
        for n in 0..NOTES {
            let text = format!("note {n} of the attack.");
            if note(server.address, incident, token, &text).await.is_ok_and(|status| status == 201) {
                acknowledged.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(text);
            }
        }
    };
    // Most kills come while a note is on its way.
    let _ = tokio::time::timeout(after, write).await;
    server.signal("KILL")?;
    Ok(acknowledged.into_inner().unwrap_or_default())
}

/// Name of an incident that the server shows; waits until it has read the history.
pub(crate) fn incident_of(server: &Server) -> anyhow::Result<String> {
    server.wait_for("/api/v1/incidents.jsonl", Duration::from_secs(60))?;
    for _ in 0..600 {
        let text = server.page("/api/v1/incidents.jsonl")?;
        if let Some(id) = text.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next()) {
            return Ok(id.to_owned());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    anyhow::bail!("the store has no incident")
}

/// A disk that fills while the service runs, in a namespace of its own.
pub(crate) fn disk_full(small: &Path, scratch: &Path, on: &Handle) -> anyhow::Result<Vec<Row>> {
    const ATTACK: &str = "disk full while notes are written";
    const LIMIT: &str = "refused, counted, pages stay; then taken";
    let folder = scratch.join("disk");
    std::fs::create_dir_all(&folder)?;
    let possible =
        Command::new("unshare").args(["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs"]).arg(&folder).status();
    if !possible.is_ok_and(|status| status.success()) {
        return Ok(vec![Row::skipped(ATTACK, LIMIT, "no disk of our own can be mounted")]);
    }
    let source = copied(small, &scratch.join("full"))?;
    let token = token(&source)?;
    let (disk, from) = (folder.display(), source.display());
    let script = format!("mount -t tmpfs -o size=64m tmpfs '{disk}' && cp '{from}' '{disk}/store.db' && exec \"$@\"");
    let outer = format!("exec unshare --user --map-root-user --mount sh -c '{}' sh \"$@\"", script.replace('\'', "'\\''"));
    let server = Start::offline(&folder.join("store.db")).below(&outer).run()?;
    let incident = incident_of(&server)?;
    let inside = format!("/proc/{}/root{disk}/filler", server.id());
    let before = on.block_on(note(server.address, &incident, &token, "before"))?;
    fill(Path::new(&inside))?;
    let mut refused = 201;
    for n in 0..60 {
        refused = on.block_on(note(server.address, &incident, &token, &format!("{n} {}", "x".repeat(1_900))))?;
        if refused != 201 {
            break;
        }
    }
    let alive = server.page("/").is_ok() && server.page("/healthz").is_ok();
    let counted = metric(&server, "allium_store_write_failures_total")?;
    std::fs::remove_file(&inside)?;
    let after = on.block_on(note(server.address, &incident, &token, "after"))?;
    let figure = format!("{before}, full: {refused}, then {after}; pages alive: {alive}; counted {counted:?}");
    let held = before == 201 && (500..600).contains(&refused) && after == 201 && alive && counted.is_some_and(|n| n >= 1.0);
    Ok(vec![Row::new(ATTACK, LIMIT, figure, held)])
}

/// Writes a file until the disk has no space.
fn fill(file: &Path) -> anyhow::Result<()> {
    use std::io::Write as _;
    let (mut file, mut block) = (std::fs::File::create(file)?, 1 << 20);
    while block > 0 {
        match file.write(&vec![1; block]) {
            Ok(n) if n > 0 => {}
            _ => block /= 2,
        }
    }
    Ok(())
}

/// A store that is deleted while it is served: no note is taken that nobody would find again.
pub(crate) fn deleted(small: &Path, scratch: &Path, on: &Handle) -> anyhow::Result<Vec<Row>> {
    let store = copied(small, &scratch.join("deleted"))?;
    let token = token(&store)?;
    let server = Start::offline(&store).run()?;
    let incident = incident_of(&server)?;
    let before = on.block_on(note(server.address, &incident, &token, "before"))?;
    std::fs::remove_dir_all(store.parent().context("the store has a folder")?)?;
    let after = on.block_on(note(server.address, &incident, &token, "after"))?;
    let alive = server.page("/").is_ok() && server.page("/healthz").is_ok();
    let counted = metric(&server, "allium_store_write_failures_total")?;
    let figure = format!("{before}, deleted: {after}; pages alive: {alive}; counted {counted:?}");
    let held = before == 201 && (500..600).contains(&after) && alive && counted.is_some_and(|n| n >= 1.0);
    Ok(vec![Row::new("the store is deleted while it is served", "notes refused, counted, pages stay", figure, held)])
}

/// A second server on the same store, and one at a port that is taken.
pub(crate) fn neighbours(small: &Path, scratch: &Path) -> anyhow::Result<Vec<Row>> {
    let store = copied(small, &scratch.join("neighbours"))?;
    let (first, second) = (Start::offline(&store).run()?, Start::offline(&store).run()?);
    let both = [&first, &second].iter().all(|server| incident_of(server).is_ok());
    let address = first.address.to_string();
    let third = Command::new(PROGRAM).args(["serve", "--offline", "--listen", &address, "--store"]).arg(&store).output()?;
    let said = String::from_utf8_lossy(&third.stderr).into_owned();
    let reason = said.lines().last().unwrap_or_default().to_owned();
    let clear = !third.status.success() && reason.contains("cannot listen") && reason.contains(&address);
    Ok(vec![
        Row::new("two servers on one store", "both answer", format!("both answer: {both}"), both),
        Row::new("a port that is taken", "ends with clear words", reason, clear),
    ])
}

/// SIGTERM to a server without work, and to one with clients of heavy answers.
pub(crate) fn stops(store: &Path, on: &Handle) -> anyhow::Result<Vec<Row>> {
    const LIMIT: Duration = Duration::from_secs(10);
    let mut rows = Vec::new();
    for (attack, n) in [("SIGTERM without clients", 0), ("SIGTERM with 8 clients of heavy answers", 8)] {
        let mut server = Start::offline(store).run()?;
        let clients = heavy(on, n, &Who::at(0, 40), server.address, &HEAVY);
        std::thread::sleep(Duration::from_secs(1));
        server.signal("TERM")?;
        let took = server.ended_within(LIMIT + Duration::from_secs(5))?;
        drop(clients);
        let figure = took.map_or("it goes on".to_owned(), |(status, took)| format!("{status} after {:.1} s", took.as_secs_f64()));
        rows.push(Row::new(attack, "≤ 10 s, with success", figure, took.is_some_and(|(status, took)| status.success() && took <= LIMIT)));
    }
    Ok(rows)
}
