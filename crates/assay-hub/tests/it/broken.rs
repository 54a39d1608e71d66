//! Property: whatever breaks where, the bytes read are the bytes served.

use std::sync::Mutex;

use proptest::prelude::*;

use crate::http::read_all;
use crate::server::{Reply, Server, object, quick};

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// `breaks` are answers of the server in turn: cut after so many bytes, or a status that passes.
    #[test]
    fn bytes_read_are_bytes_served(
        len in 0_usize..40_000,
        range in 1_000_u64..20_000,
        breaks in prop::collection::vec(prop_oneof![(0_usize..20_000).prop_map(Some), Just(None)], 0..10),
        ranges_known in any::<bool>(),
    ) {
        let body = object(len);
        let served = body.clone();
        let left = Mutex::new(breaks);
        let server = Server::start(move |request| {
            let reply = if ranges_known {
                Reply::part(request, &served, "v1")
            } else {
                Reply::whole(&served).field("ETag", "\"v1\"")
            };
            match left.lock().unwrap().pop() {
                Some(Some(after)) => reply.cut(after),
                Some(None) => Reply::status(503),
                None => reply,
            }
        });
        let mut options = quick(range);
        options.attempts_max = 12;
        prop_assert!(read_all(&server.source(), &options).unwrap() == body);
    }
}
