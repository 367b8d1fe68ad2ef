//! What answers without a body cost beside those with one.

use tokio::runtime::Handle;

use super::client::{Who, ask};
use super::pages::LARGEST;
use super::table::Row;
use crate::common::process::cpu_secs_of;
use crate::common::server::Server;

/// Requests of each kind.
const N: usize = 40;
/// Share of a whole answer's CPU time that one without a body may take.
const SHARE: f64 = 0.1;
/// CPU time in ms of an answer that is called free, whatever its share.
const FREE_MS: f64 = 2.0;

/// HEAD and 304 beside 200, for the largest answer.
pub(crate) fn without_body(server: &Server, on: &Handle) -> anyhow::Result<Vec<Row>> {
    let who = Who::at(0, 50);
    let get = who.get(LARGEST, "Accept-Encoding: identity\r\n");
    let first = on.block_on(ask(who.from, server.address, &get))?;
    let tag = first.header("etag").unwrap_or_default().to_owned();
    let cases = [
        ("200", 200, get.clone()),
        ("HEAD", 200, get.replacen("GET", "HEAD", 1)),
        ("304", 304, who.get(LARGEST, &format!("Accept-Encoding: identity\r\nIf-None-Match: {tag}\r\n"))),
    ];
    let mut ms = [0.0; 3];
    for (ms, (_, status, request)) in ms.iter_mut().zip(&cases) {
        let before = cpu_secs_of(&server.id())?;
        for _ in 0..N {
            let answer = on.block_on(ask(who.from, server.address, request))?;
            anyhow::ensure!(answer.status == *status, "{} in place of {status}", answer.status);
        }
        *ms = (cpu_secs_of(&server.id())? - before) * 1e3 / N as f64;
    }
    let row = |i: usize| {
        let attack = format!("{} beside 200 for relays.csv?status=all", cases[i].0);
        let figure = format!("{:.2} ms CPU beside {:.2} ms", ms[i], ms[0]);
        Row::new(&attack, "≤ 10 % of the CPU time, or ≤ 2 ms", figure, ms[i] <= FREE_MS.max(ms[0] * SHARE))
    };
    Ok(vec![row(1), row(2)])
}
