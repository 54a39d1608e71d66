//! Tests of the preflight checks: each chain error once, by its name.

use super::*;
use crate::Neuron;
use assay_types::{Coldkey, Digest};

const ME: Hotkey = Hotkey([1; 32]);
const OWNER: Hotkey = Hotkey([9; 32]);

fn neuron(uid: u16, hotkey: Hotkey) -> Neuron {
    Neuron {
        uid: Uid(uid),
        hotkey,
        coldkey: Coldkey([2; 32]),
        stake: Rao(0),
        permit: uid == 1,
        active: true,
        incentive: 0,
        dividends: 0,
        consensus: 0,
        vtrust: 0,
        emission: Rao(0),
        last_update: BlockNumber(900),
        registered: BlockNumber(1),
        immunity_left: 0,
        axon: None,
    }
}

struct Subnet {
    metagraph: Metagraph,
    hyperparameters: Hyperparameters,
    hotkey: Hotkey,
}

fn subnet() -> Subnet {
    Subnet {
        metagraph: Metagraph {
            netuid: NetUid(3),
            block: BlockNumber(1000),
            hash: Digest([0; 32]),
            owner_hotkey: Some(OWNER),
            owner_coldkey: None,
            neurons: vec![neuron(0, OWNER), neuron(1, ME), neuron(2, Hotkey([3; 32]))],
        },
        hyperparameters: Hyperparameters::default(),
        hotkey: ME,
    }
}

