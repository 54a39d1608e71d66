//! Columns of a metagraph, one value a uid, and the neurons they make.
//!
//! Both ways to read a metagraph fill [`Columns`]; a column the chain no longer fills reads as zero, one that neurons
//! cannot do without is an error.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use assay_types::{BlockNumber, Coldkey, Hotkey, Rao, Uid};

use crate::Neuron;
use crate::subtensor::node::Node;

/// One list a field of [`Neuron`], in uid order.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub(crate) hotkeys: Vec<[u8; 32]>,
    pub(crate) coldkeys: Vec<[u8; 32]>,
    pub(crate) stake: Vec<u64>,
    pub(crate) permit: Vec<bool>,
    pub(crate) active: Vec<bool>,
    pub(crate) incentive: Vec<u16>,
    pub(crate) dividends: Vec<u16>,
    pub(crate) consensus: Vec<u16>,
    pub(crate) vtrust: Vec<u16>,
    pub(crate) emission: Vec<u64>,
    pub(crate) last_update: Vec<u64>,
    pub(crate) registered: Vec<u64>,
    pub(crate) axons: Vec<Option<SocketAddr>>,
    pub(crate) immunity_period: u64,
}

impl Columns {
    /// The neurons as of `block`.
    ///
    /// # Errors
    /// The name of a needed column of another length than there are neurons.
    pub(crate) fn neurons(&self, block: BlockNumber) -> Result<Vec<Neuron>, String> {
        let count = self.hotkeys.len();
        let needed = [
            ("coldkeys", self.coldkeys.len()),
            ("total_stake", self.stake.len()),
            ("validator_permit", self.permit.len()),
            ("last_update", self.last_update.len()),
            ("block_at_registration", self.registered.len()),
        ];
        for (name, length) in needed {
            if length != count {
                return Err(format!("{length} values of `{name}` for {count} hotkeys"));
            }
        }
        let mut neurons = Vec::with_capacity(count);
        for (at, hotkey) in self.hotkeys.iter().enumerate() {
            let uid = u16::try_from(at).map_err(|_| format!("{count} neurons"))?;
            let registered = height(self.registered.get(at));
            let immune_until = u64::from(registered.0).saturating_add(self.immunity_period);
            let immunity_left = immune_until.saturating_sub(u64::from(block.0));
            neurons.push(Neuron {
                uid: Uid(uid),
                hotkey: Hotkey(*hotkey),
                coldkey: Coldkey(get(&self.coldkeys, at)),
                stake: Rao(get(&self.stake, at)),
                permit: get(&self.permit, at),
                active: get(&self.active, at),
                incentive: get(&self.incentive, at),
                dividends: get(&self.dividends, at),
                consensus: get(&self.consensus, at),
                vtrust: get(&self.vtrust, at),
                emission: Rao(get(&self.emission, at)),
                last_update: height(self.last_update.get(at)),
                registered,
                immunity_left: u32::try_from(immunity_left).unwrap_or(u32::MAX),
                axon: get(&self.axons, at),
            });
        }
        Ok(neurons)
    }
}

fn get<T: Copy + Default>(column: &[T], at: usize) -> T {
    column.get(at).copied().unwrap_or_default()
}

fn height(block: Option<&u64>) -> BlockNumber {
    BlockNumber(block.map_or(0, |block| u32::try_from(*block).unwrap_or(u32::MAX)))
}

/// The address in an `AxonInfo`; `None` for one that was never announced.
pub(crate) fn axon(info: &Node) -> Option<SocketAddr> {
    let port: u16 = info.field("port").and_then(Node::number)?;
    let number: u128 = info.field("ip").and_then(Node::number)?;
    if port == 0 || number == 0 {
        return None;
    }
    let ip = match info.field("ip_type").and_then(Node::number::<u8>)? {
        4 => IpAddr::V4(Ipv4Addr::from(u32::try_from(number).ok()?)),
        6 => IpAddr::V6(Ipv6Addr::from(number)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_another_length_is_named() {
        let columns = Columns {
            hotkeys: vec![[1; 32], [2; 32]],
            coldkeys: vec![[3; 32]],
            ..Columns::default()
        };
        let error = columns.neurons(BlockNumber(9)).unwrap_err();
        assert!(error.contains("1 values of `coldkeys` for 2 hotkeys"), "{error}");
    }

    #[test]
    fn immunity_runs_out_and_empty_columns_read_zero() {
        let columns = Columns {
            hotkeys: vec![[1; 32]; 2],
            coldkeys: vec![[3; 32]; 2],
            stake: vec![5, 6],
            permit: vec![true, false],
            last_update: vec![7, 8],
            registered: vec![100, 990],
            immunity_period: 50,
            ..Columns::default()
        };
        let neurons = columns.neurons(BlockNumber(1_000)).unwrap();
        assert_eq!(neurons[0].immunity_left, 0);
        assert_eq!(neurons[1].immunity_left, 40);
        assert_eq!((neurons[1].uid, neurons[1].vtrust), (Uid(1), 0));
    }

    #[test]
    fn an_axon_that_was_never_announced_is_none() {
        let info = |ip: u128, port: u128, kind: u8| {
            Node::Struct(vec![
                ("ip".to_owned(), Node::Number(ip)),
                ("port".to_owned(), Node::Number(port)),
                ("ip_type".to_owned(), Node::Byte(kind)),
            ])
        };
        assert_eq!(axon(&info(0, 0, 0)), None);
        assert_eq!(axon(&info(0x0102_0304, 80, 4)), "1.2.3.4:80".parse().ok());
        assert_eq!(axon(&info(u128::MAX, 80, 4)), None);
    }
}
