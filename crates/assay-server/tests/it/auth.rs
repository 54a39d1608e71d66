//! Every way in which a signed request can be wrong: its own problem type, and nothing changes.

use crate::database::dump;
use crate::postgres;
use crate::rounds::report;
use crate::world::{Place, SERVER, World, hotkey, key};
use assay_agents::api::TaskApi;
use assay_chain::wallet::{KeyPair, Scheme};
use assay_hub::{Exchange, ExchangeAnswer, ExchangeRequest};
use assay_server::store::{self, DumpLine};
use assay_types::api::{AuthScheme, LeaseState, Problem, ProblemKind, RequestToSign};
use assay_types::{Digest, Hotkey, Round, Sha256Digest, UnitId, Verdict, hex};
use sha2::{Digest as _, Sha256};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A request with everything that can be wrong about it.
#[derive(Clone)]
pub(crate) struct Forged<'a> {
    key: KeyPair,
    signed_target: &'a str,
    sent_target: &'a str,
    signed_body: &'a [u8],
    sent_body: &'a [u8],
    receiver: String,
    nonce: String,
}

fn now_ns() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()
}

pub(crate) fn honest(target: &str) -> Forged<'_> {
    Forged {
        key: key("miner-a"),
        signed_target: target,
        sent_target: target,
        signed_body: b"",
        sent_body: b"",
        receiver: hotkey(SERVER).to_ss58(),
        nonce: now_ns().to_string(),
    }
}

impl Forged<'_> {
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        let sender = self.key.address();
        let text = RequestToSign {
            scheme: AuthScheme::Sr25519,
            method: "POST",
            target: self.signed_target,
            body: Sha256Digest(Sha256::digest(self.signed_body).into()),
            nonce: &self.nonce,
            sender: &sender,
            receiver: &self.receiver,
        }
        .text();
        let signature = self.key.sign(text.as_bytes()).unwrap();
        vec![
            ("x-bittensor-version", "1".to_owned()),
            ("x-bittensor-hotkey", sender),
            ("x-bittensor-receiver", self.receiver.clone()),
            ("x-bittensor-nonce", self.nonce.clone()),
            ("x-bittensor-signature", format!("0x{}", hex::encode(&signature))),
            ("content-type", "application/json".to_owned()),
        ]
    }
}

