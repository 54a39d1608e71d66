//! State of the scripted node: blocks, storage, pool, and what goes wrong when.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use subxt::config::Hasher as _;
use subxt::config::substrate::{BlakeTwo256, H256, SubstrateHeader};
use subxt::ext::codec::{Compact, Encode as _};
use subxt::ext::scale_value::Value;

use super::codec::{Codec, hex};

/// What the pool does with the next transaction.
#[derive(Debug, Clone)]
pub(crate) enum Submit {
    /// Takes it; the next block has it, and it succeeds.
    Include,
    /// Takes it; the next block has it, and it fails with this error.
    Fail(&'static str, &'static str),
    /// Refuses it.
    Refuse(i32, &'static str, &'static str),
    /// Takes it and closes the connection instead of answering.
    IncludeUnanswered,
    /// Takes it and says nothing more; no block ever has it.
    Forget,
    /// Takes it and drops it.
    Drop,
}

/// What a request gets.
#[derive(Debug)]
pub(crate) enum Reply {
    Result(Json),
    Error(i32, String, Option<String>),
    /// No answer, ever.
    Silence,
    /// The connection is closed.
    Close,
    /// A subscription of new heads.
    Heads,
    /// A subscription of a transaction, with its first messages.
    Watch(String, Vec<Json>),
}

#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) header: Json,
    pub(crate) hash: String,
    pub(crate) extrinsics: Vec<String>,
    spec: u32,
    storage: BTreeMap<String, String>,
    /// State when it was made; the newest block has that of the script, so that a test may still change it.
    state: BTreeMap<String, String>,
}

/// Everything the node knows.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) blocks: Vec<Block>,
    pub(crate) spec: u32,
    pub(crate) metadata: HashMap<u32, Vec<u8>>,
    pub(crate) codec: Arc<Codec>,
    /// State of the newest block, but for time and events.
    pub(crate) storage: BTreeMap<String, String>,
    /// Answers of runtime APIs by `Trait_method`.
    pub(crate) apis: HashMap<String, String>,
    /// Answers that come before all others, once each.
    pub(crate) overrides: HashMap<String, VecDeque<(i32, &'static str)>>,
    /// Methods that get no answer.
    pub(crate) silent: Vec<&'static str>,
    pub(crate) submits: VecDeque<Submit>,
    /// Transactions that were submitted, in order.
    pub(crate) submitted: Vec<String>,
    /// Events of the next block beside those of its transactions: pallet, name, fields.
    pub(crate) events: Vec<(&'static str, &'static str, Value)>,
    pool: Vec<(String, Submit)>,
    pub(crate) nonce: u64,
    /// How often each method was called.
    pub(crate) calls: HashMap<String, usize>,
}

impl Script {
    /// A chain with a genesis block of runtime `spec`.
    pub(crate) fn new(spec: u32, metadata: Vec<u8>) -> Self {
        let mut script = Self {
            blocks: Vec::new(),
            spec,
            codec: Arc::new(Codec::new(&metadata)),
            metadata: HashMap::from([(spec, metadata)]),
            storage: BTreeMap::new(),
            apis: HashMap::new(),
            overrides: HashMap::new(),
            silent: Vec::new(),
            submits: VecDeque::new(),
            submitted: Vec::new(),
            events: Vec::new(),
            pool: Vec::new(),
            nonce: 0,
            calls: HashMap::new(),
        };
        script.make_block();
        script
    }

    /// Another runtime from the next block on.
    pub(crate) fn upgrade(&mut self, spec: u32, metadata: Vec<u8>) {
        self.spec = spec;
        self.codec = Arc::new(Codec::new(&metadata));
        self.metadata.insert(spec, metadata);
    }

    /// Sets a storage entry.
    pub(crate) fn set(&mut self, pallet: &str, entry: &str, keys: &[Value], value: &Value) {
        let codec = Arc::clone(&self.codec);
        self.storage
            .insert(codec.key(pallet, entry, keys), codec.value(pallet, entry, value));
    }

