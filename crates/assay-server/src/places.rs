//! Places for connections: so many in all, and so many of one network.

use crate::limit::network_of;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections of each network.
type Networks = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// The places of a port.
#[derive(Debug)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    networks: Networks,
    network_max: Option<usize>,
}

/// A connection's place, free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _of_all: OwnedSemaphorePermit,
    network: IpAddr,
    networks: Networks,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = networks.get_mut(&self.network) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                networks.remove(&self.network);
            }
        }
    }
}

impl Places {
    /// `all` places; of one network at most `network_max`, if that is bounded.
    pub(crate) fn new(all: usize, network_max: Option<usize>) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            networks: Networks::default(),
            network_max,
        }
    }

    /// Waits until a connection may be taken at all.
    pub(crate) async fn any(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.all).acquire_owned().await.ok()
    }

    /// The place of a connection from `peer`; none if its network has all it may have.
    pub(crate) fn of(&self, peer: IpAddr, of_all: OwnedSemaphorePermit) -> Option<Place> {
        let network = network_of(peer);
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        let own = networks.get(&network).copied().unwrap_or_default();
        if self.network_max.is_some_and(|max| own >= max) {
            return None;
        }
        networks.insert(network, own + 1);
        Some(Place {
            _of_all: of_all,
            network,
            networks: Arc::clone(&self.networks),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_network_has_its_share_and_gives_it_back() {
        let places = Places::new(4, Some(2));
        let enter = async |peer: &str| places.of(peer.parse().unwrap(), places.any().await.unwrap());
        let first = enter("2001:db8::1").await.unwrap();
        let second = enter("2001:db8::2").await.unwrap();
        assert!(enter("2001:db8::3").await.is_none(), "the same /64");
        let other = enter("192.0.2.1").await.unwrap();
        drop(first);
        let third = enter("2001:db8::3").await.unwrap();
        assert_eq!(
            places.all.available_permits(),
            1,
            "a refused connection holds no place"
        );
        drop((second, other, third));
        assert!(places.networks.lock().unwrap().is_empty());
        let unbounded = Places::new(4, None);
        let peer: IpAddr = "192.0.2.1".parse().unwrap();
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(unbounded.of(peer, unbounded.any().await.unwrap()).unwrap());
        }
        assert_eq!(held.len(), 4);
    }
}
