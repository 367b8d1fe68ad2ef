//! The suite that every backend has to pass.
//!
//! A test is a function of a [`Backend`]. A backend runs them all with `conformance!(its value)` in a module of its own; what is true
//! of one backend only, such as its files and migrations, is tested beside that line.

pub(crate) mod as_of;
pub(crate) mod consensuses;
pub(crate) mod documents;
pub(crate) mod handles;
pub(crate) mod locations;
pub(crate) mod measures;
pub(crate) mod mending;
pub(crate) mod notes;
pub(crate) mod packs;
pub(crate) mod proofs;
pub(crate) mod sources;
pub(crate) mod statements;
pub(crate) mod states;

use std::any::Any;

use allium_history::{Store, StoreUrl};

/// A kind of store.
pub(crate) trait Backend {
    /// Makes an empty store that only its owner uses.
    fn empty(&self) -> Box<dyn Store>;

    /// Makes an empty store that can be opened several times.
    fn shared(&self) -> Shared;
}

/// The address of a store that exists as long as this value.
pub(crate) struct Shared {
    pub(crate) url: StoreUrl,
    pub(crate) _keep: Box<dyn Any>,
}

/// Declares a test for each function of the suite.
macro_rules! conformance {
    ($backend:expr) => {
        crate::conformance::conformance! { $backend;
            as_of:
                a_newer_document_does_not_erase_what_was_known,
                a_pack_describes_relays_that_no_document_has_listed_by_then,
                flags_that_a_list_does_not_have_are_those_of_the_consensus_before,
                pruning_keeps_the_descriptions_that_hold,
                what_was_known_does_not_depend_on_what_came_later;
            consensuses:
                spans_over_known_hours_are_exactly_what_was_put_in,
                consensuses_given_as_spans_are_the_same_consensuses,
                a_timeline_has_the_same_as_the_consensuses,
                bitmaps_are_the_spans,
                spans_between_two_hours_are_what_was_listed_there,
                pruning_forgets_what_is_older_and_nothing_else,
                any_order_gives_the_same_spans,
                the_first_consensus_of_an_hour_is_kept,
                overlapping_spans_are_refused_whole,
                pruning_keeps_relays_that_are_still_seen,
                a_consensus_in_the_middle_splits_and_a_missing_one_does_not;
            documents:
                a_store_gives_back_what_documents_brought,
                parts_of_a_visit_are_enough,
                nothing_recorded_is_no_record,
                the_same_documents_again_change_nothing,
                applied_counts_relays_seen_for_the_first_time,
                an_older_document_is_refused_and_nothing_of_its_visit_is_taken,
                a_relay_that_is_no_longer_listed_stays_as_it_was_and_is_down,
                graphs_of_relays_missing_from_a_newer_document_are_completed_with_downtime,
                rejects_are_those_of_the_documents_in_use,
                the_state_is_that_of_later_consensuses,
                as_of_an_earlier_hour_nothing_later_is_loaded,
                stats_count_what_is_there;
            handles:
                a_store_outlives_the_program,
                readers_see_each_change_whole_while_a_writer_has_the_store_open,
                several_questions_are_answered_as_of_one_moment,
                a_handle_for_reading_does_not_write,
                a_store_can_be_opened_on_any_thread;
            locations:
                consensuses_between_documents_cost_no_span,
                a_later_document_of_the_same_hour_fills_in,
                a_relay_that_was_gone_is_where_it_was,
                a_relay_at_another_address_is_nowhere_until_a_document_knows,
                pruning_keeps_locations_of_relays_that_stay,
                locations_are_as_last_known_whatever_the_order,
                a_document_fills_in_as_if_the_hour_were_its_own;
            measures:
                probabilities_follow_from_weights_and_flags,
                days_are_means_and_documents_have_bandwidths_and_locations,
                the_order_of_sources_does_not_matter,
                every_relay_and_group_is_given_in_order_until_enough,
                weights_alone_belong_to_spans_that_come_beside,
                pruning_forgets_measures_and_events_of_before,
                restarts_overloads_and_addresses_are_events_once,
                the_latest_weighed_hour_is_given_once_for_each_range_that_has_one;
            mending:
                what_lies_ahead_blocks_nothing_that_is_true,
                a_mended_store_is_as_if_nothing_had_lain_ahead,
                a_store_of_nothing_but_the_future_is_empty_after_mending,
                what_lies_before_tor_is_mended_too,
                graphs_that_stay_are_those_of_an_earlier_document;
            notes:
                notes_come_back_with_the_name_of_their_token_also_when_it_is_revoked;
            packs:
                relays_that_only_a_pack_knows_are_described_by_it,
                a_second_time_changes_nothing,
                the_order_of_pack_and_details_does_not_matter,
                flags_that_a_list_does_not_have_stay_as_in_details,
                nothing_later_than_asked_for_is_loaded,
                the_pack_that_reaches_further_describes,
                a_pack_with_overlaps_leaves_the_store_as_it_was,
                any_other_source_replaces_a_list_and_no_list_replaces_anything;
            proofs:
                proofs_are_kept_and_come_with_the_relay,
                a_later_attempt_replaces_the_one_before,
                a_new_document_leaves_proofs_alone_and_the_past_has_none,
                proofs_go_with_their_relays;
            sources:
                failures_stay_for_a_week_whatever_follows;
            statements:
                the_newest_statement_counts_in_whatever_order_consensuses_come,
                what_a_consensus_leaves_out_stays_as_stated,
                documents_prevail_until_a_consensus_states_something_else,
                statements_of_many_consensuses_are_those_of_each;
            states:
                the_last_state_of_each_worker_comes_back,
                states_leave_the_record_alone_and_outlive_a_prune,
                a_handle_for_reading_saves_no_state;
        }
    };
    ($backend:expr; $($module:ident: $($test:ident),+;)+) => {
        $(mod $module {
            $(#[test]
            fn $test() {
                crate::conformance::$module::$test(&$backend);
            })+
        })+
    };
}
pub(crate) use conformance;