    /// Makes a block of what the pool has; returns its number.
    pub(crate) fn make_block(&mut self) -> usize {
        let number = self.blocks.len();
        let codec = Arc::clone(&self.codec);
        let pool = std::mem::take(&mut self.pool);
        let own = std::mem::take(&mut self.events).into_iter();
        let mut events: Vec<_> = own
            .map(|(pallet, name, fields)| (None, pallet, name, fields))
            .collect();
        // Transaction 0 is the inherent that sets the time.
        let mut extrinsics = vec!["0x280403000b".to_owned()];
        for (bytes, submit) in pool {
            let index = u32::try_from(extrinsics.len()).unwrap();
            extrinsics.push(bytes);
            self.nonce += 1;
            events.push(match submit {
                Submit::Fail(pallet, error) => (
                    Some(index),
                    "System",
                    "ExtrinsicFailed",
                    failure(&codec, pallet, error),
                ),
                _ => (
                    Some(index),
                    "System",
                    "ExtrinsicSuccess",
                    Value::unnamed_composite([]),
                ),
            });
        }
        let mut storage = BTreeMap::new();
        storage.insert(codec.key("System", "Events", &[]), codec.events(&events));
        let time = 1_750_000_000_000 + 12_000 * number as u64;
        storage.insert(
            codec.key("Timestamp", "Now", &[]),
            codec.value("Timestamp", "Now", &Value::from(time)),
        );
        let parent = self
            .blocks
            .last()
            .map_or_else(|| hex(&[0; 32]), |block| block.hash.clone());
        let header = json!({
            "parentHash": parent, "number": format!("{number:#x}"), "stateRoot": hex(&[1; 32]),
            "extrinsicsRoot": hex(&[2; 32]), "digest": {"logs": []},
        });
        let hash = header_hash(&header);
        let spec = self.spec;
        self.blocks.push(Block {
            state: self.storage.clone(),
            header,
            hash,
            extrinsics,
            spec,
            storage,
        });
        number
    }

    fn block(&self, hash: &Json) -> Option<&Block> {
        match hash.as_str() {
            Some(hash) => self.blocks.iter().find(|block| block.hash == hash),
            None => self.blocks.last(),
        }
    }

    /// The state of a block.
    fn state<'a>(&'a self, block: &'a Block) -> &'a BTreeMap<String, String> {
        let is_newest = self.blocks.last().is_some_and(|newest| newest.hash == block.hash);
        if is_newest { &self.storage } else { &block.state }
    }

    /// Answers one request.
    pub(crate) fn answer(&mut self, method: &str, params: &[Json]) -> Reply {
        *self.calls.entry(method.to_owned()).or_default() += 1;
        if let Some((code, message)) = self.overrides.get_mut(method).and_then(VecDeque::pop_front) {
            return Reply::Error(code, message.to_owned(), None);
        }
        if self.silent.contains(&method) {
            return Reply::Silence;
        }
        let param = |at: usize| params.get(at).cloned().unwrap_or(Json::Null);
        match method {
            "chain_getBlockHash" => {
                let number = param(0).as_u64().map_or(self.blocks.len() - 1, |number| number as usize);
                Reply::Result(self.blocks.get(number).map_or(Json::Null, |block| json!(block.hash)))
            }
            "chain_getHeader" => {
                Reply::Result(self.block(&param(0)).map_or(Json::Null, |block| block.header.clone()))
            }
            "chain_getFinalizedHead" => {
                let lag = self.blocks.len().saturating_sub(3);
                Reply::Result(json!(self.blocks[lag.min(self.blocks.len() - 1)].hash))
            }
            "chain_getBlock" => Reply::Result(self.block(&param(0)).map_or(Json::Null, |block| {
                json!({"block": {"header": block.header, "extrinsics": block.extrinsics}, "justifications": null})
            })),
            "chain_subscribeNewHeads" => Reply::Heads,
            "state_getRuntimeVersion" => match self.block(&param(0)) {
                Some(block) => Reply::Result(json!({
                    "specName": "node-subtensor", "specVersion": block.spec, "transactionVersion": 1,
                })),
                None => Reply::Error(-32000, "UnknownBlock".to_owned(), None),
            },
            "state_queryStorageAt" => self.query(&param(0), &param(1)),
            "state_getKeysPaged" => self.keys((&param(0), &param(1), &param(2)), &param(3)),
            "state_call" => self.call(&param(0), &param(1), &param(2)),
            "system_accountNextIndex" => Reply::Result(json!(self.nonce + self.pool.len() as u64)),
            "author_submitAndWatchExtrinsic" => self.submit(param(0).as_str().unwrap()),
            other => Reply::Error(-32601, format!("Method not found: {other}"), None),
        }
    }

