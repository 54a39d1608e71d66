//! Requests as a hotkey signs them, answers as the server signs them.

use super::{ApiError, ServerStatement};
use assay_chain::wallet::{KeyPair, Scheme};
use assay_hub::{Exchange, ExchangeAnswer, ExchangeRequest};
use assay_types::api::{
    Answer, Assignment, AuditEntry, AuthScheme, CompleteLease, FailLease, HEADER_CRYPTO, HEADER_HOTKEY,
    HEADER_NONCE, HEADER_RECEIVER, HEADER_SERVER, HEADER_SERVER_SIGNATURE, HEADER_SIGNATURE, HEADER_VERSION,
    Health, Heartbeat, LeaseView, Problem, ProofView, Receipt, RecipeView, ReportView, RequestToSign,
    RoundResult, RoundView, SubmissionView, UnitView,
};
use assay_types::{
    AuditReport, AuditSample, Digest, EvaluationReport, FraudProof, Hotkey, Manifest, Recipe, RecipeId,
    Round, Sha256Digest, UnitId, hex,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longest answer: an assignment document.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Pages read of one list.
const PAGES_MAX: usize = 10_000;
/// Rows asked for in a page.
const PAGE_ROWS: u32 = 500;

/// How to reach a server.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Its address, `http://` or `https://`.
    pub url: String,
    /// Its hotkey.
    pub server: Hotkey,
    /// Longest time of one exchange.
    pub time_max: Duration,
}

/// An assignment document as a server has signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedAssignment {
    /// The document.
    pub document: Assignment,
    /// Its bytes as served.
    pub bytes: Vec<u8>,
    /// The server's word for them.
    pub statement: ServerStatement,
}

/// A client of one server, signing with one hotkey.
#[derive(Debug)]
pub struct TaskApi {
    exchange: Exchange,
    server_address: String,
    key: KeyPair,
    nonce: AtomicU64,
}

impl TaskApi {
    /// A client; nothing is asked yet.
    ///
    /// # Errors
    /// [`ApiError::Exchange`] for an address that is none.
    pub fn new(options: &ClientOptions, key: KeyPair) -> Result<Self, ApiError> {
        Ok(Self {
            exchange: Exchange::new(&options.url, options.time_max)?,
            server_address: options.server.to_ss58(),
            key,
            nonce: AtomicU64::new(0),
        })
    }

    /// The hotkey that signs.
    pub fn hotkey(&self) -> Hotkey {
        Hotkey(*self.key.public())
    }

