//! `assay top`: a running subnet as its Task API shows it, full-screen on a terminal, as lines or documents elsewhere.
//!
//! It only looks: answers that need no key are read, and nothing is sent. `q`, Escape or Ctrl-C ends it.

mod panel;
mod words;

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use assay_agents::api::{ApiError, Look, Watcher};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use self::panel::{Panel, Seen};
use crate::cli::TopArgs;
use crate::command::services::block_on;
use crate::console::Console;
use crate::exit::Status;

/// Longest wait for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// How often the picture is drawn anew while nothing happens: it shows an age.
const DRAW_EVERY: Duration = Duration::from_millis(500);

pub(super) fn run(args: &TopArgs, console: &Console) -> anyhow::Result<Status> {
    let watcher = Watcher::new(&args.connect, ANSWER_MAX)?;
    let every = Duration::from_secs(u64::from(args.every));
    if console.is_json() || !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return block_on(print(&watcher, args.looks, every, console));
    }
    let mut terminal = ratatui::try_init()?;
    let shown = block_on(show(&watcher, &args.connect, every, &mut terminal));
    ratatui::restore();
    shown
}

/// Looks and prints, so often.
async fn print(watcher: &Watcher, looks: u32, every: Duration, console: &Console) -> anyhow::Result<Status> {
    for at in 0..looks {
        if at > 0 {
            tokio::time::sleep(every).await;
        }
        let look = watcher.look().await?;
        console.result_at("assay.top/1", look.as_of.block, &look, || words::of(&look))?;
    }
    Ok(Status::Ok)
}

/// Looks and draws until somebody ends it. A look that fails leaves the last picture with its age.
async fn show(
    watcher: &Watcher,
    address: &str,
    every: Duration,
    terminal: &mut DefaultTerminal,
) -> anyhow::Result<Status> {
    let mut seen = None::<(Look, Instant)>;
    let mut draw = |seen: Option<&(Look, Instant)>, trouble: Option<&ApiError>| {
        let picture = Panel {
            address,
            seen: seen.map(|(look, when)| Seen {
                look,
                age: when.elapsed(),
            }),
            trouble: trouble.map(ToString::to_string),
        };
        terminal
            .draw(|frame| frame.render_widget(&picture, frame.area()))
            .map(|_| ())
    };
    draw(None, None)?;
    loop {
        let trouble = match watcher.look().await {
            Ok(look) => {
                seen = Some((look, Instant::now()));
                None
            }
            Err(error) => Some(error),
        };
        let until = Instant::now() + every;
        loop {
            draw(seen.as_ref(), trouble.as_ref())?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            if event::poll(left.min(DRAW_EVERY))? && ends(&event::read()?) {
                return Ok(Status::Ok);
            }
        }
    }
}

/// Whether somebody wants to end.
fn ends(event: &Event) -> bool {
    let Event::Key(KeyEvent {
        code,
        modifiers,
        kind: KeyEventKind::Press,
        ..
    }) = event
    else {
        return false;
    };
    let is_interrupt = *code == KeyCode::Char('c') && modifiers.contains(KeyModifiers::CONTROL);
    is_interrupt || matches!(code, KeyCode::Char('q') | KeyCode::Esc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_end_it() {
        let pressed = |code, modifiers| Event::Key(KeyEvent::new(code, modifiers));
        for (event, is_end) in [
            (pressed(KeyCode::Char('q'), KeyModifiers::NONE), true),
            (pressed(KeyCode::Esc, KeyModifiers::NONE), true),
            (pressed(KeyCode::Char('c'), KeyModifiers::CONTROL), true),
            (pressed(KeyCode::Char('c'), KeyModifiers::NONE), false),
            (Event::Resize(80, 24), false),
        ] {
            assert_eq!(ends(&event), is_end, "{event:?}");
        }
    }
}
