//! A call to the operator's own address when something went wrong: a fault, a missed deadline, weights that were not revealed.

use std::time::Duration;

use assay_agents::miner::Stage;
use assay_hub::{Exchange, ExchangeError, ExchangeRequest};
use assay_mechanism::network::Settled;
use assay_types::{Hotkey, Round, Verdict};
use serde::Serialize;

use crate::exit::UsageError;

/// Longest wait for the operator's server.
const TIME_MAX: Duration = Duration::from_secs(5);

/// Faults that are named; the report has all.
const FAULTS_SHOWN: usize = 5;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Event {
    /// `fault`, `no_show`, `missed_deadline` or `unrevealed_weights`.
    pub(crate) name: &'static str,
    /// The round.
    pub(crate) round: Round,
    /// In a sentence, with the command that shows it again where there is one.
    pub(crate) detail: String,
}

impl Event {
    /// What a settled round says against a miner, if anything.
    pub(super) fn of_result(round: Round, settled: &Settled) -> Option<Self> {
        let name = match settled.verdict {
            Verdict::OneFault | Verdict::Fraud => "fault",
            Verdict::NoShow => "no_show",
            Verdict::Idle | Verdict::Pass | Verdict::Unpaid | Verdict::Skipped => return None,
        };
        let faults: Vec<String> = settled
            .faults
            .iter()
            .take(FAULTS_SHOWN)
            .map(|fault| {
                let row = fault.idx.map_or_else(String::new, |idx| format!(" row {idx}"));
                format!("{} in unit {}{row}", fault.kind.name(), fault.unit)
            })
            .collect();
        let detail = if faults.is_empty() {
            format!("round {round}: {}", settled.verdict.name())
        } else {
            format!(
                "round {round}: {}: {}; recompute with `assay verify FOLDER/rounds/{round}/data --warc ARCHIVES`",
                settled.verdict.name(),
                faults.join(", ")
            )
        };
        Some(Self { name, round, detail })
    }

    /// Weights that the chain did not open.
    pub(crate) fn unrevealed(round: Round) -> Self {
        Self {
            name: "unrevealed_weights",
            round,
            detail: format!(
                "the chain did not open the weights of round {round}; see `assay chain weights --pending`"
            ),
        }
    }

    /// What a miner's step says against itself, if anything.
    pub(crate) fn of_stage(round: Round, stage: Stage) -> Option<Self> {
        (stage == Stage::Missed).then(|| Self {
            name: "missed_deadline",
            round,
            detail: format!("round {round} was not committed before its deadline: nothing of it counts"),
        })
    }
}

/// The operator's address.
#[derive(Debug)]
pub(crate) struct Webhook {
    exchange: Exchange,
    target: String,
}

impl Webhook {
    /// The address of `--webhook`.
    pub(super) fn new(url: &str) -> Result<Self, UsageError> {
        let bad = || UsageError::new("--webhook is no address".to_owned(), "give http:// or https://");
        let (scheme, rest) = url.split_once("://").ok_or_else(bad)?;
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, target) = rest.split_at(at);
        let exchange = Exchange::new(&format!("{scheme}://{host}"), TIME_MAX).map_err(|_| bad())?;
        let target = if target.starts_with('/') {
            target.to_owned()
        } else {
            format!("/{target}")
        };
        Ok(Self { exchange, target })
    }

    /// Posts an event as JSON.
    pub(super) async fn post(
        &self,
        agent: &str,
        hotkey: &Hotkey,
        event: &Event,
    ) -> Result<(), ExchangeError> {
        let body = serde_json::json!({
            "schema": "assay.event/1", "agent": agent, "hotkey": hotkey.to_ss58(), "event": event.name,
            "round": event.round, "detail": event.detail,
        });
        let request = ExchangeRequest {
            method: "POST",
            target: &self.target,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string().into_bytes(),
            bytes_max: 1 << 16,
        };
        self.exchange.send(request).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn an_event_arrives_at_the_address_given() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks/a?key=b", listener.local_addr().unwrap());
        let heard = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = vec![0; 8_192];
            let mut filled = 0;
            while !String::from_utf8_lossy(&text[..filled]).contains("deadline: nothing") {
                filled += stream.read(&mut text[filled..]).await.unwrap();
            }
            stream
                .write_all(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n")
                .await
                .unwrap();
            String::from_utf8_lossy(&text[..filled]).into_owned()
        });
        let event = Event::of_stage(Round(4), Stage::Missed).unwrap();
        let webhook = Webhook::new(&url).unwrap();
        webhook.post("miner", &Hotkey([1; 32]), &event).await.unwrap();
        let heard = heard.await.unwrap();
        assert!(heard.starts_with("POST /hooks/a?key=b "), "{heard}");
        assert!(heard.contains("\"event\":\"missed_deadline\""), "{heard}");
        assert!(Event::of_stage(Round(4), Stage::Open).is_none());
        for wrong in ["", "ftp://h/x", "hooks.example.org"] {
            assert!(Webhook::new(wrong).is_err(), "{wrong}");
        }
    }
}
