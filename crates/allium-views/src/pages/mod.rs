//! One file per page: its data, its template, how it is put together from a view. A page with one address has a line in the table
//! below, from which its route, its address and its answer follow.

pub(crate) mod data_quality;
pub(crate) mod earlier;
pub(crate) mod error;
pub(crate) mod explore;
pub(crate) mod forecasts;
pub(crate) mod groups;
pub(crate) mod home;
pub(crate) mod incident;
pub(crate) mod incidents;
pub(crate) mod issues;
pub(crate) mod leaderboards;
pub(crate) mod members;
pub(crate) mod methods;
pub(crate) mod network;
pub(crate) mod operators;
pub(crate) mod relay;
pub(crate) mod relays;
pub(crate) mod search;
pub(crate) mod statistics;
pub(crate) mod top;

use allium_charts::Chart;

use self::incidents::marks::marked_by_all;
use self::operators::charts::{List, chart as list_chart};
use self::operators::{domains, families, list};
use crate::error::RequestError;
use crate::page::PageHtml;
use crate::params::Params;
use crate::route::FixedPage;
use crate::shown::Shown;

/// The pages that have one address, a line each: `Name = "/path", |shown| page` and, where the page has charts,
/// `, charts ["name", …] |shown, params, name| chart`. [`crate::route`] makes the addresses of these lines, this module the answers.
macro_rules! each_fixed_page {
    ($make:ident) => {
        $make! {
            /// The state of the network.
            Home = "/", |s| home::html(s.snapshot, s.view, s.now);
            /// The network counted.
            Network = "/network", |s| s.no_params().and_then(|()| network::html(s.snapshot, s.view, s.now));
            /// All relays.
            Relays = "/relays", |s| relays::html(s.snapshot, s.view, s.now, &s.params()?);
            /// The heaviest relays.
            Top = "/top", |s| top::html(s.snapshot, s.view, s.now, &s.params()?),
                charts ["largest"] |s, params, name| list_chart(s.view, params, List::Relays, name);
            /// Uptime by location, time and whatever else is picked.
            Explore = "/explore", |s| explore::html(s.snapshot, s.view, s.now, &s.params()?),
                charts ["map", "regions", "image"] |s, params, name| {
                    let chart = explore::chart(s.view, s.snapshot.sizes(), params, name)?;
                    Ok(marked_by_all(chart, s.view, s.snapshot.incidents()))
                };
            /// Relays hour by hour.
            ExploreImage = "/explore/image", |s| explore::image_html(s.snapshot, s.view, s.now, &s.params()?);
            /// All incidents.
            Incidents = "/incidents", |s| incidents::html(s.snapshot, s.view, s.now, s.snapshot.incidents(), &s.params()?);
            /// The present, for a screen on the wall.
            Monitor = "/monitor", |s| {
                s.no_params()?;
                incidents::monitor::html(s.snapshot, s.view, s.now, s.snapshot.incidents())
            };
            /// All operators.
            Operators = "/operators", |s| list::html(s.snapshot, s.view, s.now, &s.params()?),
                charts ["largest"] |s, params, name| list_chart(s.view, params, List::Operators, name);
            /// Domains that contacts claim.
            Domains = "/domains", |s| domains::html(s.snapshot, s.view, s.now, &s.params()?),
                charts ["largest"] |s, params, name| list_chart(s.view, params, List::Domains, name);
            /// All families.
            Families = "/families", |s| families::html(s.snapshot, s.view, s.now, &s.params()?),
                charts ["largest"] |s, params, name| list_chart(s.view, params, List::Families, name);
            /// All leaderboards.
            Leaderboards = "/leaderboards", |s| leaderboards::html(s.snapshot, s.view, s.now);
            /// Distributions of uptime.
            Statistics = "/statistics", |s| statistics::html(s.snapshot, s.view, s.now);
            /// Forecasts of the network and of relays.
            Forecasts = "/forecasts", |s| forecasts::html(s.snapshot, s.view, s.now, s.snapshot.outlook(), &s.params()?),
                charts ["network-relays", "network-guards", "network-exits", "network-weight", "network-uptime", "uptime-ahead"]
                |s, params, name| forecasts::network_chart(s.snapshot.outlook(), params, name);
            /// The scores of forecasts.
            Scoreboard = "/forecasts/scoreboard", |s| forecasts::scoreboard::html(s.snapshot, s.view, s.now, &s.params()?),
                charts ["reliability", "pit"] |s, params, name| forecasts::scoreboard::chart(s.snapshot, params, name);
            /// The findings of a question, by kind.
            Search = "/search", |s| search::html(s);
            /// How to ask.
            SearchHelp = "/search/help", |s| search::help_html(s);
            /// Sources, gaps and what could not be understood.
            DataQuality = "/data-quality", |s| data_quality::html(s.snapshot, s.view, s.now);
        }
    };
}

each_fixed_page!(fixed_page_answers);
