//! Commitments that stand, and timelocked fields the chain has opened.

use assay_types::{BlockNumber, Digest, Hotkey, NetUid};
use subxt::ext::scale_value::Value;

use crate::subtensor::encode::COMMITMENTS;
use crate::subtensor::node::Node;
use crate::subtensor::view::View;
use crate::{ChainError, Commitment, CommitmentField, RevealedCommitment};

/// All commitments of a subnet, in hotkey order.
pub(crate) async fn standing(view: &View<'_>, netuid: NetUid) -> Result<Vec<Commitment>, ChainError> {
    let entries = view
        .entries(COMMITMENTS, "CommitmentOf", &[Value::from(netuid.0)])
        .await?;
    let mut commitments = Vec::new();
    for (keys, record) in entries {
        let what = "Commitments.CommitmentOf";
        let hotkey = view.required(keys.last().and_then(Node::bytes32), what)?;
        let block = view.required(record.field("block").and_then(Node::number), "CommitmentOf.block")?;
        let fields = record.field("info").and_then(fields);
        let fields = view.required(fields, "CommitmentOf.info.fields")?;
        commitments.push(Commitment {
            hotkey: Hotkey(hotkey),
            block: BlockNumber(block),
            fields: fields.iter().filter_map(field).collect(),
        });
    }
    commitments.sort_by_key(|commitment| commitment.hotkey);
    Ok(commitments)
}

/// The fields of a `CommitmentInfo`, which may be the list itself where newtypes were seen through.
fn fields(info: &Node) -> Option<&[Node]> {
    info.field("fields").unwrap_or(info).list()
}

/// One field; what Assay cannot read (other hashes, flags, nothing) is left out.
fn field(data: &Node) -> Option<CommitmentField> {
    let content = || data.nth(0).and_then(Node::bytes);
    match data.variant()? {
        "BlakeTwo256" => Some(CommitmentField::Blake2(Digest(data.nth(0)?.bytes32()?))),
        "TimelockEncrypted" => Some(CommitmentField::Timelocked {
            ciphertext: data.field("encrypted")?.bytes()?,
            reveal_round: data.field("reveal_round")?.number()?,
        }),
        "BigRaw" => content().map(CommitmentField::Plain),
        name if name.starts_with("Raw") => Some(CommitmentField::Plain(content().unwrap_or_default())),
        _ => None,
    }
}

/// The opened fields of a subnet, in hotkey order, oldest first; none where the runtime opens none.
pub(crate) async fn revealed(view: &View<'_>, netuid: NetUid) -> Result<Vec<RevealedCommitment>, ChainError> {
    let entry = "RevealedCommitments";
    let entries = view.entries(COMMITMENTS, entry, &[Value::from(netuid.0)]).await?;
    let mut revealed = Vec::new();
    for (keys, list) in entries {
        let hotkey = view.required(keys.last().and_then(Node::bytes32), entry)?;
        for pair in view.required(list.list(), entry)? {
            let bytes = view.required(pair.nth(0).and_then(Node::bytes), "RevealedCommitments.0")?;
            let block = view.required(pair.nth(1).and_then(Node::number), "RevealedCommitments.1")?;
            revealed.push(RevealedCommitment {
                hotkey: Hotkey(hotkey),
                block: BlockNumber(block),
                bytes,
            });
        }
    }
    // Stable: fields opened in one block keep the chain's order.
    revealed.sort_by_key(|revealed| (revealed.hotkey, revealed.block));
    Ok(revealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_other_kinds_are_left_out() {
        let flag = Node::Variant("ResetBondsFlag".to_owned(), Box::new(Node::Tuple(Vec::new())));
        assert_eq!(field(&flag), None);
        let empty = Node::Variant(
            "Raw0".to_owned(),
            Box::new(Node::Tuple(vec![Node::List(Vec::new())])),
        );
        assert_eq!(field(&empty), Some(CommitmentField::Plain(Vec::new())));
        let sealed = Node::Variant(
            "TimelockEncrypted".to_owned(),
            Box::new(Node::Struct(vec![
                ("encrypted".to_owned(), Node::Bytes(vec![1, 2])),
                ("reveal_round".to_owned(), Node::Number(7)),
            ])),
        );
        let expected = CommitmentField::Timelocked {
            ciphertext: vec![1, 2],
            reveal_round: 7,
        };
        assert_eq!(field(&sealed), Some(expected));
    }
}
