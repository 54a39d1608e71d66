//! The picture of a network on a terminal of any size.

use std::time::Duration;

use assay_agents::api::Look;
use assay_types::Verdict;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Cell, LineGauge, Row, Table, Widget};

use super::words;

/// Age of a look from which it is marked as old.
const OLD: Duration = Duration::from_secs(30);
/// Widths of the columns of `words::HEAD`.
const WIDTHS: [Constraint; 8] = [
    Constraint::Length(4),
    Constraint::Length(11),
    Constraint::Length(5),
    Constraint::Length(6),
    Constraint::Length(6),
    Constraint::Length(11),
    Constraint::Length(10),
    Constraint::Min(8),
];

/// A look and how old it is.
pub(super) struct Seen<'a> {
    pub(super) look: &'a Look,
    pub(super) age: Duration,
}

/// What is drawn.
pub(super) struct Panel<'a> {
    /// Where it comes from.
    pub(super) address: &'a str,
    /// The newest look.
    pub(super) seen: Option<Seen<'a>>,
    /// Why there is no newer one.
    pub(super) trouble: Option<String>,
}

impl Widget for &Panel<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let frame = Block::default()
            .borders(Borders::ALL)
            .title(" assay top ")
            .title_bottom(format!(" {} · q ends ", self.address));
        let inner = frame.inner(area);
        frame.render(area, buffer);
        let [status, network, round, gauge, weights, miners] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Min(0),
        ])
        .areas(inner);
        self.status().render(status, buffer);
        let Some(Seen { look, .. }) = &self.seen else {
            return;
        };
        let bold = Style::default().add_modifier(Modifier::BOLD);
        Line::styled(words::network(look), bold).render(network, buffer);
        Line::from(words::round(look)).render(round, buffer);
        LineGauge::default()
            .ratio(words::passed(look))
            .label("round")
            .filled_style(Style::default().fg(Color::Yellow))
            .render(gauge, buffer);
        Line::from(words::weights(look)).render(weights, buffer);
        Widget::render(table(look), miners, buffer);
    }
}

impl Panel<'_> {
    /// How old the picture is, or why there is none.
    fn status(&self) -> Line<'static> {
        let age = self.seen.as_ref().map(|seen| seen.age);
        let words = match (age, &self.trouble) {
            (None, None) => "asking".to_owned(),
            (None, Some(why)) => format!("no answer: {why}"),
            (Some(age), None) => format!("looked {} s ago", age.as_secs()),
            (Some(age), Some(why)) => format!("old: looked {} s ago; {why}", age.as_secs()),
        };
        let is_bad = self.trouble.is_some() || age.is_some_and(|age| age > OLD);
        let colour = if is_bad { Color::Red } else { Color::DarkGray };
        Line::styled(words, Style::default().fg(colour))
    }
}

fn table(look: &Look) -> Table<'static> {
    let rows: Vec<Row<'static>> = look
        .miners
        .iter()
        .map(|miner| {
            let cells = words::miner(look, miner);
            Row::new(cells.into_iter().zip(words::HEAD).map(|(text, name)| {
                match name {
                    "verdicts" => Cell::from(Line::from(
                        miner
                            .verdicts
                            .iter()
                            .rev()
                            .map(|verdict| mark(*verdict))
                            .collect::<Vec<_>>(),
                    )),
                    "faults" => Cell::from(text).style(Style::default().fg(Color::Red)),
                    _ => Cell::from(text),
                }
            }))
        })
        .collect();
    let head = Row::new(words::HEAD).style(Style::default().fg(Color::DarkGray));
    Table::new(rows, WIDTHS).header(head)
}

