//! One list of cases, run on every chain: embedded in-process, embedded over its socket, and a node given by
//! `ASSAY_TEST_SUBTENSOR`.
//!
//! A case gets a [`world::World`] with a chain of its own and asserts what a client sees; [`node`] says what runs on a node.

mod admin;
mod commitments;
mod commits;
mod epochs;
mod node;
mod registration;
mod transactions;
mod weights;
pub(crate) mod world;

/// Makes a test of each case on each chain, and the list of names.
macro_rules! suite {
    ($($module:ident: $($case:ident),+ $(,)?;)+) => {
        const CASES: &[&str] = &[$($(stringify!($case)),+),+];

        mod in_process {
            use super::world::World;
            $($(
                #[tokio::test]
                async fn $case() {
                    super::$module::$case(&World::in_process().await).await;
                }
            )+)+
        }

        mod over_the_socket {
            use super::world::World;
            $($(
                #[tokio::test]
                async fn $case() {
                    super::$module::$case(&World::over_the_socket().await).await;
                }
            )+)+
        }

        mod on_the_given_node {
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    use super::node;
                    let name = stringify!($case);
                    if !node::CASES.contains(&name) {
                        println!("skipped: {name}: needs a subnet of its own, root, or faults on order");
                        return;
                    }
                    let Some(world) = node::of_environment().await else {
                        return;
                    };
                    let case = async move { super::$module::$case(&world).await };
                    let case = tokio::spawn(node::SUFFIX.scope(node::suffix(name), case));
                    super::end_of(name, case.await);
                }
            )+)+
        }
    };
}

suite! {
    registration:
        a_new_subnet_starts_with_the_documented_parameters,
        registering_gives_the_next_uid_and_costs_the_price,
        registering_twice_is_refused,
        registering_where_no_subnet_is_is_refused,
        registering_on_the_root_is_refused,
        registering_without_money_is_refused,
        registering_anothers_hotkey_is_refused,
        registering_above_the_limit_price_is_refused,
        registering_while_it_is_switched_off_is_refused,
        the_price_rises_with_a_registration_and_falls_with_blocks,
        a_full_subnet_prunes_the_lowest_emission,
        a_full_subnet_of_immune_neurons_prunes_the_oldest,
        the_owner_is_never_pruned,
        nobody_can_be_pruned_below_the_least_of_non_immune,
        a_reused_uid_keeps_nothing_of_its_last_owner,
        one_coldkey_may_own_several_hotkeys,
        immunity_counts_down;
    commitments:
        a_commitment_is_read_back_with_its_block,
        a_new_commitment_replaces_the_old,
        three_fields_fit_and_four_do_not,
        a_hash_is_read_back,
        only_registered_hotkeys_commit,
        the_budget_of_an_epoch_ends,
        small_commitments_count_a_hundred_bytes,
        the_next_epoch_has_a_new_budget,
        a_field_that_is_too_long_is_not_sent,
        a_timelocked_field_opens_when_its_pulse_is_there,
        a_plain_field_stays_when_its_neighbour_opens,
        a_field_that_does_not_open_is_dropped,
        a_missing_pulse_delays_the_opening,
        ten_opened_fields_are_kept,
        commitments_are_listed_by_hotkey,
        a_commitment_is_still_read_at_its_own_block,
        commitments_of_no_subnet_are_not_found;
    weights:
        weights_are_stored_with_the_largest_at_full_scale,
        weights_in_the_clear_are_refused_under_commit_reveal,
        weights_too_soon_are_refused,
        weights_without_a_permit_are_refused,
        a_weight_on_oneself_needs_no_permit,
        the_owner_needs_no_permit,
        an_old_version_key_is_refused,
        repeated_uids_are_refused,
        a_uid_that_is_not_there_is_refused,
        more_uids_than_neurons_are_refused,
        too_few_weights_are_refused,
        a_weight_above_the_limit_is_refused,
        weights_of_a_stranger_are_refused,
        weights_of_no_mechanism_are_refused,
        two_mechanisms_hold_their_own_weights;
    commits:
        a_commit_is_revealed_where_predicted_and_earns,
        an_open_commit_is_listed_with_its_digest,
        a_commit_moves_the_last_update_and_a_reveal_does_not,
        a_commit_without_commit_reveal_is_refused,
        a_commit_of_another_version_is_refused,
        a_commit_to_a_past_round_is_refused,
        a_commit_too_soon_is_refused,
        an_eleventh_open_commit_is_refused,
        a_commit_of_a_stranger_is_refused,
        a_commit_of_another_hotkeys_weights_is_dropped_silently,
        a_commit_of_noise_is_dropped_silently,
        a_commit_without_a_permit_is_dropped_silently,
        an_unchanged_row_does_not_pass_for_a_reveal,
        a_pulse_that_never_comes_drops_the_commit,
        a_late_pulse_still_reveals_within_the_epoch;
    epochs:
        an_epoch_runs_each_tempo,
        permits_go_to_the_largest_stakes,
        a_silent_validator_becomes_inactive,
        emission_is_split_between_owner_miner_and_validator,
        the_owners_miner_is_burned,
        without_a_start_there_is_no_emission_and_no_stake,
        a_third_epoch_waits_for_the_next_block;
    admin:
        the_owner_sets_a_hyperparameter,
        a_stranger_sets_nothing,
        the_owner_may_not_set_what_is_roots,
        a_value_out_of_bounds_is_refused,
        nothing_is_set_before_an_epoch,
        a_value_is_set_once_in_two_tempos,
        the_tempo_is_set_once_in_360_blocks,
        uids_and_mechanisms_share_a_bound,
        the_activity_cutoff_has_two_names,
        an_identity_is_set_and_bounded,
        a_subnet_starts_once,
        a_second_subnet_costs_twice,
        an_address_is_announced_and_checked;
    transactions:
        a_receipt_names_block_and_events,
        a_stale_nonce_is_signed_again,
        a_used_transaction_is_outdated,
        a_changed_transaction_is_refused,
        noise_is_refused,
        a_lost_reply_is_found_in_the_blocks,
        heads_come_in_order_without_gaps,
        heads_go_on_after_a_dropped_connection,
        a_reorganised_transaction_is_included_again,
        an_upgrade_is_signed_for,
        finality_follows_the_head,
        reads_are_of_the_block_they_name,
        a_block_that_is_not_there_is_not_found,
        all_money_is_accounted_for,
        a_failed_call_leaves_only_its_nonce;
}

/// Passes on how a case ended on a node; a skipped one says why.
fn end_of(case: &str, ended: Result<(), tokio::task::JoinError>) {
    let Err(error) = ended else {
        return;
    };
    match error.into_panic().downcast::<world::Skip>() {
        Ok(skipped) => println!("skipped: {case}: {}", skipped.0),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

#[test]
fn the_suite_has_at_least_sixty_cases() {
    assert!(CASES.len() >= 60, "{} cases", CASES.len());
}
