//! Validators' reports as the Task API reads them: from the subnet's store, opened with the pulse of their round.

use std::sync::Arc;

use assay_agents::subnet::{About, AgentError, Batch, Opening, Rounds};
use assay_chain::{At, Chain};
use assay_hub::store::Store;
use assay_mechanism::clock::Clock;
use assay_server::{BatchError, BatchSource};
use assay_types::{Digest, Hotkey, NetUid, Round};
use futures_util::future::BoxFuture;

/// Validators' reports in the subnet's store.
#[derive(Debug)]
pub(super) struct Published {
    /// The chain, whose pulses open them.
    pub(super) chain: Arc<dyn Chain>,
    /// Where validators publish.
    pub(super) store: Arc<dyn Store>,
    /// The subnet.
    pub(super) netuid: NetUid,
    /// Digest of its parameter set.
    pub(super) params: Digest,
    /// Its rounds.
    pub(super) clock: Clock,
}

impl Published {
    /// The reports on a round, opened with its pulse.
    async fn batch(&self, about: &About, digest: &Digest) -> Result<Batch, BatchError> {
        let rounds = Rounds {
            chain: self.chain.as_ref(),
            netuid: self.netuid,
            clock: self.clock,
        };
        // Whatever the chain does not say now is asked for again: it is not the validator's.
        let later = |source| BatchError {
            retry_is_safe: true,
            source,
        };
        let head = self.chain.head(At::Head).await;
        let head = head.map_err(|error| later(error.into()))?;
        let opening = rounds.opening(about.round, head.number).await;
        let opening = opening.map_err(|error| later(error.into()))?;
        if let Opening::Awaited(pulse) = opening {
            let why = format!("pulse {pulse} of the beacon opens them, and is not on the chain yet");
            return Err(later(why.into()));
        }
        let batch = Batch::fetch(self.store.as_ref(), digest, about, &opening).await;
        batch.map_err(failed)
    }
}

fn failed(error: AgentError) -> BatchError {
    BatchError {
        retry_is_safe: error.retry_is_safe(),
        source: error.into(),
    }
}

impl BatchSource for Published {
    fn lines(
        &self,
        round: Round,
        validator: Hotkey,
        digest: Digest,
    ) -> BoxFuture<'_, Result<Vec<String>, BatchError>> {
        let about = About {
            netuid: self.netuid,
            params: self.params,
            validator,
            round,
        };
        Box::pin(async move {
            let batch = self.batch(&about, &digest).await?;
            batch.lines().map_err(failed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_agents::localnet::localnet_params;
    use assay_chain::embedded::{
        Clock as BlockClock, Fault, Genesis, Node, NodeOptions, Remote, Served, serve,
    };
    use assay_chain::sealed::Seal;
    use assay_hub::store::LocalStore;
    use assay_mechanism::network::NetworkState;

    const ROUND: Round = Round(0);
    const VALIDATOR: Hotkey = Hotkey([7; 32]);

    /// A chain behind a socket, and what a server reads of it.
    struct World {
        node: Node,
        served: Option<Served>,
        stop: tokio::sync::watch::Sender<bool>,
        published: Published,
        digest: Digest,
        _folder: tempfile::TempDir,
    }

    impl World {
        /// In round 0, with an empty batch that its validator has sealed and published.
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let options = NodeOptions {
                genesis: Genesis::default(),
                clock: BlockClock::Manual,
                ..NodeOptions::default()
            };
            let node = Node::start(&options).await.unwrap();
            let (stop, shutdown) = tokio::sync::watch::channel(false);
            let served = serve(node.clone(), "127.0.0.1:0".parse().unwrap(), shutdown)
                .await
                .unwrap();
            let chain: Arc<dyn Chain> = Arc::new(Remote::connect(&served.url(), None).await.unwrap().chain());
            let params = localnet_params(220, Digest::ZERO);
            let clock = Clock::new(&params.values);
            node.seal(clock.start(ROUND).0 + 1).await.unwrap();
            let published = Published {
                chain,
                store: Arc::new(LocalStore::new(folder.path())),
                netuid: NetUid(1),
                params: params.digest(),
                clock,
            };
            let digest = published.publish().await;
            Self {
                node,
                served: Some(served),
                stop,
                published,
                digest,
                _folder: folder,
            }
        }

        async fn until(&self, block: assay_types::BlockNumber) {
            let head = self.published.chain.head(At::Head).await.unwrap().number;
            self.node.seal(block.0 - head.0).await.unwrap();
        }

        async fn read(&self) -> Result<Vec<String>, BatchError> {
            self.published.lines(ROUND, VALIDATOR, self.digest).await
        }

        /// Whether asking again may help.
        async fn may_come(&self) -> bool {
            self.read().await.unwrap_err().retry_is_safe
        }
    }

    impl Published {
        async fn publish(&self) -> Digest {
            let rounds = Rounds {
                chain: self.chain.as_ref(),
                netuid: self.netuid,
                clock: self.clock,
            };
            let head = self.chain.head(At::Head).await.unwrap().number;
            let Opening::Awaited(round) = rounds.opening(ROUND, head).await.unwrap() else {
                panic!("the round has just begun");
            };
            let beacon = self.chain.beacon(At::Head).await.unwrap();
            let seal = Seal {
                beacon: &beacon,
                round,
            };
            let batch = Batch::new(Vec::new(), Vec::new()).unwrap().sealed(seal).unwrap();
            batch
                .publish(self.store.as_ref(), &VALIDATOR, &NetworkState::default())
                .await
                .unwrap();
            batch.digest
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn sealed_reports_are_awaited_then_read_and_a_lost_chain_is_asked_again() {
        let mut world = World::new().await;
        let clock = world.published.clock;
        let error = world.read().await.unwrap_err();
        assert!(
            error.retry_is_safe && error.source.to_string().contains("opens them"),
            "{error:?}"
        );
        world.until(clock.report_cutoff(ROUND)).await;
        assert!(world.may_come().await, "nobody reads at the cutoff");
        world.until(clock.effective_block(ROUND)).await;
        assert_eq!(world.read().await.unwrap(), Vec::<String>::new());
        // Whatever else has this digest is not to be had, and will not be.
        let missing = world.published.lines(ROUND, VALIDATOR, Digest([3; 32])).await;
        assert!(!missing.unwrap_err().retry_is_safe);
        world.stop.send(true).unwrap();
        world.served.take().unwrap().closed().await;
        assert!(
            world.may_come().await,
            "the chain is away, which is nobody's fault"
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn reports_whose_pulse_missed_the_effective_block_are_read_by_nobody() {
        let world = World::new().await;
        let clock = world.published.clock;
        world
            .node
            .inject(Fault::MissPulses { rounds: 4_000 })
            .await
            .unwrap();
        world.until(clock.effective_block(ROUND)).await;
        assert!(!world.may_come().await);
        world.node.inject(Fault::ReleasePulses).await.unwrap();
        world.node.seal(3).await.unwrap();
        assert!(!world.may_come().await, "it is the same whenever one looks");
    }
}
