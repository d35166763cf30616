//! `kspipe top`: who has which frame, live.

mod cells;
mod screen;
mod view;

use super::arguments::TopArguments;
use super::connect::connect;
use super::status::model::Status;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use kspipe_session::Client;
use ratatui::crossterm::event::{self, Event};
use std::io::{IsTerminal, stdin, stdout};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use view::{Answer, View};

/// How often it is looked for keys and answers.
const TURN: Duration = Duration::from_millis(50);

/// Shows the server until somebody presses q.
pub(crate) fn top(arguments: &TopArguments) -> Result<(), Failure> {
    if !stdout().is_terminal() || !stdin().is_terminal() {
        let help = format!("`kspipe status {}` says the same once, anywhere", arguments.socket.display());
        return Err(Failure::usage("kspipe top draws on a terminal, and here is none", help));
    }
    let client = connect(&arguments.socket, false)?;
    // Before the terminal is changed, so that it is changed back whatever happens.
    let interrupt = Interrupt::listen(1)?;
    let answers = ask_in_thread(client, arguments.interval)?;
    let socket = super::text::printable(&arguments.socket.display().to_string());
    let view = View::new(socket, std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()));
    let terminal = Terminal::take()?;
    terminal.show(view, &answers, &interrupt)
}

/// The terminal while it is drawn on. It is as before when this is dropped, and after a panic.
struct Terminal(ratatui::DefaultTerminal);

impl Terminal {
    fn take() -> Result<Self, Failure> {
        ratatui::try_init().map(Self).map_err(|error| Failure::system("draw on the terminal", error))
    }

    /// Draws until somebody ends it.
    fn show(mut self, mut view: View, answers: &Receiver<Answer>, interrupt: &Interrupt) -> Result<(), Failure> {
        let failed = |error| Failure::system("draw on the terminal", error);
        while !view.is_over() && !interrupt.is_asked() {
            for answer in answers.try_iter() {
                view.hear(answer, Instant::now());
            }
            self.0.draw(|frame| screen::draw(frame, &mut view, Instant::now())).map_err(failed)?;
            if event::poll(TURN).map_err(failed)? {
                // Everything else (the mouse, another size) is drawn anew anyway.
                if let Event::Key(key) = event::read().map_err(failed)? {
                    view.press(key);
                }
            }
        }
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Asks for the status again and again. A server that does not answer keeps the thread waiting, and not the keys.
fn ask_in_thread(client: Client, interval: Duration) -> Result<Receiver<Answer>, Failure> {
    let (sender, answers) = channel();
    let started =
        std::thread::Builder::new().name("kspipe status".to_owned()).spawn(move || ask(&client, interval, &sender));
    started.map(|_| answers).map_err(|error| Failure::system("start a thread", error))
}

fn ask(client: &Client, interval: Duration, sender: &Sender<Answer>) {
    loop {
        let answer = match client.status() {
            Ok(text) => Status::read(&text).map_or(Answer::Nonsense, |status| Answer::Status(Box::new(status))),
            Err(_) => Answer::Ended,
        };
        let is_last = matches!(answer, Answer::Ended);
        // Nobody listens any more where the command has ended.
        if sender.send(answer).is_err() || is_last {
            return;
        }
        std::thread::sleep(interval);
    }
}
