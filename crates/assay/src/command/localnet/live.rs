//! The localnet live in a terminal: what happens scrolls above, how things are stands below.

use std::io::{IsTerminal as _, Stderr, Write as _};
use std::sync::{Mutex, PoisonError};

use assay_agents::localnet::{View, Watcher};
use ratatui::backend::CrosstermBackend;
use ratatui::text::Line;
use ratatui::widgets::Widget as _;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::panel::{Panel, height};
use crate::console::Console;

/// Lines of a terminal below which only lines are printed.
const ROWS_MIN: u16 = 20;

/// Shows a run: as a panel on a terminal, as lines elsewhere.
pub(super) struct Live<'a> {
    console: &'a Console,
    terminal: Option<Mutex<Terminal<CrosstermBackend<Stderr>>>>,
}

impl<'a> Live<'a> {
    /// A panel for so many miners and validators, if this is a terminal large enough.
    pub(super) fn new(console: &'a Console, people: usize) -> Self {
        Self {
            console,
            terminal: terminal(console, people).map(Mutex::new),
        }
    }

    fn with(
        &self,
        draw: impl FnOnce(&mut Terminal<CrosstermBackend<Stderr>>) -> std::io::Result<()>,
    ) -> bool {
        let Some(terminal) = &self.terminal else {
            return false;
        };
        let mut terminal = terminal.lock().unwrap_or_else(PoisonError::into_inner);
        // A terminal that went away takes nothing with it but its picture.
        draw(&mut terminal).is_ok()
    }

    /// Leaves the last picture where it is and the cursor below it.
    pub(super) fn end(&self) {
        self.with(|terminal| {
            let area = terminal.get_frame().area();
            terminal.set_cursor_position((0, area.bottom().saturating_sub(1)))?;
            terminal.show_cursor()?;
            writeln!(std::io::stderr())
        });
    }
}

fn terminal(console: &Console, people: usize) -> Option<Terminal<CrosstermBackend<Stderr>>> {
    if console.is_json() || !std::io::stderr().is_terminal() || !std::io::stdin().is_terminal() {
        return None;
    }
    let backend = CrosstermBackend::new(std::io::stderr());
    let height = height(people);
    let (_, rows) = ratatui::crossterm::terminal::size().ok()?;
    if rows < ROWS_MIN.max(height + 2) {
        return None;
    }
    let options = TerminalOptions {
        viewport: Viewport::Inline(height),
    };
    Terminal::with_options(backend, options).ok()
}

impl Watcher for Live<'_> {
    fn note(&self, line: &str) {
        let printed = self.with(|terminal| {
            terminal.insert_before(1, |buffer| Line::from(line).render(buffer.area, buffer))
        });
        if !printed {
            self.console.note(line);
        }
    }

    fn show(&self, view: &View) {
        self.with(|terminal| {
            terminal.draw(|frame| frame.render_widget(Panel(view), frame.area()))?;
            Ok(())
        });
    }
}
