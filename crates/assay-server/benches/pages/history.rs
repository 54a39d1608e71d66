//! The history that the pages are measured on: full places of a subnet, rounds of 720 blocks of 12 seconds, for as many days
//! as wanted, written through the store's own functions.
//!
//! Every block is there, a metagraph an epoch and a round, weights an epoch; each round every miner is assigned units, reveals
//! a submission, declares its counts, is judged by three validators and settled. `duels` adds duels; there are no proofs and samples in it.

use crate::chain::{metagraph, weights};
use assay_chain::Head;
use assay_mechanism::clock::Clock;
use assay_mechanism::network::NetworkState;
use assay_mechanism::plan::{fresh_window, plan};
use assay_server::store::{
    AddCorpora, AddDataset, AddRecipeText, AddReport, AddRound, CompleteSubmission, HeadRow, MinerRecord,
    RevealedRow, Settle, TakeBlock, VerdictRow, Write, cursor as cursor_of, units_from,
};
use assay_server::{App, ChainView};
use assay_types::api::{
    ASSIGNMENT_VERSION, Assignment, AssignmentCandidate, AssignmentHeader, DatasetView, DeclaredWork,
    ReportKind, ReportView,
};
use assay_types::{
    AUDIT_REPORT_VERSION, AuditReport, BlockNumber, Bytes, Coldkey, Digest, Digest16, Hotkey, MechId, NetUid,
    ParamSet, Pointer, Probe, Q32, RecipeId, RepoName, Revision, Round, UnitId, Verdict, WorkUnit, recipe,
};
use futures_util::StreamExt as _;
use std::sync::Arc;

/// Subnet of the history.
pub(crate) const NETUID: NetUid = NetUid(1);
/// Miners and validators: every place of a subnet.
pub(crate) const MINERS: u16 = 248;
pub(crate) const VALIDATORS: u16 = 8;
/// Validators that judge each miner.
pub(crate) const JUDGES: u16 = 3;
/// Units of a miner and round.
const UNITS: u32 = 4;
/// Blocks of an epoch, and of a day.
pub(crate) const TEMPO: u32 = 360;
pub(crate) const BLOCKS_A_DAY: u32 = 7_200;
/// Time of a block, milliseconds.
pub(crate) const BLOCK_MS: u64 = 12_000;
/// The first block that the server took in.
const FIRST: u32 = 900;
/// Writes that wait for the database at once.
const WRITES: usize = 512;

/// The keys: validators behind miners, by uid.
pub(crate) fn hotkey(uid: u16) -> Hotkey {
    Hotkey(Digest::of(format!("hotkey {uid}").as_bytes()).0)
}

/// The parameter set, whose round 0 starts early in the history.
pub(crate) fn params() -> ParamSet {
    let mut params = ParamSet::default();
    for (name, value) in [
        ("genesis_block", 1_000),
        ("replica_rate", 0),
        ("cap_first", 4),
        ("cap_max", 4),
    ] {
        params.values.set(name, value).unwrap();
    }
    params
}

/// A history that ends now.
#[derive(Debug, Clone)]
pub(crate) struct History {
    clock: Clock,
    /// Its last block.
    pub(crate) last: u32,
    /// Time of the last block, milliseconds since 1970.
    pub(crate) now_ms: u64,
}

impl History {
    pub(crate) fn new(days: u32, now_ms: u64) -> Self {
        Self {
            clock: Clock::new(&params().values),
            last: FIRST + days * BLOCKS_A_DAY,
            now_ms,
        }
    }

    /// Block `number`; those behind the last one too.
    pub(crate) fn head(&self, number: u32) -> Head {
        Head {
            number: BlockNumber(number),
            hash: Digest::of(&number.to_le_bytes()),
            parent: Digest::of(&(number - 1).to_le_bytes()),
            time_ms: (self.now_ms + u64::from(number) * BLOCK_MS) - u64::from(self.last) * BLOCK_MS,
        }
    }

    /// An empty block.
    pub(crate) fn block(&self, number: u32) -> TakeBlock {
        TakeBlock::empty(self.head(number), self.head(number).time_ms + 1_500)
    }

    /// What the server knows of the chain at a block.
    pub(crate) fn view(&self, number: u32) -> ChainView {
        let head = HeadRow {
            head: self.head(number),
            taken_ms: self.head(number).time_ms + 1_500,
        };
        ChainView {
            head: Some(head),
            metagraph: Some(Arc::new(metagraph(number))),
            trouble: String::new(),
        }
    }

