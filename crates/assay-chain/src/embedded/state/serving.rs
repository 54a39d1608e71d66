//! Announced addresses: `serve_axon`.
//!
//! Rules: opentensor/subtensor 14bc6f9 `subnets/serving.rs`.

use std::net::{IpAddr, SocketAddr};

use assay_types::{Hotkey, NetUid};
use serde_json::json;

use super::{DispatchError, Event, State};

impl State {
    /// What `serve_axon` would fail with.
    pub(crate) fn check_axon(
        &self,
        hotkey: &Hotkey,
        netuid: NetUid,
        address: &SocketAddr,
    ) -> Result<u16, DispatchError> {
        let unregistered = DispatchError::subtensor("HotKeyNotRegisteredInNetwork");
        let subnet = self.subnet(netuid).ok_or(unregistered.clone())?;
        let uid = subnet.uid_of(hotkey).ok_or(unregistered)?;
        if !is_public(address.ip()) {
            return Err(DispatchError::subtensor("InvalidIpAddress"));
        }
        let before = subnet
            .neurons
            .get(usize::from(uid))
            .and_then(|neuron| neuron.axon)
            .map(|(_, block)| u64::from(self.block.saturating_sub(block)));
        if before.is_some_and(|blocks| blocks < subnet.params.serving_rate_limit) {
            return Err(DispatchError::subtensor("ServingRateLimitExceeded"));
        }
        if address.port() == 0 {
            return Err(DispatchError::subtensor("InvalidPort"));
        }
        Ok(uid)
    }

    /// `serve_axon`.
    pub(super) fn serve_axon(
        &mut self,
        hotkey: Hotkey,
        netuid: NetUid,
        address: SocketAddr,
    ) -> Result<Vec<Event>, DispatchError> {
        let uid = self.check_axon(&hotkey, netuid, &address)?;
        let block = self.block;
        if let Some(neuron) = self.subnet_mut(netuid)?.neuron_mut(uid) {
            neuron.axon = Some((address, block));
        }
        let fields = json!({"netuid": netuid, "hotkey": hotkey});
        Ok(vec![Event::new("SubtensorModule.AxonServed", fields)])
    }
}

/// Not loopback, unspecified or broadcast.
fn is_public(address: IpAddr) -> bool {
    let barred = match address {
        IpAddr::V4(address) => address.is_broadcast(),
        IpAddr::V6(_) => false,
    };
    !(barred || address.is_loopback() || address.is_unspecified())
}
