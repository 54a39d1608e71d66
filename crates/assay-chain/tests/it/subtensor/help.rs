//! Every error of a chain has a cure for people and says whether a retry is safe.

use assay_chain::{ChainError, ChainErrorKind};

fn text() -> String {
    "x".to_owned()
}

/// What the chain answered, with whether a retry is safe.
fn answers() -> Vec<(ChainErrorKind, bool)> {
    let pool = |code, message: &str| ChainErrorKind::Pool {
        code,
        custom: None,
        message: message.to_owned(),
    };
    let preflight = |wait_blocks| ChainErrorKind::Preflight {
        name: text(),
        reason: text(),
        wait_blocks,
    };
    let dispatch = |name: &str| ChainErrorKind::Dispatch {
        pallet: text(),
        name: name.to_owned(),
    };
    vec![
        (pool(1010, "Invalid Transaction: Transaction is outdated"), true),
        (
            pool(1010, "Invalid Transaction: Transaction has a bad signature"),
            false,
        ),
        (
            pool(1010, "Invalid Transaction: Inability to pay some fees"),
            false,
        ),
        (pool(1012, "banned"), true),
        (pool(1013, "already imported"), true),
        (pool(1014, "priority too low"), true),
        (dispatch("SettingWeightsTooFast"), true),
        (dispatch("NeuronNoValidatorPermit"), false),
        (dispatch("SomethingNew"), false),
        (preflight(Some(3)), true),
        (preflight(None), false),
    ]
}

/// What went wrong around it, with whether a retry is safe.
fn surroundings() -> Vec<(ChainErrorKind, bool)> {
    vec![
        (ChainErrorKind::Expired { era_end: 1 }, true),
        (
            ChainErrorKind::Ineffective {
                block: 1,
                name: text(),
                wanted: 2,
                found: 3,
            },
            false,
        ),
        (ChainErrorKind::Missed { first: 1, last: 2 }, true),
        (
            ChainErrorKind::Unresolved {
                era_end: 1,
                repeatable: false,
            },
            false,
        ),
        (
            ChainErrorKind::NotRevealed {
                block: 1,
                reveal_round: 2,
                reason: text(),
            },
            true,
        ),
        (
            ChainErrorKind::Transport {
                endpoint: text(),
                message: text(),
            },
            true,
        ),
        (
            ChainErrorKind::Unsupported {
                spec_version: 1,
                missing: vec![text()],
            },
            false,
        ),
        (
            ChainErrorKind::WrongGenesis {
                expected: text(),
                found: text(),
            },
            false,
        ),
        (ChainErrorKind::Answer { reason: text() }, false),
        (ChainErrorKind::NotFound { what: text() }, false),
        (ChainErrorKind::State { reason: text() }, false),
    ]
}

#[test]
fn every_error_has_a_cure_and_says_whether_a_retry_is_safe() {
    for (kind, retry) in answers().into_iter().chain(surroundings()) {
        let error = ChainError::new("read metagraph of subnet 3", kind);
        assert!(error.help().len() > 10, "{error}: {}", error.help());
        assert!(!error.help().ends_with('.'), "{}", error.help());
        assert_eq!(error.retry_is_safe(), retry, "{error}");
        assert!(error.to_string().starts_with("read metagraph of subnet 3: "));
    }
}