pub(crate) async fn send(
    url: &str,
    target: &str,
    headers: Vec<(&'static str, String)>,
    body: &[u8],
) -> ExchangeAnswer {
    let exchange = Exchange::new(url, Duration::from_secs(20)).unwrap();
    let request = ExchangeRequest {
        method: "POST",
        target,
        headers,
        body: body.to_vec(),
        bytes_max: 1 << 20,
    };
    exchange.send(request).await.unwrap()
}

#[track_caller]
pub(crate) fn code(answer: &ExchangeAnswer) -> String {
    if answer.status == 200 {
        return "ok".to_owned();
    }
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(problem.status, answer.status);
    assert_eq!(problem.kind, format!("urn:assay:problem:{}", problem.code));
    assert_eq!(Some(problem.trace_id.as_str()), answer.header("x-request-id"));
    assert!(!problem.detail.is_empty());
    problem.code
}

/// Every row but the nonces, which are no state.
async fn state(world: &World) -> Vec<DumpLine> {
    let mut rows = dump(world.app.database()).await;
    rows.retain(|row| row.table != "nonces");
    rows
}

/// The answer's code; a refusal changes nothing in the database.
async fn check(world: &World, forged: &Forged<'_>, expected: &str) {
    let before = state(world).await;
    let answer = send(&world.url, forged.sent_target, forged.headers(), forged.sent_body).await;
    assert_eq!(code(&answer), expected);
    if expected != "ok" {
        let after = state(world).await;
        assert!(before == after, "`{expected}` has changed something");
    }
}

async fn suite(place: &Place) {
    let world = World::new(place, &["miner-a"]).await;
    world.begin(0).await;
    let unit: UnitId = world
        .client("miner-a")
        .assignment(Round(0))
        .await
        .unwrap()
        .0
        .entries[0]
        .unit;
    let take = format!("/v1/rounds/0/units/{unit}/lease");
    let before = state(&world).await;
    wrong_headers(&world, &take).await;
    assert!(
        before == state(&world).await,
        "a wrong header has changed something"
    );
    wrong_signatures(&world, &take, &unit).await;
    let leases = world
        .client("miner-a")
        .leases(Round(0), &hotkey("miner-a"))
        .await
        .unwrap();
    assert!(leases.iter().all(|lease| lease.state == LeaseState::Pending));
    // A request counts once, also when its answer was a refusal.
    let once = honest(&take);
    check(&world, &once, "ok").await;
    check(&world, &once, "auth/replayed").await;
    let refused = honest(&take);
    check(&world, &refused, "lease/wrong-state").await;
    check(&world, &refused, "auth/replayed").await;
    bodies(&world, &unit).await;
    world.stop().await;
}

/// Headers that are missing, twice there, or nonsense.
async fn wrong_headers(world: &World, take: &str) {
    assert_eq!(
        code(&send(&world.url, take, Vec::new(), b"").await),
        "auth/unsigned"
    );
    for at in 0..5 {
        let mut headers = honest(take).headers();
        "nonsense".clone_into(&mut headers[at].1);
        let expected = if at == 2 {
            "auth/wrong-receiver"
        } else {
            "auth/malformed"
        };
        assert_eq!(
            code(&send(&world.url, take, headers, b"").await),
            expected,
            "header {at}"
        );
        let mut headers = honest(take).headers();
        let twice = headers[at].clone();
        headers.push(twice);
        assert_eq!(
            code(&send(&world.url, take, headers, b"").await),
            "auth/malformed",
            "header {at} twice"
        );
        let mut headers = honest(take).headers();
        headers.remove(at);
        let expected = if at == 2 {
            "auth/wrong-receiver"
        } else {
            "auth/malformed"
        };
        assert_eq!(
            code(&send(&world.url, take, headers, b"").await),
            expected,
            "header {at} missing"
        );
    }
}

/// Signatures over something else, at another time, for another server, by a stranger.
async fn wrong_signatures(world: &World, take: &str, unit: &UnitId) {
    let other = format!("/v1/rounds/0/units/{unit}/lease/release");
    let wrong = |change: &dyn Fn(&mut Forged<'_>)| {
        let mut forged = honest(take);
        change(&mut forged);
        forged
    };
    let receiver = hotkey("somebody").to_ss58();
    check(
        world,
        &wrong(&|forged| forged.receiver.clone_from(&receiver)),
        "auth/wrong-receiver",
    )
    .await;
    check(
        world,
        &wrong(&|forged| forged.signed_target = "/v1/whoami"),
        "auth/bad-signature",
    )
    .await;
    check(
        world,
        &wrong(&|forged| forged.sent_body = b"{}"),
        "auth/bad-signature",
    )
    .await;
    for seconds in [-11_i128, 3] {
        let nonce = (now_ns() as i128 + seconds * 1_000_000_000).to_string();
        check(
            world,
            &wrong(&|forged| forged.nonce.clone_from(&nonce)),
            "auth/stale",
        )
        .await;
    }
    check(
        world,
        &wrong(&|forged| forged.key = key("stranger")),
        "auth/not-registered",
    )
    .await;
    let cross = Forged {
        sent_target: &other,
        ..honest(take)
    };
    check(world, &cross, "auth/bad-signature").await;
}

/// Bodies that are none.
async fn bodies(world: &World, unit: &UnitId) {
    let beat = format!("/v1/rounds/0/units/{unit}/lease/heartbeat");
    let large = vec![b'x'; (1 << 20) + 1];
    for (body, expected) in [
        (&b"{"[..], "request/malformed"),
        (b"", "request/malformed"),
        (b"[]", "request/invalid"),
        (br#"{"progress":-1}"#, "request/invalid"),
        (br#"{"progress":10001}"#, "request/invalid"),
        (br#"{"progress":1,"more":1}"#, "request/unknown-field"),
        (&large, "request/too-large"),
        (br#"{"progress":100}"#, "ok"),
    ] {
        let forged = Forged {
            signed_body: body,
            sent_body: body,
            ..honest(&beat)
        };
        check(world, &forged, expected).await;
    }
    let mut headers = Forged {
        signed_body: b"{}",
        ..honest(&beat)
    }
    .headers();
    "text/plain".clone_into(&mut headers[5].1);
    assert_eq!(
        code(&send(&world.url, &beat, headers, b"{}").await),
        "request/media-type"
    );
    let mut headers = Forged {
        signed_body: b"{}",
        ..honest(&beat)
    }
    .headers();
    headers.push(("content-encoding", "gzip".to_owned()));
    assert_eq!(
        code(&send(&world.url, &beat, headers, b"{}").await),
        "request/media-type"
    );
    assert_eq!(
        code(&send(&world.url, "/v1/nothing", Vec::new(), b"").await),
        "request/not-found"
    );
    assert_eq!(
        code(&send(&world.url, "/v1/health", Vec::new(), b"").await),
        "request/method"
    );
    let forged = honest("/v1/rounds/x/units/y/lease");
    check(world, &forged, "request/invalid").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_on_sqlite() {
    suite(&Place::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_on_postgres() {
    if let Some(url) = postgres::database("auth").await {
        suite(&Place::Postgres(url)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotkey_is_limited_and_told_so() {
    let limits = assay_server::Limits {
        hotkey_requests_a_minute: 2,
        snapshot_ms_min: 1,
        ..assay_server::Limits::default()
    };
    let world = World::with_limits(&Place::Sqlite, &["miner-a"], limits).await;
    world.begin(0).await;
    let mut codes = Vec::new();
    // A minute may end in between: of five requests at least one is refused.
    for _ in 0..5 {
        let forged = honest("/v1/whoami");
        let answer = send(&world.url, "/v1/whoami", forged.headers(), b"").await;
        if code(&answer) == "limit/rate" {
            assert!(answer.header("retry-after").is_some());
        }
        assert!(answer.header("ratelimit-remaining").is_some());
        codes.push(code(&answer));
    }
    assert_eq!(codes[0], "ok");
    assert!(codes.contains(&"limit/rate".to_owned()), "{codes:?}");
    let nonces = store::last_sequence(world.app.database().readers())
        .await
        .unwrap();
    assert!(nonces > 0);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_reports_and_only_in_time() {
    let world = World::new(&Place::Sqlite, &["miner-a", "miner-b"]).await;
    world.begin(0).await;
    assert!(world.chain_permit("miner-a") && !world.chain_permit("miner-b"));
    let passed = report(&world, "miner-a", (Digest([9; 32]), &[]), Verdict::Pass);
    let before = state(&world).await;
    for (who, expected) in [
        ("miner-a", ProblemKind::WrongPhase),
        ("miner-b", ProblemKind::NotPermitted),
    ] {
        let refused = world.client(who).report(&passed).await.unwrap_err();
        assert_eq!(refused.kind(), Some(expected), "{refused}");
    }
    assert!(
        before == state(&world).await,
        "a refused report has changed something"
    );
    // Behind the end of work it is taken.
    world.until(world.rounds().start(Round(0)).0 + 15).await;
    assert!(!world.client("miner-a").report(&passed).await.unwrap().known);
    assert!(before != state(&world).await);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotkey_of_the_other_scheme_signs_as_well() {
    let world = World::new(&Place::Sqlite, &["miner-a"]).await;
    let other = KeyPair::from_uri("//miner-e", Scheme::Ed25519).unwrap();
    world.register(Hotkey(*other.public())).await;
    world.begin(0).await;
    let client = TaskApi::new(&world.client_options(), other.clone()).unwrap();
    client.whoami().await.unwrap();
    // The same key under the other scheme's name is no signature of it.
    let forged = Forged {
        key: other,
        ..honest("/v1/whoami")
    };
    check(&world, &forged, "auth/bad-signature").await;
    let mut headers = forged.headers();
    headers.push(("x-bittensor-crypto", "ecdsa".to_owned()));
    assert_eq!(
        code(&send(&world.url, "/v1/whoami", headers, b"").await),
        "auth/malformed"
    );
    world.stop().await;
}
