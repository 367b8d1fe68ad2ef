//! Every figure leads to its definition: each kind of page is asked for, and each headed column and list of facts looked at.

use allium_views::route::FixedPage;
use axum::http::StatusCode;

use crate::support::{attributes, fingerprint, get, log_of, record, site_of};

/// Every page with one address, and one of each other kind, with every column where there is a choice.
fn pages() -> Vec<String> {
    let relay = fingerprint(2);
    let family = fingerprint(20).min(fingerprint(21));
    let operator = format!("/operator/family-{family}");
    [
        "/relays?columns=all",
        "/incident/00000000000000a1",
        "/operators?columns=all",
        "/domains?columns=all",
        "/families?columns=all",
        "/countries?columns=all",
        "/regions?columns=all",
        "/as?columns=all",
        "/flags?columns=all",
        "/platforms?columns=all",
        "/versions?columns=all",
        "/first-seen?columns=all",
        "/country/de?columns=all",
        "/region/155",
        "/as/AS24940",
        "/flag/Guard",
        "/platform/linux",
        "/version/0.4.8.12",
        "/leaderboards/consensus_weight?columns=all",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(FixedPage::ALL.iter().map(|page| page.path().to_owned()))
    .chain([format!("/relay/{relay}"), format!("/family/{family}?columns=all"), format!("{operator}?columns=all"), operator])
    .collect()
}

/// The part of a page around a position: its section, or the whole page outside of sections.
fn around(html: &str, position: usize) -> &str {
    let start = html[..position].rfind("<section").unwrap_or(0);
    let is_within = !html[start..position].contains("</section>");
    if !is_within {
        return html;
    }
    let end = html[position..].find("</section>").map_or(html.len(), |end| position + end);
    &html[start..end]
}

/// The headings of the columns of numbers that neither lead to a definition nor stand in a part that does.
fn undefined_columns(html: &str) -> Vec<&str> {
    let headings = html.match_indices("<th scope=\"col\" class=\"n").map(|(position, _)| position);
    let heading = |position: usize| &html[position..position + html[position..].find("</th>").unwrap_or(0)];
    let is_defined = |position: usize| {
        let heading = heading(position);
        let is_list = html[..position].rfind("<table").is_some_and(|table| html[table..].starts_with("<table class=\"list"));
        heading.contains(" data-d=\"") || heading.contains("/methods#") || (!is_list && around(html, position).contains("/methods#"))
    };
    headings.filter(|position| !is_defined(*position)).map(heading).collect()
}

/// Lists of facts and tiles in parts of a page that lead to no definition.
fn undefined_facts(html: &str) -> Vec<&str> {
    let lists = ["<dl class=\"facts", "<dl class=\"tiles", "<ul class=\"tiles", "<figure class=\"chart"];
    let positions = lists.iter().flat_map(|list| html.match_indices(list)).map(|(position, _)| position);
    positions
        .filter(|position| !around(html, *position).contains("/methods#"))
        .map(|position| html[position..].split("</d").next().unwrap_or(""))
        .collect()
}

#[test]
fn every_column_of_numbers_and_every_list_of_facts_leads_to_its_definition() {
    let site = site_of(record(40));
    let mut gaps = Vec::new();
    for address in pages() {
        let answer = get(&site, &address);
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        let html = answer.text();
        let found = undefined_columns(&html).into_iter().chain(undefined_facts(&html));
        gaps.extend(found.map(|gap| format!("{address}: {}", gap.chars().take(160).collect::<String>())));
    }
    assert!(gaps.is_empty(), "{} gaps:\n{}", gaps.len(), gaps.join("\n"));
}

#[test]
fn every_definition_that_pages_lead_to_exists() {
    let site = site_of(record(40));
    assert!(!log_of(&record(40)).open().is_empty(), "there is something to look at");
    let ids = attributes(&get(&site, "/methods").text(), "id");
    for address in pages() {
        let html = get(&site, &address).text();
        let links = attributes(&html, "href").into_iter().filter_map(|href| href.strip_prefix("/methods#").map(str::to_owned));
        for anchor in links.chain(attributes(&html, "data-d")) {
            assert!(ids.contains(&anchor), "{address} leads to {anchor}, which is not defined");
        }
    }
}

#[test]
fn a_gap_would_be_seen() {
    let table = |heading: &str| format!("<section><table class=\"list cards\"><thead><tr>{heading}</tr></thead></table></section>");
    let bare = table("<th scope=\"col\" class=\"n\"><a href=\"?sort=x\">X</a></th>");
    assert_eq!((undefined_columns(&bare).len(), undefined_facts("<section><dl class=\"facts\"></dl></section>").len()), (1, 1));
    let defined = table("<th scope=\"col\" class=\"n\" data-d=\"x\"><a href=\"?sort=x\">X</a></th>");
    assert!(undefined_columns(&defined).is_empty());
    let by_hand = "<section><a href=\"/methods#x\"></a><table><th scope=\"col\" class=\"n\">X</th></table></section>";
    assert!(undefined_columns(by_hand).is_empty());
}