    /// How the server is.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn health(&self) -> Result<Health, ApiError> {
        Ok(self.get::<Health>("/v1/health").await?.data)
    }

    /// The newest assigned round.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::kind`] is `UnknownRound` before the first.
    pub async fn current_round(&self) -> Result<RoundView, ApiError> {
        Ok(self.get::<RoundView>("/v1/rounds/current").await?.data)
    }

    /// A round.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn round(&self, round: Round) -> Result<RoundView, ApiError> {
        Ok(self.get::<RoundView>(&format!("/v1/rounds/{round}")).await?.data)
    }

    /// The assignment document of a round with its bytes, signed by the server. Check it with
    /// [`check_assignment`](super::check_assignment) before work is done on it.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn assignment(&self, round: Round) -> Result<(Assignment, Vec<u8>), ApiError> {
        let served = self.served_assignment(round).await?;
        Ok((served.document, served.bytes))
    }

    /// The same with the server's signature, which together with the bytes proves to anybody what it said.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn served_assignment(&self, round: Round) -> Result<ServedAssignment, ApiError> {
        let target = format!("/v1/rounds/{round}/assignment");
        let answer = self
            .exchange
            .send(request("GET", &target, Vec::new(), Vec::new()))
            .await?;
        let answer = refuse_problem(&target, answer)?;
        let statement = self.check_signature(("GET", &target, "-"), &answer)?;
        Ok(ServedAssignment {
            document: Assignment::parse(&answer.body)?,
            bytes: answer.body,
            statement,
        })
    }

    /// Units from a place of the corpus index on, all that one page holds.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn units(&self, position: u64, limit: u32) -> Result<Vec<UnitView>, ApiError> {
        let limit = limit.clamp(1, PAGE_ROWS);
        Ok(self
            .get::<Vec<UnitView>>(&format!("/v1/units?cursor={position}&limit={limit}"))
            .await?
            .data)
    }

    /// Takes a lease.
    ///
    /// # Errors
    /// [`ApiError`]; after a lost answer, [`Self::leases`] tells whether it was taken.
    pub async fn take(&self, round: Round, unit: &UnitId) -> Result<LeaseView, ApiError> {
        self.post(&lease(round, unit, ""), Vec::new()).await
    }

    /// Says that work goes on; `progress` of 10,000.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn heartbeat(&self, round: Round, unit: &UnitId, progress: u16) -> Result<LeaseView, ApiError> {
        self.post_json(&lease(round, unit, "/heartbeat"), &Heartbeat { progress })
            .await
    }

    /// Finishes a unit. The same completion twice is answered alike.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn complete(
        &self,
        round: Round,
        unit: &UnitId,
        unit_root: Digest,
    ) -> Result<LeaseView, ApiError> {
        self.post_json(&lease(round, unit, "/complete"), &CompleteLease { unit_root })
            .await
    }

    /// Gives a lease back; it can be taken again.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn release(&self, round: Round, unit: &UnitId) -> Result<LeaseView, ApiError> {
        self.post(&lease(round, unit, "/release"), Vec::new()).await
    }

    /// Gives a unit up.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn fail(&self, round: Round, unit: &UnitId, reason: &str) -> Result<LeaseView, ApiError> {
        let reason = reason.to_owned();
        self.post_json(&lease(round, unit, "/fail"), &FailLease { reason })
            .await
    }

    /// The leases of a hotkey in a round.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn leases(&self, round: Round, holder: &Hotkey) -> Result<Vec<LeaseView>, ApiError> {
        Ok(self
            .get::<Vec<LeaseView>>(&format!("/v1/rounds/{round}/leases/{holder}"))
            .await?
            .data)
    }

    /// Posts a document in its canonical form, if it has one.
    async fn hand_in<E: std::error::Error>(
        &self,
        path: &str,
        document: Result<Vec<u8>, E>,
    ) -> Result<Receipt, ApiError> {
        let body = document.map_err(|error| unusable(path, &error))?;
        self.post(path, body).await
    }

    /// Hands in the manifest of a revealed submission, one's own or another's.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::Answer`] for a manifest that has no canonical form.
    pub async fn submit(&self, manifest: &Manifest) -> Result<Receipt, ApiError> {
        self.hand_in("/v1/submissions", manifest.to_canonical_bytes())
            .await
    }

    /// Hands in an audit report that its validator has signed.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn report(&self, report: &AuditReport) -> Result<Receipt, ApiError> {
        self.hand_in("/v1/reports", report.to_canonical_bytes()).await
    }

    /// Hands in rows of an audit to look at.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn sample(&self, sample: &AuditSample) -> Result<Receipt, ApiError> {
        self.hand_in("/v1/samples", sample.to_canonical_bytes()).await
    }

    /// What validators show of a submission; nothing before its round's report cutoff.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn samples(&self, root: &Digest) -> Result<Vec<AuditSample>, ApiError> {
        let path = format!("/v1/samples/{root}");
        Ok(self.get::<Vec<AuditSample>>(&path).await?.data)
    }

    /// Hands in a report on a cell of a duel.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn report_cell(&self, report: &EvaluationReport) -> Result<Receipt, ApiError> {
        self.hand_in("/v1/reports", report.to_canonical_bytes()).await
    }

    /// Hands in the text of a recipe that the chain has announced.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn recipe_text(&self, recipe: &Recipe) -> Result<Receipt, ApiError> {
        let body = BTreeMap::from([("toml", recipe.to_canonical())]);
        self.post_json(&format!("/v1/recipes/{}", recipe.id()), &body)
            .await
    }

    /// A recipe whose text somebody handed in; none if what the server has is not of this id.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn recipe(&self, id: &RecipeId) -> Result<Option<Recipe>, ApiError> {
        let view = self.get::<RecipeView>(&format!("/v1/recipes/{id}")).await?.data;
        Ok(Recipe::parse(&view.toml).ok().filter(|recipe| recipe.id() == *id))
    }

    /// Hands in a signed fraud proof.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn fraud_proof(&self, proof: &FraudProof) -> Result<Receipt, ApiError> {
        self.hand_in("/v1/fraud-proofs", proof.to_canonical_bytes()).await
    }

    /// All submissions of a round.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn submissions(&self, round: Round) -> Result<Vec<SubmissionView>, ApiError> {
        self.pages(&format!("/v1/submissions?round={round}&limit={PAGE_ROWS}"))
            .await
    }

    /// All reports on a round; none before its report cutoff.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn reports(&self, round: Round) -> Result<Vec<ReportView>, ApiError> {
        self.pages(&format!("/v1/reports?round={round}&limit={PAGE_ROWS}"))
            .await
    }

    /// The rounds of a miner, newest first.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn miner_rounds(&self, hotkey: &Hotkey) -> Result<Vec<RoundResult>, ApiError> {
        let path = format!("/v1/miners/{hotkey}/rounds");
        Ok(self.get::<Vec<RoundResult>>(&path).await?.data)
    }

    /// All listed fraud proofs.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn fraud_proofs(&self) -> Result<Vec<ProofView>, ApiError> {
        self.pages(&format!("/v1/fraud-proofs?limit={PAGE_ROWS}")).await
    }

    /// The audit log.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn audit_log(&self) -> Result<Vec<AuditEntry>, ApiError> {
        self.pages(&format!("/v1/audit?limit={PAGE_ROWS}")).await
    }

    /// A signed request that changes nothing.
    ///
    /// # Errors
    /// [`ApiError`] if the server does not know or accept the hotkey.
    pub async fn whoami(&self) -> Result<(), ApiError> {
        self.post::<serde_json::Value>("/v1/whoami", Vec::new())
            .await
            .map(|_| ())
    }

    async fn pages<T: DeserializeOwned>(&self, first: &str) -> Result<Vec<T>, ApiError> {
        let (mut all, mut target) = (Vec::new(), first.to_owned());
        for _ in 0..PAGES_MAX {
            let page = self.get::<Vec<T>>(&target).await?;
            all.extend(page.data);
            let Some(next) = page.next else { return Ok(all) };
            target = format!("{first}&cursor={next}");
        }
        Err(unusable(first, &"it has too many pages"))
    }

    async fn get<T: DeserializeOwned>(&self, target: &str) -> Result<Answer<T>, ApiError> {
        let answer = read(&self.exchange, target).await?;
        serde_json::from_slice(&answer.body).map_err(|error| unusable(target, &error))
    }

    async fn post_json<T: DeserializeOwned>(
        &self,
        target: &str,
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        self.post(
            target,
            serde_json::to_vec(body).map_err(|error| unusable(target, &error))?,
        )
        .await
    }

    /// A signed request with its signed answer.
    async fn post<T: DeserializeOwned>(&self, target: &str, body: Vec<u8>) -> Result<T, ApiError> {
        let nonce = self.next_nonce().to_string();
        let headers = self.headers("POST", target, &body, &nonce)?;
        let answer = self.exchange.send(request("POST", target, headers, body)).await?;
        let answer = refuse_problem(target, answer)?;
        self.check_signature(("POST", target, &nonce), &answer)?;
        let answer: Answer<T> =
            serde_json::from_slice(&answer.body).map_err(|error| unusable(target, &error))?;
        Ok(answer.data)
    }

    /// Headers of a signed request.
    fn headers(
        &self,
        method: &str,
        target: &str,
        body: &[u8],
        nonce: &str,
    ) -> Result<Vec<(&'static str, String)>, ApiError> {
        let scheme = match self.key.scheme() {
            Scheme::Sr25519 => AuthScheme::Sr25519,
            Scheme::Ed25519 => AuthScheme::Ed25519,
        };
        let sender = self.key.address();
        let text = RequestToSign {
            scheme,
            method,
            target,
            body: Sha256Digest(Sha256::digest(body).into()),
            nonce,
            sender: &sender,
            receiver: &self.server_address,
        }
        .text();
        let signature = self.key.sign(text.as_bytes())?;
        let mut headers = vec![
            (HEADER_VERSION, "1".to_owned()),
            (HEADER_HOTKEY, sender),
            (HEADER_RECEIVER, self.server_address.clone()),
            (HEADER_NONCE, nonce.to_owned()),
            (HEADER_SIGNATURE, format!("0x{}", hex::encode(&signature))),
            ("content-type", "application/json".to_owned()),
        ];
        if scheme == AuthScheme::Ed25519 {
            headers.push((HEADER_CRYPTO, scheme.name().to_owned()));
        }
        Ok(headers)
    }

    /// Unix nanoseconds, later than every one before.
    fn next_nonce(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        let later = |last: u64| Some(now.max(last.saturating_add(1)));
        // The closure always gives a value, so the update cannot fail.
        let last = self
            .nonce
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, later)
            .unwrap_or(now);
        now.max(last.saturating_add(1))
    }

    /// The server's signature over an answer; an answer of nobody or of another server is refused.
    fn check_signature(
        &self,
        (method, target, nonce): (&str, &str, &str),
        answer: &ExchangeAnswer,
    ) -> Result<ServerStatement, ApiError> {
        let header = |name| answer.header(name).unwrap_or_default().to_owned();
        let statement = ServerStatement {
            method: method.to_owned(),
            target: target.to_owned(),
            status: answer.status,
            nonce: nonce.to_owned(),
            server: header(HEADER_SERVER),
            signature: header(HEADER_SERVER_SIGNATURE),
        };
        if statement.server == self.server_address && statement.is_over(&answer.body) {
            Ok(statement)
        } else {
            Err(ApiError::Unsigned(target.to_owned()))
        }
    }
}