    /// Rounds that have been assigned.
    pub(crate) fn rounds(&self) -> u32 {
        (0..self.last)
            .find(|round| self.clock.start(Round(*round)).0 > self.last)
            .unwrap()
    }

    /// Writes all of it.
    pub(crate) async fn fill(&self, app: &App) {
        let rounds = self.rounds();
        let units = (0..u64::from(rounds + 1) * u64::from(MINERS) * u64::from(UNITS) * 2)
            .map(|at| {
                WorkUnit::new(
                    "commoncrawl",
                    &format!("crawl/part-{at:07}.warc.gz"),
                    Bytes(900_000_000 + at),
                )
                .unwrap()
            })
            .collect();
        let corpus = AddCorpora::one("CC-MAIN-2026-40", units, 1);
        app.writer().write(corpus).await.unwrap().unwrap();
        recipes_and_datasets(app).await;
        let mut next = FIRST;
        let mut cursor = 0;
        for round in 0..rounds {
            let start = self.clock.assignment_block(Round(round)).0;
            self.quiet(app, next, start).await;
            let assignment = self.assign(app, round, cursor).await;
            cursor = assignment.header.next_cursor;
            next = self.clock.assignment_block(Round(round + 1)).0.min(self.last + 1);
            self.quiet_from(app, start + 1, next, Some((&assignment, round)))
                .await;
            self.handed_in(app, &assignment, round).await;
            if round + 2 <= rounds {
                self.settle(app, &assignment, round).await;
            }
        }
        self.quiet(app, next, self.last + 1).await;
    }

    /// Blocks in which nothing but epochs happens.
    async fn quiet(&self, app: &App, from: u32, to: u32) {
        self.quiet_from(app, from, to, None).await;
    }

    /// Blocks up to `to`, with the submissions of a round where they are opened.
    async fn quiet_from(&self, app: &App, from: u32, to: u32, of: Option<(&Assignment, u32)>) {
        let reveal = of.map(|(_, round)| self.clock.publish_end(Round(round)).0);
        let blocks = (from..to).map(|number| {
            let mut take = self.block(number);
            if number % TEMPO == 0 {
                take.metagraph = Some(("epoch", metagraph(number)));
                take.weights = vec![(MechId(0), weights(number))];
            }
            if let Some((assignment, round)) = of
                && reveal == Some(number)
            {
                take.revealed = self.revealed(assignment, round, number);
            }
            take
        });
        write_all(app, blocks, |is_new| assert!(is_new)).await;
    }

    async fn assign(&self, app: &App, round: u32, cursor: u64) -> Assignment {
        let added = self.planned(app, round, cursor).await;
        let assignment = added.assignment.clone();
        let block = added.assignment.header.block.0;
        let mut take = self.block(block);
        take.metagraph = Some(("assignment", metagraph(block)));
        take.round = Some(added);
        assert!(app.writer().write(take).await.unwrap(), "round {round}");
        assignment
    }

    /// A round from a place of the corpus on.
    async fn planned(&self, app: &App, round: u32, cursor: u64) -> AddRound {
        let candidates: Vec<AssignmentCandidate> = {
            let mut all: Vec<_> = (0..MINERS)
                .map(|uid| AssignmentCandidate {
                    hotkey: hotkey(uid),
                    coldkey: Coldkey([uid as u8; 32]),
                    registered: BlockNumber(10 + u32::from(uid)),
                    want: 4,
                    cap: UNITS,
                })
                .collect();
            all.sort_by_key(|candidate| candidate.hotkey);
            all
        };
        let block = self.clock.assignment_block(Round(round));
        let fresh = units_from(app.database().readers(), cursor, fresh_window(&candidates))
            .await
            .unwrap();
        let header = AssignmentHeader {
            version: ASSIGNMENT_VERSION,
            genesis: Digest([7; 32]),
            netuid: NETUID,
            round: Round(round),
            params: params().digest(),
            block,
            beacon: Digest::of(&round.to_le_bytes()),
            index_root: Digest([3; 32]),
            cursor,
            next_cursor: 0,
            candidates,
            requeued: Vec::new(),
        };
        let assignment = plan(&header, &fresh, &params().values);
        AddRound {
            document: String::from_utf8(assignment.to_bytes().unwrap()).unwrap(),
            assignment,
            before: NetworkState::default(),
            state: NetworkState::default(),
            deadline: self.clock.deadline_block(Round(round)),
            now_ms: self.head(block.0).time_ms,
        }
    }

