//! The columns that every list of sets of relays has.

use allium_analysis::operators::MemberFigures;
use allium_model::Period;

use crate::table::{Cell, Column};

/// Relays, weight, bandwidth, roles, uptime, diversity, age: with all columns those of the page and some more.
pub(super) fn columns<'a, R: 'a>(of: impl Fn(&R) -> &MemberFigures + Copy + 'a) -> Vec<Column<'a, R>> {
    let uptime = move |period: Period| move |row: &R| Cell::share(of(row).uptime_in(period), 2);
    let uptime_column = |name, label, period| Column::number(name, label, uptime(period)).method("operator-uptime");
    vec![
        Column::number("n_relays", "Relays", move |row: &R| Cell::count(of(row).n_relays))
            .about("relays seen in the last 7 days")
            .method("current-relays"),
        Column::number("n_running", "Running", move |row: &R| Cell::count(of(row).n_running)).about("relays running now").method("states"),
        Column::number("weight_share", "Weight, %", move |row: &R| Cell::share(of(row).weight_share, 3))
            .about("share of the running network's consensus weight")
            .method("weight-shares")
            .on_card(),
        Column::number("advertised_bandwidth_bytes_per_sec", "MB/s", move |row: &R| Cell::known(of(row).advertised_bandwidth, Cell::Rate))
            .method("attributes")
            .about("advertised bandwidth of running relays"),
        uptime_column("uptime_1_month", "1 month, %", Period::OneMonth).about("mean uptime of its relays over 1 month").on_card(),
        uptime_column("uptime_6_months", "6 months, %", Period::SixMonths).about("mean uptime of its relays over 6 months").on_card(),
        uptime_column("uptime_1_year", "1 year, %", Period::OneYear).about("mean uptime of its relays over 1 year"),
        uptime_column("uptime_5_years", "5 years, %", Period::FiveYears).about("mean uptime of its relays over 5 years").more(),
        Column::number("uptime_by_hours_6_months", "By hours, 6 months, %", move |row: &R| {
            Cell::share(of(row).uptime[Period::SixMonths.index()].map(|uptime| uptime.by_hours), 2)
        })
        .about("hours up over hours observed of all its relays, 6 months")
        .method("operator-uptime")
        .more(),
        Column::number("n_guard", "Guards", move |row: &R| Cell::count(of(row).running_by_role.guard))
            .about("running guards")
            .method("roles"),
        Column::number("n_exit", "Exits", move |row: &R| Cell::count(of(row).running_by_role.exit)).about("running exits").method("roles"),
        Column::number("n_middle", "Middles", move |row: &R| Cell::count(of(row).running_by_role.middle))
            .about("running relays that are neither")
            .method("roles")
            .more(),
        Column::number("guard_share", "Guard weight, %", move |row: &R| Cell::share(of(row).guard_share, 3))
            .about("share of the weight of running guards")
            .method("weight-shares")
            .more(),
        Column::number("exit_share", "Exit weight, %", move |row: &R| Cell::share(of(row).exit_share, 3))
            .about("share of the weight of running exits")
            .method("weight-shares")
            .more(),
        Column::number("middle_share", "Middle weight, %", move |row: &R| Cell::share(of(row).middle_share, 3))
            .about("share of the weight of running relays that are neither")
            .method("weight-shares")
            .more(),
        Column::number("consensus_weight", "Consensus weight", move |row: &R| Cell::known(of(row).consensus_weight, Cell::Count))
            .method("weight-shares")
            .about("consensus weight of running relays")
            .more(),
        Column::number("observed_bandwidth_bytes_per_sec", "Observed, MB/s", move |row: &R| {
            Cell::known(of(row).observed_bandwidth, Cell::Rate)
        })
        .method("attributes")
        .about("observed bandwidth of running relays")
        .more(),
        Column::number("n_countries", "Countries", move |row: &R| Cell::count(of(row).n_countries))
            .method("attributes")
            .about("countries of its relays"),
        Column::number("n_as", "AS", move |row: &R| Cell::count(of(row).n_autonomous_systems))
            .method("attributes")
            .about("autonomous systems of its relays"),
        Column::number("n_platforms", "Systems", move |row: &R| Cell::count(of(row).n_platforms))
            .method("attributes")
            .about("operating systems of its relays")
            .more(),
        Column::number("n_ipv4", "IPv4", move |row: &R| Cell::count(of(row).n_ipv4))
            .method("attributes")
            .about("distinct IPv4 addresses of running relays")
            .more(),
        Column::number("n_ipv6", "IPv6", move |row: &R| Cell::count(of(row).n_ipv6))
            .method("attributes")
            .about("distinct IPv6 addresses of running relays")
            .more(),
        Column::number("n_recommended", "Recommended", move |row: &R| Cell::count(of(row).n_recommended))
            .method("attributes")
            .about("relays with a recommended version of Tor")
            .more(),
        Column::number("first_seen_bound", "First seen by", move |row: &R| Cell::first_seen_bound(of(row).first_seen))
            .method("first-appearance")
            .more(),
        Column::number("first_seen", "First seen", move |row: &R| Cell::first_seen(of(row).first_seen))
            .method("attributes")
            .about("when the first of its relays appeared"),
    ]
}
