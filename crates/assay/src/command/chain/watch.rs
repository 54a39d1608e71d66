//! `assay chain watch`: follows a subnet, one line an event: heads, registrations, commitments, weights, epochs.

use std::collections::BTreeMap;
use std::io::Write as _;

use assay_chain::{At, Chain, ChainError, Commitment, Head, Metagraph};
use assay_types::{BlockNumber, Hotkey, NetUid};
use serde::Serialize;

use crate::cli::NetworkArgs;
use crate::command::chain::amounts::{short_key, utc};
use crate::command::chain::open::{network_of, open};
use crate::console::Console;

/// One line.
#[derive(Debug, Serialize)]
struct Line {
    block: u32,
    time: String,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hotkey: Option<String>,
    detail: String,
}

/// What a subnet looked like at one block.
#[derive(Debug)]
struct Seen {
    metagraph: Metagraph,
    commitments: BTreeMap<Hotkey, BlockNumber>,
    epoch: u64,
}

pub(super) async fn run(
    args: &NetworkArgs,
    netuid: u16,
    blocks: Option<u32>,
    console: &Console,
) -> anyhow::Result<()> {
    let opened = open(network_of(args)?).await?;
    opened.require_blocks("watch")?;
    let netuid = NetUid(netuid);
    let mut heads = opened.chain.heads().await?;
    let mut before: Option<Seen> = None;
    let mut left = blocks;
    while left != Some(0)
        && let Some(head) = heads.next().await
    {
        let now = match head {
            Ok(head) => look(&*opened.chain, netuid, &head).await.map(|seen| (head, seen)),
            Err(error) => Err(error),
        };
        match now {
            Ok((head, seen)) => {
                print(&changes(&head, before.as_ref(), &seen), console)?;
                before = Some(seen);
                left = left.map(|left| left.saturating_sub(1));
            }
            Err(error) if error.retry_is_safe() => {
                console.note(&format!("{error}; waiting for the next head"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn look(chain: &dyn Chain, netuid: NetUid, head: &Head) -> Result<Seen, ChainError> {
    let at = At::Hash(head.hash);
    let commitments = chain.commitments(netuid, at).await?;
    Ok(Seen {
        metagraph: chain.metagraph(netuid, at).await?,
        commitments: commitments
            .iter()
            .map(|Commitment { hotkey, block, .. }| (*hotkey, *block))
            .collect(),
        epoch: chain.epoch_state(netuid, at).await?.epoch_index,
    })
}

/// The lines of one block: its head, then what is different from the block before.
fn changes(head: &Head, before: Option<&Seen>, now: &Seen) -> Vec<Line> {
    let time = utc(head.time_ms);
    let line = |event, neuron: Option<(u16, Hotkey)>, detail: String| Line {
        block: head.number.0,
        time: time.clone(),
        event,
        uid: neuron.map(|(uid, _)| uid),
        hotkey: neuron.map(|(_, hotkey)| hotkey.to_ss58()),
        detail,
    };
    let mut lines = vec![line("head", None, head.hash.to_string())];
    let Some(before) = before else {
        return lines;
    };
    if now.epoch != before.epoch {
        lines.push(line("epoch", None, now.epoch.to_string()));
    }
    for neuron in &now.metagraph.neurons {
        let who = Some((neuron.uid.0, neuron.hotkey));
        let old = before.metagraph.neurons.get(usize::from(neuron.uid.0));
        match old {
            Some(old) if (old.hotkey, old.registered) == (neuron.hotkey, neuron.registered) => {
                if old.last_update != neuron.last_update {
                    lines.push(line("weights", who, format!("block {}", neuron.last_update)));
                }
                if old.permit != neuron.permit {
                    let detail = if neuron.permit { "gained" } else { "lost" };
                    lines.push(line("permit", who, detail.to_owned()));
                }
            }
            Some(old) => lines.push(line(
                "registered",
                who,
                format!("in place of {}", old.hotkey.to_ss58()),
            )),
            None => lines.push(line("registered", who, "new uid".to_owned())),
        }
    }
    for (hotkey, block) in &now.commitments {
        if before.commitments.get(hotkey) != Some(block) {
            let uid = now.metagraph.neuron(hotkey).map(|neuron| (neuron.uid.0, *hotkey));
            lines.push(line("commitment", uid, format!("by {}", short_key(hotkey))));
        }
    }
    lines
}

fn print(lines: &[Line], console: &Console) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout().lock();
    for line in lines {
        if console.is_json() {
            serde_json::to_writer(&mut stdout, line)?;
            stdout.write_all(b"\n")?;
        } else {
            let uid = line.uid.map(|uid| format!(" uid {uid}")).unwrap_or_default();
            writeln!(
                stdout,
                "{} {} {}{uid} {}",
                line.time, line.block, line.event, line.detail
            )?;
        }
    }
    Ok(stdout.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_chain::Neuron;
    use assay_types::{Coldkey, Digest, Rao, Uid};

    fn neuron(uid: u16, key: u8, registered: u32, last_update: u32) -> Neuron {
        Neuron {
            uid: Uid(uid),
            hotkey: Hotkey([key; 32]),
            coldkey: Coldkey([0; 32]),
            stake: Rao(0),
            permit: false,
            active: true,
            incentive: 0,
            dividends: 0,
            consensus: 0,
            vtrust: 0,
            emission: Rao(0),
            last_update: BlockNumber(last_update),
            registered: BlockNumber(registered),
            immunity_left: 0,
            axon: None,
        }
    }

    fn seen(neurons: Vec<Neuron>, epoch: u64) -> Seen {
        Seen {
            metagraph: Metagraph {
                netuid: NetUid(7),
                block: BlockNumber(9),
                hash: Digest([0; 32]),
                owner_hotkey: None,
                owner_coldkey: None,
                neurons,
            },
            commitments: BTreeMap::from([(Hotkey([1; 32]), BlockNumber(epoch as u32))]),
            epoch,
        }
    }

    #[test]
    fn a_block_is_told_by_what_changed_in_it() {
        let head = Head {
            number: BlockNumber(9),
            hash: Digest([0; 32]),
            parent: Digest([0; 32]),
            time_ms: 0,
        };
        let before = seen(vec![neuron(0, 1, 3, 4), neuron(1, 2, 3, 4)], 1);
        let now = seen(
            vec![neuron(0, 1, 3, 9), neuron(1, 5, 9, 9), neuron(2, 6, 9, 9)],
            2,
        );
        let events: Vec<&str> = changes(&head, Some(&before), &now)
            .iter()
            .map(|line| line.event)
            .collect();
        assert_eq!(
            events,
            [
                "head",
                "epoch",
                "weights",
                "registered",
                "registered",
                "commitment"
            ]
        );
        let first: Vec<Line> = changes(&head, None, &now);
        assert_eq!(first.len(), 1, "what stood before is not told as new");
        let again = changes(&head, Some(&now), &now);
        assert_eq!(again.len(), 1);
    }
}
