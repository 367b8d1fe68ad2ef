//! Addresses that clients ask for, as the site itself names them.

use std::collections::BTreeMap;

use crate::common::server::{Server, get};

/// Pages of one kind that are asked for.
const MANY: usize = 40;
/// Pages whose links are followed.
const LISTS: [&str; 9] = ["/", "/relays", "/countries", "/as", "/operators", "/incidents", "/forecasts", "/explore", "/methods"];

/// Answers that cost most to make, without the picture.
pub(crate) const HEAVY: [&str; 4] =
    ["/api/v1/forecasts.csv", "/api/v1/relays.csv?status=all", "/api/v1/incidents.jsonl", "/api/v1/relays.csv"];
/// The largest answer.
pub(crate) const LARGEST: &str = "/api/v1/relays.csv?status=all";

/// Pages of every kind that the site links to; a kind is what an address begins with.
pub(crate) fn of_all_kinds(server: &Server) -> anyhow::Result<Vec<Vec<String>>> {
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for list in LISTS {
        let text = server.page(list)?;
        for link in text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).filter(|link| is_page(link)) {
            let kind = link.split('/').nth(1).unwrap_or_default().to_owned();
            let pages = kinds.entry(kind).or_default();
            if pages.len() < MANY && !pages.iter().any(|page| page == link) {
                pages.push(link.to_owned());
            }
        }
    }
    let asked = ["/relays?q=de&sort=uptime_1_month", "/search?q=nl"].map(str::to_owned);
    kinds.entry("relays and searches".to_owned()).or_default().extend(asked);
    // What does not answer on its own would be counted as refused.
    kinds.values_mut().for_each(|pages| pages.retain(|page| get(server.address, page, true).is_ok()));
    Ok(kinds.into_values().filter(|pages| !pages.is_empty()).collect())
}

/// True for an address of a page on this site.
fn is_page(link: &str) -> bool {
    link.starts_with('/') && !link.starts_with("//") && !link.contains(['?', '#', '.']) && !link.starts_with("/api/")
}
