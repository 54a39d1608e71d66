//! `assay chain register`: registers a hotkey on a subnet, for what the burn costs now.

use assay_chain::{At, Call};
use assay_types::{Coldkey, Hotkey, NetUid, Rao};
use serde_json::json;

use crate::cli::RegisterArgs;
use crate::command::chain::amounts::{parse_tao, tao};
use crate::command::chain::confirm::confirm;
use crate::command::chain::open::{network_of, open};
use crate::command::chain::{keys, send};
use crate::console::Console;

/// What the price may rise by between the look and the block: one other registration takes 26 %.
const MARGIN_PERCENT: u64 = 30;

pub(super) async fn run(args: &RegisterArgs, console: &Console) -> anyhow::Result<()> {
    let netuid = NetUid(args.netuid);
    let limit = args.limit_price.as_deref().map(parse_tao).transpose()?;
    let hotkey = Hotkey(keys::hotkey_address(&args.send.call.signing, console)?);
    let opened = open(network_of(&args.send.call.network)?).await?;
    let price = opened.chain.burn(netuid, At::Head).await?;
    let limit = limit.unwrap_or(Rao(price.0.saturating_mul(100 + MARGIN_PERCENT) / 100));
    let signer = keys::coldkey(&args.send.call.signing, console)?;
    let coldkey = Coldkey(signer.public_key().0);
    let balance = opened.chain.balance(&coldkey, At::Head).await?;
    let network = opened.chain.network();
    let call = Call::Register {
        netuid,
        hotkey,
        limit_price: limit,
    };
    let data = json!({
        "network": network, "netuid": netuid, "hotkey": hotkey.to_ss58(), "coldkey": coldkey.to_ss58(),
        "price_rao": price.to_string(), "limit_rao": limit.to_string(), "balance_rao": balance.to_string(),
    });
    let what = format!(
        "register {} on subnet {netuid} of {network} for {} TAO (at most {}) from {} ({} TAO)",
        hotkey.to_ss58(),
        tao(price),
        tao(limit),
        coldkey.to_ss58(),
        tao(balance)
    );
    if args.send.call.dry_run {
        return console.result("assay.chain-register/1", &data, &[], || format!("would {what}\n"));
    }
    confirm(&what, &network, args.send.yes, console)?;
    send::send(&opened, &call, &signer, ("assay.chain-register/1", data), console).await
}