    /// One more round behind the newest, from its assignment to its verdicts, and an epoch; gives the block behind which its reports are
    /// public. Most blocks in between are left out.
    pub(crate) async fn one_more(&self, app: &App, (round, cursor): (u32, u64)) -> u32 {
        let newest = cursor_of(app.database().readers()).await.unwrap().unwrap();
        let next = newest.head.number.0 + 1;
        let mut epoch = self.block(next);
        epoch.metagraph = Some(("epoch", metagraph(next)));
        epoch.weights = vec![(MechId(0), weights(next))];
        assert!(app.writer().write(epoch).await.unwrap(), "block {next}");
        let added = self.planned(app, round, cursor).await;
        let assignment = added.assignment.clone();
        assert!(app.writer().write(added).await.unwrap(), "round {round}");
        let revealed = self.revealed(&assignment, round, self.clock.publish_end(Round(round)).0);
        write_all(app, revealed.into_iter(), |is_new| assert!(is_new)).await;
        self.handed_in(app, &assignment, round).await;
        self.settle(app, &assignment, round).await;
        self.clock.report_cutoff(Round(round)).0 + 1
    }

    fn revealed(&self, assignment: &Assignment, round: u32, block: u32) -> Vec<RevealedRow> {
        (0..MINERS)
            .filter(|uid| verdict(*uid, round) != Verdict::NoShow)
            .map(|uid| RevealedRow {
                hotkey: hotkey(uid),
                pointer: Pointer {
                    round: Round(round),
                    n_units: assignment.of(&hotkey(uid)).count() as u32,
                    want_next: 4,
                    submission_root: root(uid, round),
                    revision: Revision([round as u8; 20]),
                    repo: RepoName::parse(&format!("miner-{uid}/r{round}")).unwrap(),
                },
                block: BlockNumber(block),
                refusal: String::new(),
                now_ms: self.head(block).time_ms,
            })
            .collect()
    }

    /// What miners declare and validators say of a round.
    async fn handed_in(&self, app: &App, assignment: &Assignment, round: u32) {
        let time_ms = self.head(self.clock.publish_end(Round(round)).0).time_ms;
        let units = |uid: u16| {
            let mut units: Vec<UnitId> = assignment.of(&hotkey(uid)).map(|entry| entry.unit).collect();
            units.sort_unstable();
            units
        };
        let declared = (0..MINERS).map(|uid| {
            let count = u64::from(UNITS);
            CompleteSubmission {
                round: Round(round),
                hotkey: hotkey(uid),
                root: root(uid, round),
                records: vec![36_400; units(uid).len()],
                units: units(uid),
                declared: vec![DeclaredWork {
                    recipe_id: recipe_of(uid),
                    units: UNITS,
                    records: count * 36_400,
                    kept: count * 3_200,
                    tokens: count * 2_210_000,
                    archive_bytes: count * 900_000_000,
                }],
                now_ms: time_ms,
            }
        });
        write_all(app, declared, drop).await;
        let reports = (0..MINERS).flat_map(|uid| (0..JUDGES).map(move |judge| (uid, MINERS + judge)));
        let reports = reports.filter_map(|(uid, judge)| {
            Some(Self::report((uid, judge), *units(uid).first()?, round, time_ms))
        });
        write_all(app, reports, |added| assert!(added.is_ok())).await;
    }

    /// A report on the newest round by a validator that has handed in none, for each number another one.
    pub(crate) fn late_report(&self, at: u64) -> AddReport {
        let (uid, judge) = (
            at as u16 % MINERS,
            MINERS + JUDGES + (at / u64::from(MINERS)) as u16 % (VALIDATORS - JUDGES),
        );
        let unit = WorkUnit::new("file", "late.warc", Bytes(1)).unwrap().unit_id;
        Self::report((uid, judge), unit, self.rounds() - 1, self.now_ms)
    }

    /// A manifest that does not fit: looked up, and what is known of submissions is to be read anew.
    pub(crate) fn late_manifest(&self, at: u64) -> CompleteSubmission {
        let (uid, round) = (at as u16 % MINERS, self.rounds() - 2);
        CompleteSubmission {
            round: Round(round),
            hotkey: hotkey(uid),
            root: root(uid, round),
            records: Vec::new(),
            units: Vec::new(),
            declared: Vec::new(),
            now_ms: self.now_ms,
        }
    }