fn lease(round: Round, unit: &UnitId, end: &str) -> String {
    format!("/v1/rounds/{round}/units/{unit}/lease{end}")
}

fn request<'a>(
    method: &'a str,
    target: &'a str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
) -> ExchangeRequest<'a> {
    ExchangeRequest {
        method,
        target,
        headers,
        body,
        bytes_max: ANSWER_BYTES_MAX,
    }
}

/// An answer that needs no key.
pub(super) async fn read(exchange: &Exchange, target: &str) -> Result<ExchangeAnswer, ApiError> {
    let answer = exchange
        .send(request("GET", target, Vec::new(), Vec::new()))
        .await?;
    refuse_problem(target, answer)
}

/// The answer, unless it is a problem.
fn refuse_problem(target: &str, answer: ExchangeAnswer) -> Result<ExchangeAnswer, ApiError> {
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    match serde_json::from_slice::<Problem>(&answer.body) {
        Ok(problem) => Err(ApiError::Problem(Box::new(problem))),
        Err(_) => Err(unusable(
            target,
            &format!("status {} without a problem document", answer.status),
        )),
    }
}

pub(super) fn unusable(target: &str, reason: &impl std::fmt::Display) -> ApiError {
    ApiError::Answer {
        target: target.to_owned(),
        reason: reason.to_string(),
    }
}