impl Subnet {
    fn preflight(&self) -> Preflight<'_> {
        Preflight {
            metagraph: &self.metagraph,
            hyperparameters: &self.hyperparameters,
            hotkey: &self.hotkey,
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

const COMMIT: CommitState = CommitState {
    reveal_round: 10,
    last_stored_round: 9,
    open_commits: 0,
};

const EVEN: &[(Uid, Weight)] = &[(Uid(0), Weight(1)), (Uid(2), Weight(1))];

fn call(weights: &[(Uid, Weight)]) -> WeightsCall<'_> {
    WeightsCall {
        mecid: MechId(0),
        weights,
        version_key: 0,
    }
}

#[track_caller]
fn named(found: Result<(), ChainError>, expected: &str) -> Option<u32> {
    match found.unwrap_err().kind {
        ChainErrorKind::Preflight {
            name, wait_blocks, ..
        } => {
            assert_eq!(name, expected);
            wait_blocks
        }
        other => panic!("{other}"),
    }
}

#[test]
fn good_weights_pass_and_each_refusal_has_the_chains_name() {
    let check = |change: fn(&mut Subnet), weights: &[(Uid, Weight)], expected: &str| {
        let subnet = subnet().with(change);
        named(
            subnet.preflight().commit_weights(&call(weights), COMMIT),
            expected,
        );
    };
    assert_eq!(subnet().preflight().commit_weights(&call(EVEN), COMMIT), Ok(()));
    let none = |_: &mut Subnet| ();
    check(
        |s| s.hyperparameters.commit_reveal = false,
        EVEN,
        "CommitRevealDisabled",
    );
    check(
        |s| s.hyperparameters.mechanisms = 0,
        EVEN,
        "MechanismDoesNotExist",
    );
    check(
        |s| s.hotkey = Hotkey([7; 32]),
        EVEN,
        "HotKeyNotRegisteredInSubNet",
    );
    check(
        |s| s.hyperparameters.version_key = 1,
        EVEN,
        "IncorrectWeightVersionKey",
    );
    check(|s| s.hotkey = Hotkey([3; 32]), EVEN, "NeuronNoValidatorPermit");
    check(
        |s| s.hyperparameters.weights_min = 3,
        EVEN,
        "WeightVecLengthIsLow",
    );
    check(|s| s.hyperparameters.weight_max = 1000, EVEN, "MaxWeightExceeded");
    check(none, &[(Uid(2), Weight(1)); 2], "DuplicateUids");
    check(none, &[(Uid(3), Weight(1))], "UidVecContainInvalidOne");
    check(none, &[(Uid(2), Weight(1)); 4], "UidsLengthExceedUidsInSubNet");
}

#[test]
fn the_owner_and_a_weight_on_oneself_need_no_permit() {
    let owner = subnet().with(|s| s.hotkey = OWNER);
    assert_eq!(owner.preflight().commit_weights(&call(EVEN), COMMIT), Ok(()));
    let miner = subnet().with(|s| s.hotkey = Hotkey([3; 32]));
    let own = [(Uid(2), Weight(1))];
    assert_eq!(miner.preflight().commit_weights(&call(&own), COMMIT), Ok(()));
}

#[test]
fn too_soon_says_how_long_to_wait() {
    let soon = subnet().with(|s| s.metagraph.neurons[1].last_update = BlockNumber(950));
    let error = soon.preflight().commit_weights(&call(EVEN), COMMIT).unwrap_err();
    assert!(error.retry_is_safe());
    assert_eq!(named(Err(error), "CommittingWeightsTooFast"), Some(49));
    let edge = subnet().with(|s| s.metagraph.neurons[1].last_update = BlockNumber(901));
    assert_eq!(edge.preflight().commit_weights(&call(EVEN), COMMIT), Ok(()));
    let never = subnet().with(|s| s.metagraph.neurons[1].last_update = BlockNumber(0));
    assert_eq!(never.preflight().commit_weights(&call(EVEN), COMMIT), Ok(()));
}

#[test]
fn rounds_that_are_past_and_too_many_commits_are_refused() {
    let subnet = subnet();
    let past = CommitState {
        reveal_round: 8,
        ..COMMIT
    };
    named(
        subnet.preflight().commit_weights(&call(EVEN), past),
        "InvalidRevealRound",
    );
    let many = CommitState {
        open_commits: OPEN_COMMITS_MAX,
        ..COMMIT
    };
    let wait = named(
        subnet.preflight().commit_weights(&call(EVEN), many),
        "TooManyUnrevealedCommits",
    );
    assert_eq!(wait, Some(360));
}

#[test]
fn plain_weights_need_commit_reveal_off() {
    named(
        subnet().preflight().set_weights(&call(EVEN)),
        "CommitRevealEnabled",
    );
    let off = subnet().with(|s| s.hyperparameters.commit_reveal = false);
    assert_eq!(off.preflight().set_weights(&call(EVEN)), Ok(()));
    let soon = off.with(|s| s.metagraph.neurons[1].last_update = BlockNumber(1000));
    named(soon.preflight().set_weights(&call(EVEN)), "SettingWeightsTooFast");
}

#[test]
fn commitments_are_bounded() {
    let subnet = subnet();
    let check = |fields: &[CommitmentField], expected: &str| {
        named(subnet.preflight().set_commitment(fields), expected);
    };
    let plain = |count| CommitmentField::Plain(vec![0; count]);
    assert_eq!(
        subnet
            .preflight()
            .set_commitment(&[plain(512), CommitmentField::Blake2(Digest([0; 32]))]),
        Ok(())
    );
    check(&vec![plain(1); 4], "TooManyFieldsInCommitmentInfo");
    check(&[plain(513)], "SpaceLimitExceeded");
    let sealed = CommitmentField::Timelocked {
        ciphertext: vec![0; 1025],
        reveal_round: 1,
    };
    check(&[sealed], "SpaceLimitExceeded");
    let stranger = self::subnet().with(|s| s.hotkey = Hotkey([7; 32]));
    named(
        stranger.preflight().set_commitment(&[plain(1)]),
        "AccountNotAllowedCommit",
    );
}

#[test]
fn registration_needs_room_in_the_limit_and_the_balance() {
    let stranger = subnet().with(|s| s.hotkey = Hotkey([7; 32]));
    let register = |burn, limit, balance| stranger.preflight().register(Rao(burn), Rao(limit), Rao(balance));
    assert_eq!(register(5, 5, 5), Ok(()));
    named(register(6, 5, 9), "RegistrationPriceLimitExceeded");
    named(register(6, 9, 5), "NotEnoughBalanceToStake");
    named(
        subnet().preflight().register(Rao(1), Rao(1), Rao(1)),
        "HotKeyAlreadyRegisteredInSubNet",
    );
    let closed = subnet().with(|s| {
        s.hotkey = Hotkey([7; 32]);
        s.hyperparameters.registration_allowed = false;
    });
    named(
        closed.preflight().register(Rao(1), Rao(1), Rao(1)),
        "SubNetRegistrationDisabled",
    );
}
