//! What is looked at: the last two statuses, and what the keys have changed.

use super::super::status::model::{Holder, Status};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::time::{Duration, Instant};

/// What the server says, or that it does not.
#[derive(Debug)]
pub(super) enum Answer {
    Status(Box<Status>),
    /// Something that is no status.
    Nonsense,
    Ended,
}

/// How it stands with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// It answers.
    Good,
    /// It has not answered for so long.
    Silent(Duration),
    Nonsense,
    Ended,
}

/// A server that does not answer for so long is silent.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct View {
    pub(super) socket: String,
    pub(super) has_colours: bool,
    pub(super) status: Option<Status>,
    before: Option<Status>,
    pub(super) is_paused: bool,
    /// The first line of the pipes that is shown.
    pub(super) first_line: usize,
    /// How many of the newest events are left out.
    pub(super) newer_events: usize,
    heard: Option<Instant>,
    link: Link,
    is_over: bool,
}

impl View {
    pub(super) fn new(socket: String, has_colours: bool) -> Self {
        Self {
            socket,
            has_colours,
            status: None,
            before: None,
            is_paused: false,
            first_line: 0,
            newer_events: 0,
            heard: None,
            link: Link::Good,
            is_over: false,
        }
    }

    /// Somebody wants to end.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// How it stands with the server.
    pub(super) fn link(&self, now: Instant) -> Link {
        let silent = self.heard.map_or(Duration::ZERO, |heard| now.saturating_duration_since(heard));
        match self.link {
            Link::Good if silent >= PATIENCE => Link::Silent(silent),
            link => link,
        }
    }

    pub(super) fn hear(&mut self, answer: Answer, now: Instant) {
        self.heard = Some(now);
        match answer {
            Answer::Nonsense => self.link = Link::Nonsense,
            Answer::Ended => self.link = Link::Ended,
            Answer::Status(status) => {
                self.link = Link::Good;
                if !self.is_paused {
                    self.before = self.status.replace(*status);
                }
            }
        }
    }

    pub(super) fn press(&mut self, key: KeyEvent) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if control => self.is_over = true,
            KeyCode::Char('q') | KeyCode::Esc => self.is_over = true,
            KeyCode::Char('p') | KeyCode::Char(' ') => self.is_paused = !self.is_paused,
            KeyCode::Up => self.first_line = self.first_line.saturating_sub(1),
            KeyCode::Down => self.first_line = self.first_line.saturating_add(1),
            KeyCode::PageUp => self.first_line = self.first_line.saturating_sub(10),
            KeyCode::PageDown => self.first_line = self.first_line.saturating_add(10),
            KeyCode::Home => self.first_line = 0,
            KeyCode::Left => self.newer_events = self.newer_events.saturating_add(1),
            KeyCode::Right => self.newer_events = self.newer_events.saturating_sub(1),
            _ => {}
        }
    }

    /// Frames a second that a holder took or acquired between the last two statuses.
    pub(super) fn rate(&self, pipe: u32, holder: &Holder) -> Option<f64> {
        let (before, now) = (self.before.as_ref()?, self.status.as_ref()?);
        let pipe = before.pipes.iter().find(|before| before.id == pipe)?;
        let then = pipe.holders.iter().find(|before| before.holder == holder.holder)?;
        let passed = now.up_ms.checked_sub(before.up_ms).filter(|passed| *passed > 0)?;
        Some(holder.taken.checked_sub(then.taken)? as f64 * 1000.0 / passed as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::status::model::Pipe;
    use super::*;

    fn status(up_ms: u64, taken: u64) -> Answer {
        let holder = Holder { holder: 3, taken, ..Holder::default() };
        let pipe = Pipe { id: 7, holders: vec![holder], ..Pipe::default() };
        Answer::Status(Box::new(Status { up_ms, pipes: vec![pipe], ..Status::default() }))
    }

    fn rate(view: &View) -> Option<f64> {
        view.rate(7, &view.status.as_ref()?.pipes[0].holders[0])
    }

    #[test]
    fn a_rate_is_between_two_looks_and_stays_while_paused() {
        let now = Instant::now();
        let mut view = View::new("camera".to_owned(), true);
        view.hear(status(1000, 100), now);
        assert_eq!(rate(&view), None);
        view.hear(status(1500, 130), now);
        assert_eq!(rate(&view), Some(60.0));
        view.press(KeyCode::Char('p').into());
        view.hear(status(2000, 999), now);
        assert_eq!(rate(&view), Some(60.0));
        view.press(KeyCode::Char('p').into());
        // Another server at the same path counts from the start.
        view.hear(status(10, 1), now);
        assert_eq!(rate(&view), None);
    }

    #[test]
    fn a_server_that_is_silent_or_has_ended_is_told() {
        let now = Instant::now();
        let mut view = View::new("camera".to_owned(), true);
        assert_eq!(view.link(now), Link::Good);
        view.hear(status(1, 1), now);
        assert_eq!(view.link(now + Duration::from_secs(1)), Link::Good);
        assert_eq!(view.link(now + Duration::from_secs(3)), Link::Silent(Duration::from_secs(3)));
        view.hear(Answer::Nonsense, now);
        assert_eq!(view.link(now), Link::Nonsense);
        view.hear(Answer::Ended, now);
        assert_eq!(view.link(now + Duration::from_secs(3)), Link::Ended);
        assert!(view.status.is_some(), "what was known is still shown");
    }

    #[test]
    fn keys_end_and_scroll() {
        let mut view = View::new("camera".to_owned(), true);
        for (key, first_line, newer_events) in [
            (KeyCode::Up, 0, 0),
            (KeyCode::Down, 1, 0),
            (KeyCode::PageDown, 11, 0),
            (KeyCode::Left, 11, 1),
            (KeyCode::PageUp, 1, 1),
            (KeyCode::Right, 1, 0),
            (KeyCode::Right, 1, 0),
            (KeyCode::Home, 0, 0),
        ] {
            view.press(key.into());
            assert_eq!((view.first_line, view.newer_events), (first_line, newer_events), "{key:?}");
        }
        assert!(!view.is_over());
        for key in [KeyEvent::from(KeyCode::Char('q')), KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)] {
            let mut view = View::new("camera".to_owned(), true);
            view.press(key);
            assert!(view.is_over());
        }
    }
}