fn mark(verdict: Verdict) -> Span<'static> {
    let colour = match verdict {
        Verdict::Pass => Color::Green,
        Verdict::OneFault | Verdict::Fraud => Color::Red,
        Verdict::NoShow | Verdict::Unpaid | Verdict::Skipped | Verdict::Idle => Color::DarkGray,
    };
    Span::styled(words::sign(verdict).to_string(), Style::default().fg(colour))
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::api::{Health, MinerRow, Observed, PhaseName, RoundView, ValidatorRow};
    use assay_types::{BlockNumber, Coldkey, Digest, Hotkey, Q32, Rao, Round, Uid};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use std::collections::{BTreeMap, BTreeSet};

    fn miner(number: u8, verdicts: Vec<Verdict>) -> MinerRow {
        MinerRow {
            rank: u32::from(number),
            hotkey: Hotkey([number; 32]),
            coldkey: Coldkey([number; 32]),
            uid: Uid(u16::from(number)),
            registered: BlockNumber(1),
            incentive: 13_107,
            emission: Rao(0),
            credibility_q32: Q32::ONE.0 / 2,
            cap: 8,
            passed: 1,
            units: 12,
            verdicts,
            immunity_left: 0,
            heard_ms: 0,
            rank_change: None,
            declared: None,
        }
    }

    fn look() -> Look {
        let block = BlockNumber(812);
        let faults = BTreeMap::from([(Hotkey([2; 32]), BTreeSet::from(["row_hidden".to_owned()]))]);
        Look {
            as_of: Observed {
                block,
                time_ms: 1,
                round: Some(Round(1)),
                params_version: 1,
            },
            health: Health {
                status: "ok".to_owned(),
                version: "1".to_owned(),
                server: "5F".to_owned(),
                netuid: 7,
                genesis: Digest::ZERO,
                block,
                block_age_ms: 4_200,
                intake: true,
                problems: Vec::new(),
            },
            round: Some(RoundView {
                round: Round(1),
                phase: PhaseName::Audit,
                start_block: BlockNumber(720),
                assignment_block: BlockNumber(719),
                deadline_block: BlockNumber(760),
                report_cutoff_block: BlockNumber(830),
                effective_block: BlockNumber(904),
                beacon: Digest::ZERO,
                index_root: Digest::ZERO,
                assignment_digest: Digest::ZERO,
                units: 24,
                replicas: 2,
                leases: BTreeMap::new(),
                submissions: 2,
                reports: 3,
                settled: false,
            }),
            miners: vec![
                miner(1, vec![Verdict::Pass, Verdict::NoShow]),
                miner(2, vec![Verdict::Fraud]),
            ],
            validators: vec![ValidatorRow {
                rank: 1,
                hotkey: Hotkey([9; 32]),
                coldkey: Coldkey([9; 32]),
                uid: Uid(9),
                stake: Rao(5),
                vtrust: 0,
                dividends: 0,
                weights_age_blocks: 33,
                reports: 3,
                cells: 0,
                proofs: 0,
            }],
            faults: Some((Round(0), faults)),
        }
    }

    fn drawn((width, height): (u16, u16), trouble: Option<&str>) -> String {
        let look = look();
        let panel = Panel {
            address: "http://127.0.0.1:8470",
            seen: Some(Seen {
                look: &look,
                age: Duration::from_secs(3),
            }),
            trouble: trouble.map(str::to_owned),
        };
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal
            .draw(|frame| frame.render_widget(&panel, frame.area()))
            .unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn the_picture_says_round_places_faults_and_how_old_all_is() {
        let picture = drawn((100, 14), None);
        for part in [
            "looked 3 s ago",
            "subnet 7, block 812, read 4 s ago, ok",
            "round 1: audit, 18 blocks left, 24 units, 2 submissions, 3 reports",
            "weights: newest 33 blocks ago",
            "○●",
            "✕",
            "0.500",
            "20.00 %",
            "row_hidden (round 0)",
            "http://127.0.0.1:8470",
        ] {
            assert!(picture.contains(part), "{part} in\n{picture}");
        }
        let passed = words::passed(&look());
        assert!((passed - 0.5).abs() < 1e-9, "{passed}");
    }

    #[test]
    fn a_server_that_went_away_leaves_the_last_picture_and_says_so() {
        let picture = drawn((100, 14), Some("connection refused"));
        assert!(
            picture.contains("old: looked 3 s ago; connection refused"),
            "{picture}"
        );
        assert!(picture.contains("row_hidden"), "{picture}");
    }

    #[test]
    fn a_picture_of_any_size_is_drawn() {
        for size in [(1, 1), (10, 3), (300, 2), (40, 60)] {
            drawn(size, None);
        }
    }

    #[test]
    fn the_lines_say_the_same() {
        let text = words::of(&look());
        assert!(
            text.contains("\n1\t") && text.contains("\trow_hidden (round 0)\n"),
            "{text}"
        );
        assert!(text.starts_with("subnet 7, block 812"), "{text}");
    }
}
