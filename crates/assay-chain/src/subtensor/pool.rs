//! Why the transaction pool refuses a transaction, in words: JSON-RPC 1010 to 1014 and subtensor's custom numbers.

use crate::ChainErrorKind;

/// Names of subtensor's `Custom error: N` (opentensor/subtensor 14bc6f9, `common/src/transaction_error.rs`).
const CUSTOM: &[(u8, &str)] = &[
    (0, "ColdkeySwapAnnounced"),
    (1, "StakeAmountTooLow"),
    (2, "BalanceTooLow"),
    (3, "SubnetNotExists"),
    (4, "HotKeyAccountNotExists"),
    (5, "NotEnoughStakeToWithdraw"),
    (6, "RateLimitExceeded"),
    (7, "InsufficientLiquidity"),
    (8, "SlippageTooHigh"),
    (9, "TransferDisallowed"),
    (10, "HotKeyNotRegisteredInNetwork"),
    (11, "InvalidIpAddress"),
    (12, "ServingRateLimitExceeded"),
    (13, "InvalidPort"),
    (14, "ZeroMaxAmount"),
    (15, "InvalidRevealRound"),
    (16, "CommitNotFound"),
    (17, "CommitBlockNotInRevealRange"),
    (18, "InputLengthsUnequal"),
    (19, "UidNotFound"),
    (20, "EvmKeyAssociateRateLimitExceeded"),
    (21, "ColdkeySwapDisputed"),
    (22, "InvalidRealAccount"),
    (23, "FailedShieldedTxParsing"),
    (24, "InvalidShieldedTxPubKeyHash"),
    (25, "NonAssociatedColdKey"),
    (26, "DelegateTakeTooLow"),
    (27, "DelegateTakeTooHigh"),
    (255, "BadRequest"),
];

/// The chain's name of a custom number.
pub fn custom_name(number: u8) -> Option<&'static str> {
    CUSTOM
        .iter()
        .find(|(found, _)| *found == number)
        .map(|(_, name)| *name)
}

/// What the pool's refusal means.
pub(crate) fn refused(code: i32, message: &str) -> ChainErrorKind {
    let custom = message
        .split_once("Custom error: ")
        .and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
    let message = match custom.and_then(custom_name) {
        Some(name) => format!("{name}, {message}"),
        None => message.to_owned(),
    };
    ChainErrorKind::Pool {
        code,
        custom,
        message,
    }
}

/// Whether it was refused for its nonce or era only, so that the same call signed anew may pass.
///
/// 1014: a transaction of the same nonce waits already; priority is flat, so it cannot be replaced.
pub(crate) fn is_stale(kind: &ChainErrorKind) -> bool {
    match kind {
        ChainErrorKind::Pool {
            code: 1010,
            custom: None,
            message,
        } => ["outdated", "stale", "ancient birth block"]
            .iter()
            .any(|word| message.to_ascii_lowercase().contains(word)),
        ChainErrorKind::Pool { code, .. } => *code == 1014,
        _ => false,
    }
}

/// Whether the pool already has this very transaction.
pub(crate) fn is_known(kind: &ChainErrorKind) -> bool {
    matches!(kind, ChainErrorKind::Pool { code: 1013, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_numbers_get_their_names() {
        let kind = refused(1010, "Invalid Transaction: Custom error: 6");
        let ChainErrorKind::Pool { custom, message, .. } = &kind else {
            panic!("{kind:?}");
        };
        assert_eq!(*custom, Some(6));
        assert!(message.starts_with("RateLimitExceeded"), "{message}");
        assert!(!is_stale(&kind));
        assert!(matches!(
            refused(1010, "Invalid Transaction: Custom error: 999"),
            ChainErrorKind::Pool { custom: None, .. }
        ));
        assert_eq!(custom_name(99), None);
    }

    #[test]
    fn only_nonce_and_era_are_signed_anew() {
        assert!(is_stale(&refused(
            1010,
            "Invalid Transaction: Transaction is outdated"
        )));
        assert!(is_stale(&refused(
            1010,
            "Invalid Transaction: Transaction has an ancient birth block"
        )));
        assert!(is_stale(&refused(1014, "Priority is too low: (1 vs 1)")));
        assert!(!is_stale(&refused(
            1010,
            "Invalid Transaction: Transaction has a bad signature"
        )));
        assert!(!is_stale(&refused(1012, "Transaction is temporarily banned")));
        assert!(is_known(&refused(1013, "Transaction is already imported")));
    }
}