    fn report((uid, judge): (u16, u16), unit: UnitId, round: u32, received_ms: u64) -> AddReport {
        let report = AuditReport {
            version: AUDIT_REPORT_VERSION,
            netuid: NETUID,
            round: Round(round),
            validator: hotkey(judge),
            miner: hotkey(uid),
            submission_root: root(uid, round),
            params: params().digest(),
            previous: Digest::ZERO,
            checkpoint: Digest::ZERO,
            delivered: Vec::new(),
            probes: (0..4)
                .map(|idx| Probe {
                    unit,
                    idx,
                    result: Digest16([idx as u8; 16]),
                })
                .collect(),
            faults: Vec::new(),
            unreachable: false,
            verdict: verdict(uid, round),
            signature: String::new(),
        };
        let line = String::from_utf8(report.to_canonical_bytes().unwrap()).unwrap();
        AddReport {
            report: ReportView {
                digest: Digest::of(line.as_bytes()),
                kind: ReportKind::Audit,
                round: Round(round),
                validator: hotkey(judge),
                miner: Some(hotkey(uid)),
                line,
                received_ms,
            },
            subject: hotkey(uid).to_string(),
        }
    }

    async fn settle(&self, app: &App, assignment: &Assignment, round: u32) {
        let verdicts = (0..MINERS).map(|uid| {
            let said = verdict(uid, round);
            let passed = said == Verdict::Pass;
            let assigned = assignment.of(&hotkey(uid)).count() as u32;
            VerdictRow {
                round: Round(round),
                record: MinerRecord {
                    hotkey: hotkey(uid),
                    registered: BlockNumber(10 + u32::from(uid)),
                    credibility: Q32(Q32::ONE.0 - u64::from(uid) * 10_000_000),
                    cap: UNITS,
                    passed: round,
                },
                verdict: said,
                assigned,
                units: if passed { assigned } else { 0 },
                records: if passed { u64::from(assigned) * 36_400 } else { 0 },
                produced: if passed { Q32::ONE } else { Q32::ZERO },
                average: Q32(Q32::ONE.0 - u64::from(uid) * 10_000_000),
                delivered: Q32::ONE,
                faults: 0,
                reports: vec![Digest([uid as u8; 32])],
            }
        });
        let write = Settle {
            round: Round(round),
            verdicts: verdicts.collect(),
            units: Vec::new(),
            leases: Vec::new(),
            before: NetworkState::default(),
            state: NetworkState::default(),
            now_ms: self.head(self.clock.report_cutoff(Round(round)).0).time_ms,
        };
        assert!(app.writer().write(write).await.unwrap(), "round {round}");
    }
}

/// Writes in order, many on their way at once.
pub(crate) async fn write_all<W: Write>(app: &App, writes: impl Iterator<Item = W>, check: impl Fn(W::Out)) {
    let mut done = futures_util::stream::iter(writes.map(|write| app.writer().write(write))).buffered(WRITES);
    while let Some(out) = done.next().await {
        check(out.unwrap());
    }
}

async fn recipes_and_datasets(app: &App) {
    for recipe in [recipe::fineweb_en_v1(), recipe::fineweb_en_v1_nolang()] {
        let write = AddRecipeText {
            recipe_id: recipe.id(),
            author: Some((hotkey(3), Coldkey([3; 32]), BlockNumber(950))),
            toml: recipe.to_canonical(),
            now_ms: 2,
        };
        app.writer().write(write).await.unwrap();
    }
    let dataset = DatasetView {
        name: "assay-en".to_owned(),
        release: "2026.11.3".to_owned(),
        licence: "ODC-By".to_owned(),
        location: "assay/assay-en".to_owned(),
        manifest: Digest([4; 32]),
        documents: 231_000_000,
        tokens: 148_000_000_000,
        units: 74_000,
        description: "English pages of one crawl.".to_owned(),
    };
    app.writer()
        .write(AddDataset { dataset, now_ms: 3 })
        .await
        .unwrap();
}

/// The recipe that a miner uses.
pub(crate) fn recipe_of(uid: u16) -> RecipeId {
    if uid.is_multiple_of(3) {
        recipe::fineweb_en_v1_nolang().id()
    } else {
        recipe::fineweb_en_v1().id()
    }
}

/// The root of a miner's submission.
pub(crate) fn root(uid: u16, round: u32) -> Digest {
    Digest::of(format!("root {uid} {round}").as_bytes())
}

/// What a miner's round came to.
pub(crate) fn verdict(uid: u16, round: u32) -> Verdict {
    match (u32::from(uid) * 7 + round) % 97 {
        0 => Verdict::OneFault,
        1 => Verdict::NoShow,
        2 => Verdict::Unpaid,
        3 => Verdict::Skipped,
        _ => Verdict::Pass,
    }
}
