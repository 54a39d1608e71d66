//! `assay chain commit`: leaves bytes on the chain, in the clear, hashed, or sealed until a drand round.

use anyhow::Context as _;
use assay_chain::sealed::{Seal, sealed_field};
use assay_chain::timelock::Entropy;
use assay_chain::{At, BIG_RAW_BYTES_MAX, Call, CommitmentField};
use assay_types::NetUid;
use serde_json::json;

use crate::cli::CommitArgs;
use crate::command::chain::open::{Opened, network_of, open};
use crate::command::chain::{keys, send};
use crate::console::Console;
use crate::exit::UsageError;

pub(super) async fn run(args: &CommitArgs, console: &Console) -> anyhow::Result<()> {
    let content = content(args)?;
    let signer = keys::hotkey(&args.call.signing, console)?;
    let opened = open(network_of(&args.call.network)?).await?;
    // A chain calls a hotkey of no subnet unregistered, and a wrong number would be paid for.
    opened.chain.burn(NetUid(args.netuid), At::Head).await?;
    let field = field(args, content, &opened).await?;
    let data = json!({
        "network": opened.chain.network(), "netuid": args.netuid, "field": field,
        "hotkey": assay_types::ss58::encode(&signer.public_key().0),
    });
    let call = Call::SetCommitment {
        netuid: NetUid(args.netuid),
        fields: vec![field],
    };
    if args.call.dry_run {
        return console.result("assay.chain-commit/1", &data, &[], || {
            format!("would send {}\n", call.name())
        });
    }
    send::send(&opened, &call, &signer, ("assay.chain-commit/1", data), console).await
}

/// The bytes given as text or hexadecimal.
fn content(args: &CommitArgs) -> anyhow::Result<Vec<u8>> {
    let bytes = match (&args.text, &args.hex) {
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(hex)) => unhex(hex).ok_or_else(|| {
            UsageError::new(
                format!("`{hex:.40}` is not hexadecimal"),
                "give two digits a byte",
            )
        })?,
        (None, None) => Vec::new(),
    };
    if bytes.len() > BIG_RAW_BYTES_MAX {
        let message = format!("{} bytes are more than {BIG_RAW_BYTES_MAX}", bytes.len());
        return Err(UsageError::new(message, "commit a digest of them instead").into());
    }
    Ok(bytes)
}

async fn field(args: &CommitArgs, content: Vec<u8>, opened: &Opened) -> anyhow::Result<CommitmentField> {
    if let Some(digest) = &args.digest {
        let digest = digest.trim_start_matches("0x").parse().map_err(|error| {
            UsageError::new(
                format!("`--digest`: {error}"),
                "give BLAKE2b-256 in 64 hexadecimal digits",
            )
        })?;
        return Ok(CommitmentField::Blake2(digest));
    }
    let Some(reveal_round) = args.seal_until else {
        return Ok(CommitmentField::Plain(content));
    };
    let beacon = opened.chain.beacon(At::Head).await?;
    let entropy = Entropy::random().context("seal the commitment")?;
    let seal = Seal {
        beacon: &beacon,
        round: reveal_round,
    };
    sealed_field(&content, seal, &entropy).context("seal the commitment")
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|&[high, low]| {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            u8::try_from(digit(high)? << 4 | digit(low)?).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_in_either_case() {
        assert_eq!(unhex("0xAbcd"), Some(vec![0xab, 0xcd]));
        assert_eq!(unhex("abc"), None);
        assert_eq!(unhex("zz"), None);
    }
}
