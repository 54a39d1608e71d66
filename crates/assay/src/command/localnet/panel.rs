//! The picture of a localnet at a moment: round and phase, miners, validators.

use assay_agents::localnet::{MinerLook, View};
use assay_types::Verdict;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Cell, LineGauge, Row, Table, Widget};

/// Colour of what was verified.
const GOOD: Color = Color::Green;

/// Colour of what was found at fault.
const BAD: Color = Color::Red;

/// Verdicts shown of a miner: its newest.
const VERDICTS_SHOWN: usize = 10;

/// Lines of a panel for so many miners and validators.
pub(super) fn height(people: usize) -> u16 {
    // Frame, round, gauge, header, burn.
    u16::try_from(people).unwrap_or(u16::MAX).saturating_add(6)
}

/// A view as a widget.
pub(super) struct Panel<'a>(pub(super) &'a View);

impl Widget for Panel<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let view = self.0;
        let frame = Block::default()
            .borders(Borders::ALL)
            .title(" assay localnet ")
            .title_bottom(format!(" {} ", view.api));
        let inner = frame.inner(area);
        frame.render(area, buffer);
        let [top, gauge, miners, validators] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Min(0),
            Constraint::Length(u16::try_from(view.validators.len()).unwrap_or(u16::MAX)),
        ])
        .areas(inner);
        headline(view).render(top, buffer);
        LineGauge::default()
            .ratio(view.passed.clamp(0.0, 1.0))
            .label(view.phase.clone())
            .filled_style(Style::default().fg(Color::Yellow))
            .render(gauge, buffer);
        Widget::render(table(view), miners, buffer);
        for (at, validator) in (0..).zip(&view.validators) {
            if at < validators.height {
                let line = Rect {
                    y: validators.y + at,
                    height: 1,
                    ..validators
                };
                validator_line(validator).render(line, buffer);
            }
        }
    }
}

fn headline(view: &View) -> Line<'static> {
    let round = view
        .round
        .map_or_else(|| "before round 0".to_owned(), |round| format!("round {round}"));
    let minutes = (view.seconds / 60.0).floor();
    Line::from(vec![
        Span::styled(round, Style::default().add_modifier(Modifier::BOLD)),
        Span::raw(format!(
            "   block {}   settled {} of {}   {minutes:.0}:{:02.0} min",
            view.block,
            view.settled,
            view.rounds,
            (view.seconds - minutes * 60.0).floor()
        )),
    ])
}

fn table(view: &View) -> Table<'static> {
    let header = [
        "miner",
        "now",
        "units",
        "C",
        "verdicts",
        "weight",
        "incentive",
        "caught for",
    ];
    let widths = [
        Constraint::Length(14),
        Constraint::Length(10),
        Constraint::Length(6),
        Constraint::Length(6),
        Constraint::Length(11),
        Constraint::Length(7),
        Constraint::Length(10),
        Constraint::Min(10),
    ];
    let mut rows: Vec<Row<'static>> = view.miners.iter().map(miner_row).collect();
    let mut burn = vec![Cell::from(""); header.len()];
    for (place, text) in [(0, "burn".to_owned()), (6, percent(view.burn))] {
        if let Some(cell) = burn.get_mut(place) {
            *cell = Cell::from(text);
        }
    }
    rows.push(Row::new(burn).style(Style::default().fg(Color::DarkGray)));
    let header = Row::new(header).style(Style::default().fg(Color::DarkGray));
    Table::new(rows, widths).header(header)
}

fn miner_row(miner: &MinerLook) -> Row<'static> {
    let so_far = &miner.so_far;
    let shown = miner.verdicts.len().saturating_sub(VERDICTS_SHOWN);
    let verdicts: Vec<Span<'static>> = miner
        .verdicts
        .iter()
        .skip(shown)
        .map(|verdict| mark(*verdict))
        .collect();
    Row::new(vec![
        Cell::from(so_far.name.clone()),
        Cell::from(miner.stage.map_or("–", assay_agents::miner::Stage::name)),
        Cell::from(so_far.verified_units.to_string()),
        Cell::from(format!("{:.3}", so_far.credibility)),
        Cell::from(Line::from(verdicts)),
        Cell::from(so_far.weight.to_string()),
        Cell::from(percent(so_far.incentive)),
        Cell::from(so_far.faults.join(", ")).style(Style::default().fg(BAD)),
    ])
}

/// One sign a verdict: it differs by shape, not by colour alone.
fn mark(verdict: Verdict) -> Span<'static> {
    let (sign, colour) = match verdict {
        Verdict::Pass => ("●", GOOD),
        Verdict::OneFault => ("▲", BAD),
        Verdict::Fraud => ("✕", BAD),
        Verdict::NoShow => ("○", Color::DarkGray),
        Verdict::Unpaid | Verdict::Skipped | Verdict::Idle => ("·", Color::DarkGray),
    };
    Span::styled(sign, Style::default().fg(colour))
}

fn validator_line(
    (name, reported, has_weights): &(String, Option<assay_types::Round>, bool),
) -> Line<'static> {
    let reported = reported.map_or_else(
        || "no report yet".to_owned(),
        |round| format!("reported on round {round}"),
    );
    let weights = if *has_weights {
        "weights on the chain"
    } else {
        "no weights yet"
    };
    Line::from(format!("{name:<14} {reported}, {weights}"))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_agents::localnet::MinerSummary;
    use assay_agents::miner::Stage;
    use assay_types::{BlockNumber, Round};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn look(name: &str, verdicts: Vec<Verdict>, faults: &[&str]) -> MinerLook {
        MinerLook {
            so_far: MinerSummary {
                name: name.to_owned(),
                strategy: "honest".to_owned(),
                hotkey: "5F…".to_owned(),
                verified_units: 4,
                verified_records: 48,
                faults: faults.iter().map(|&fault| fault.to_owned()).collect(),
                caught_in: None,
                proofs: Some(0),
                credibility: 0.68,
                weight: 43_055,
                incentive: 0.213,
            },
            stage: Some(Stage::Committed),
            verdicts,
        }
    }

    fn drawn(width: u16, height: u16) -> String {
        let view = View {
            seconds: 95.4,
            block: BlockNumber(812),
            round: Some(Round(1)),
            phase: "audit".to_owned(),
            passed: 0.6,
            settled: 1,
            rounds: 3,
            miners: vec![
                look("honest-1", vec![Verdict::Pass, Verdict::Pass], &[]),
                look("lazy-1", vec![Verdict::Fraud, Verdict::OneFault], &["row_hidden"]),
            ],
            validators: vec![
                ("validator-1".to_owned(), Some(Round(0)), true),
                ("validator-2".to_owned(), None, false),
            ],
            burn: 0.324,
            api: "http://127.0.0.1:8470".to_owned(),
        };
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal
            .draw(|frame| frame.render_widget(Panel(&view), frame.area()))
            .unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn the_panel_says_who_works_who_was_caught_and_what_they_earn() {
        let picture = drawn(96, height(4));
        for part in [
            "round 1",
            "block 812",
            "settled 1 of 3",
            "1:35 min",
            "audit",
            "honest-1",
            "committed",
            "●●",
            "✕▲",
            "row_hidden",
            "21.3 %",
            "32.4 %",
            "reported on round 0, weights on the chain",
            "no report yet",
            "http://127.0.0.1:8470",
        ] {
            assert!(picture.contains(part), "{part} in\n{picture}");
        }
    }

    #[test]
    fn a_panel_of_any_size_is_drawn() {
        for (width, height) in [(1, 1), (10, 3), (300, 2), (40, 60)] {
            drawn(width, height);
        }
    }
}