    fn query(&self, keys: &Json, at: &Json) -> Reply {
        let Some(block) = self.block(at) else {
            return Reply::Error(4003, "Client error: State already discarded".to_owned(), None);
        };
        let changes: Vec<Json> = keys
            .as_array()
            .unwrap()
            .iter()
            .map(|key| {
                let name = key.as_str().unwrap();
                json!([
                    key,
                    block.storage.get(name).or_else(|| self.state(block).get(name))
                ])
            })
            .collect();
        Reply::Result(json!([{"block": block.hash, "changes": changes}]))
    }

    fn keys(&self, (prefix, count, after): (&Json, &Json, &Json), at: &Json) -> Reply {
        let prefix = prefix.as_str().unwrap();
        let keys: Vec<&String> = self
            .state(self.block(at).unwrap())
            .keys()
            .filter(|key| key.starts_with(prefix) && after.as_str().is_none_or(|after| key.as_str() > after))
            .take(count.as_u64().unwrap() as usize)
            .collect();
        Reply::Result(json!(keys))
    }

    fn call(&self, method: &Json, _arguments: &Json, at: &Json) -> Reply {
        let block = self.block(at).unwrap();
        match method.as_str().unwrap() {
            "Metadata_metadata_versions" => {
                Reply::Result(json!(hex(&vec![14_u32, 15, 16, u32::MAX].encode())))
            }
            "Metadata_metadata_at_version" => {
                let metadata = &self.metadata[&block.spec];
                let mut bytes = vec![1];
                Compact(metadata.len() as u32).encode_to(&mut bytes);
                bytes.extend_from_slice(metadata);
                Reply::Result(json!(hex(&bytes)))
            }
            other => match self.apis.get(other) {
                Some(answer) => Reply::Result(json!(answer)),
                None => Reply::Error(-32000, format!("no answer for {other}"), None),
            },
        }
    }

    fn submit(&mut self, bytes: &str) -> Reply {
        self.submitted.push(bytes.to_owned());
        let submit = self.submits.pop_front().unwrap_or(Submit::Include);
        let watch = |statuses| Reply::Watch(bytes.to_owned(), statuses);
        match submit {
            Submit::Refuse(code, message, data) => {
                Reply::Error(code, message.to_owned(), Some(data.to_owned()))
            }
            Submit::Forget => watch(vec![json!("ready")]),
            Submit::Drop => watch(vec![json!("ready"), json!("dropped")]),
            Submit::IncludeUnanswered => {
                self.pool.push((bytes.to_owned(), submit));
                Reply::Close
            }
            Submit::Include | Submit::Fail(..) => {
                self.pool.push((bytes.to_owned(), submit));
                watch(vec![json!("ready"), json!({"broadcast": ["peer"]})])
            }
        }
    }
}

/// `ExtrinsicFailed` with an error of a pallet.
fn failure(codec: &Codec, pallet: &str, error: &str) -> Value {
    let (index, code) = codec.error_index(pallet, error);
    let module = Value::named_composite([
        ("index", Value::from(index)),
        ("error", Value::from_bytes([code, 0, 0, 0])),
    ]);
    Value::named_composite([("dispatch_error", Value::unnamed_variant("Module", [module]))])
}

fn header_hash(header: &Json) -> String {
    let header: SubstrateHeader<H256> = serde_json::from_value(header.clone()).unwrap();
    hex(&BlakeTwo256.hash(&header.encode()).0)
}
