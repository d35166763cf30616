//! The screen: filters, pipes with their frames, warnings, events.

use super::super::status::model::{Event, Filter, Holder, Pipe, Status};
use super::super::status::show::milliseconds;
use super::cells::{Cell, cells, letter};
use super::view::{Link, View};
use crate::units;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::time::Instant;

/// Of filters, warnings and events at most so many lines are shown each.
const MOST_FILTERS: usize = 8;
const MOST_WARNINGS: usize = 3;
const MOST_EVENTS: usize = 6;
/// Rows of cells of one pipe.
const MOST_ROWS: usize = 4;
/// Letters of a pin's name.
const NAME: usize = 20;

/// A holder's colour, by its place in the pipe's list; again from the first after the last.
const COLOURS: [Color; 10] = [
    Color::Cyan,
    Color::Yellow,
    Color::Green,
    Color::Magenta,
    Color::Blue,
    Color::LightCyan,
    Color::LightYellow,
    Color::LightGreen,
    Color::LightMagenta,
    Color::LightBlue,
];

/// Draws all of it. What the keys asked for beyond the end is taken back.
pub(super) fn draw(frame: &mut Frame<'_>, view: &mut View, now: Instant) {
    let empty = Status::default();
    let status = view.status.as_ref().unwrap_or(&empty);
    let paint = Paint(view.has_colours);
    let area = frame.area();
    // Few lines are shared out fairly: the pipes get at least half of them.
    let rest = usize::from(area.height.saturating_sub(2)) / 2;
    let filters = capped(filter_lines(&status.filters, paint), MOST_FILTERS.min(rest / 2));
    let warnings = status.warnings.iter().map(|warning| Line::styled(format!("! {}", warning.message), paint.bad()));
    let warnings = capped(warnings.collect(), MOST_WARNINGS.min(rest / 4));
    view.newer_events = view.newer_events.min(status.events.len().saturating_sub(1));
    let room = MOST_EVENTS.min(rest.saturating_sub(filters.len() + warnings.len()));
    let events = event_lines(status, view.newer_events, room, paint);
    let pipes = pipe_lines(view, status, usize::from(area.width), paint);

    let height = |lines: &Vec<Line<'_>>| Constraint::Length(u16::try_from(lines.len()).unwrap_or(u16::MAX));
    let [title, filters_at, pipes_at, warnings_at, events_at, keys] = Layout::vertical([
        Constraint::Length(1),
        height(&filters),
        Constraint::Min(0),
        height(&warnings),
        height(&events),
        Constraint::Length(1),
    ])
    .areas(area);
    let shown = usize::from(pipes_at.height);
    let first_line = view.first_line.min(pipes.len().saturating_sub(shown));
    let below = pipes.len().saturating_sub(first_line + shown);
    frame.render_widget(Paragraph::new(title_line(view, status, now, paint)), title);
    frame.render_widget(Paragraph::new(filters), filters_at);
    frame.render_widget(Paragraph::new(pipes.into_iter().skip(first_line).take(shown).collect::<Vec<_>>()), pipes_at);
    frame.render_widget(Paragraph::new(warnings), warnings_at);
    frame.render_widget(Paragraph::new(events), events_at);
    frame.render_widget(Paragraph::new(keys_line(first_line, below, paint)), keys);
    view.first_line = first_line;
}

/// Styles, or none of colour.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn colour(self, colour: Color) -> Style {
        if self.0 { Style::new().fg(colour) } else { Style::new() }
    }
    fn holder(self, place: usize) -> Style {
        self.colour(COLOURS[place % COLOURS.len()])
    }
    fn bad(self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD)
    }
    fn quiet(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }
    fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }
}

fn title_line<'a>(view: &View, status: &Status, now: Instant, paint: Paint) -> Line<'a> {
    let joined = format!("{} of {} joined", status.joined(), units::counted(status.filters.len() as u64, "filter"));
    let mut spans = vec![
        Span::styled(format!("kspipe top {}", view.socket), paint.strong()),
        Span::raw(format!("  up {}  {}", milliseconds(status.up_ms), plain(&joined))),
    ];
    let link = match view.link(now) {
        Link::Good => None,
        Link::Silent(time) => Some(format!("no answer for {} s", time.as_secs())),
        Link::Nonsense => Some("it does not speak this version".to_owned()),
        Link::Ended => Some("the server has ended".to_owned()),
    };
    let states = [
        status.stopping.then(|| "stopping".to_owned()),
        (view.status.is_some() && status.begun_ms.is_none()).then(|| "waits for all to join".to_owned()),
        view.is_paused.then(|| "paused".to_owned()),
        link,
    ];
    spans.extend(states.into_iter().flatten().map(|state| Span::styled(format!("  {state}"), paint.bad())));
    Line::from(spans)
}

fn filter_lines<'a>(filters: &[Filter], paint: Paint) -> Vec<Line<'a>> {
    let line = |filter: &Filter| {
        let state = filter.state.replace('-', " ");
        let process = filter.process.map_or_else(String::new, |process| format!("process {process}"));
        let trust = if filter.mediated { "  not trusted" } else { "" };
        let counts = format!("  joins {}  deaths {}{trust}", filter.joins, filter.deaths);
        let style = match filter.state.as_str() {
            "joined" => Style::new(),
            "hung-up" => paint.bad(),
            _ => paint.quiet(),
        };
        let name = format!("{:NAME$} {state:9} {process:16}", cut(&filter.name, NAME));
        Line::from(vec![
            Span::styled(name, style),
            Span::styled(counts, if filter.deaths > 0 { paint.bad() } else { paint.quiet() }),
        ])
    };
    filters.iter().map(line).collect()
}

fn pipe_lines<'a>(view: &View, status: &Status, width: usize, paint: Paint) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    if view.status.is_none() {
        lines.push(Line::raw("waits for the first answer"));
    }
    for pipe in &status.pipes {
        let frames = units::counted(pipe.frames, "frame");
        let text = format!("pipe {}: {} of {frames} free, at most {} in use", pipe.id, pipe.free, pipe.peak);
        lines.push(Line::styled(plain(&text), paint.strong()));
        lines.extend(rows_of_cells(pipe, width, paint));
        let heading = format!(
            "    {:NAME$} {:>7} {:>4} {:>9} {:>7} {:>6} {:>8}",
            "pin", "has", "way", "frames", "per s", "waits", "oldest"
        );
        lines.push(Line::styled(heading, paint.quiet()));
        for (place, holder) in pipe.holders.iter().enumerate() {
            let (line, [state, shorter]) = holder_line(view, pipe, place, holder, paint);
            // A number that is cut would be another one.
            let fits = line.width() + state.len() <= width;
            let state = if fits { state } else { shorter };
            lines.push(line + Span::styled(state, paint.quiet()));
        }
    }
    lines
}

fn rows_of_cells<'a>(pipe: &Pipe, width: usize, paint: Paint) -> Vec<Line<'a>> {
    let cells = cells(pipe);
    let row = width.saturating_sub(4).max(1);
    let mut lines: Vec<Line<'a>> = cells
        .chunks(row)
        .take(MOST_ROWS)
        .map(|cells| {
            let letters = cells.iter().map(|cell| {
                let style = match cell {
                    Cell::Free => paint.quiet(),
                    Cell::One(place) => paint.holder(*place),
                    Cell::Several(_) => paint.strong(),
                };
                Span::styled(cell.letter().to_string(), style)
            });
            Line::from(std::iter::once(Span::raw("  ")).chain(letters).collect::<Vec<_>>())
        })
        .collect();
    let shown = cells.len().min(row.saturating_mul(MOST_ROWS)) as u64;
    if pipe.frames > shown {
        lines.push(Line::styled(format!("  and {} more", plain(&units::grouped(pipe.frames - shown))), paint.quiet()));
    }
    lines
}

/// What a pin has and did; and what it does, in full and shorter.
fn holder_line<'a>(view: &View, pipe: &Pipe, place: usize, holder: &Holder, paint: Paint) -> (Line<'a>, [String; 2]) {
    let has = match holder.holds {
        Some(holds) => format!("{}/{holds}", holder.held.len()),
        None => holder.held.len().to_string(),
    };
    let rate = view.rate(pipe.id, holder).map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}"));
    let oldest = holder.oldest_ms().map_or_else(|| "-".to_owned(), |age| plain(&milliseconds(age)));
    let arriving = if holder.is_acquirer() { "-".to_owned() } else { holder.arriving.to_string() };
    let numbers = format!(" {arriving:>4} {:>9} {rate:>7} {:>6} {oldest:>8}", holder.taken, holder.waits);
    let shorter = match (holder.admitted, holder.waiting) {
        (false, _) => "  nobody".to_owned(),
        (true, true) => "  waits".to_owned(),
        (true, false) => String::new(),
    };
    let waiting =
        holder.waiting_ms.filter(|_| holder.admitted && holder.waiting).map(|time| plain(&milliseconds(time)));
    let state = waiting.map_or_else(|| shorter.clone(), |time| format!("{shorter} {time}"));
    let style = if holder.admitted { Style::new() } else { paint.quiet() };
    let line = Line::from(vec![
        Span::styled(format!("  {} ", letter(place)), paint.holder(place).add_modifier(Modifier::BOLD)),
        Span::styled(format!("{:NAME$} ", cut(&holder.pin, NAME)), style),
        Span::styled(format!("{has:>7}"), if holder.overdraft > 0 { paint.bad() } else { style }),
        Span::styled(numbers, style),
    ]);
    (line, [state, shorter])
}

/// The newest events that have room, the newest last.
fn event_lines<'a>(status: &Status, newer: usize, room: usize, paint: Paint) -> Vec<Line<'a>> {
    let end = status.events.len().saturating_sub(newer);
    let start = end.saturating_sub(room);
    let line = |event: &Event| {
        let style = if matches!(event.what.as_str(), "joined" | "left") { Style::new() } else { paint.bad() };
        Line::styled(format!("{:>10}  {}", plain(&milliseconds(event.at_ms)), event.describe()), style)
    };
    status.events.get(start..end).unwrap_or_default().iter().map(line).collect()
}

fn keys_line<'a>(above: usize, below: usize, paint: Paint) -> Line<'a> {
    let mut text = "q end  p pause  \u{2191}\u{2193} pipes  \u{2190}\u{2192} events  . free  2-9 shared".to_owned();
    if above > 0 || below > 0 {
        text += &format!("   {above} lines above, {below} below");
    }
    Line::styled(text, paint.quiet())
}

/// The first lines, and how many there are more.
fn capped<'a>(mut lines: Vec<Line<'a>>, most: usize) -> Vec<Line<'a>> {
    let more = lines.len().saturating_sub(most);
    if more > 0 {
        lines.truncate(most.saturating_sub(1));
        if most > 0 {
            lines.push(Line::raw(format!("and {} more", more + 1)));
        }
    }
    lines
}

/// The beginning of a name that is too long.
fn cut(name: &str, most: usize) -> String {
    if name.chars().count() <= most { name.to_owned() } else { name.chars().take(most - 1).chain(['…']).collect() }
}

/// With spaces that a terminal may break.
fn plain(text: &str) -> String {
    text.replace('\u{a0}', " ")
}

#[cfg(test)]
mod tests {
    use super::super::view::Answer;
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::buffer::Buffer;
    use ratatui::crossterm::event::KeyCode;

    const STATUS: &str = include_str!("../status/fixtures/status.json");

    /// What is seen half a second after the camera had 15 frames fewer.
    fn view(now: Instant, has_colours: bool) -> View {
        let mut view = View::new("/run/user/1000/camera".to_owned(), has_colours);
        let status = Status::read(STATUS).unwrap();
        let mut before = status.clone();
        before.up_ms -= 500;
        for holder in before.pipes.iter_mut().flat_map(|pipe| &mut pipe.holders) {
            holder.taken = holder.taken.saturating_sub(15);
        }
        view.hear(Answer::Status(Box::new(before)), now);
        view.hear(Answer::Status(Box::new(status)), now);
        view
    }

    fn screen(columns: u16, rows: u16, view: &mut View, now: Instant) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| draw(frame, view, now)).unwrap();
        terminal.backend().buffer().clone()
    }

    fn text(screen: &Buffer) -> String {
        let width = usize::from(screen.area.width).max(1);
        let letters: Vec<&str> = screen.content().iter().map(|cell| cell.symbol()).collect();
        letters.chunks(width).map(|row| row.concat().trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn a_screen_of_80_by_24_has_all_kinds_of_things() {
        let now = Instant::now();
        insta::assert_snapshot!(text(&screen(80, 24, &mut view(now, true), now)));
    }

    #[test]
    fn a_large_screen_has_everything() {
        let now = Instant::now();
        insta::assert_snapshot!(text(&screen(160, 50, &mut view(now, true), now)));
    }

    #[test]
    fn without_colours_the_letters_are_the_same() {
        let now = Instant::now();
        let (with, without) = (screen(80, 24, &mut view(now, true), now), screen(80, 24, &mut view(now, false), now));
        assert_eq!(text(&with), text(&without));
        let colours = |screen: &Buffer| screen.content().iter().filter(|cell| cell.fg != Color::Reset).count();
        assert!(colours(&with) > 0);
        assert_eq!(colours(&without), 0);
    }

    #[test]
    fn holders_have_one_colour_in_their_cells_and_in_the_legend() {
        let now = Instant::now();
        let screen = screen(80, 24, &mut view(now, true), now);
        let colours_of = |letter: &str| {
            let cells = screen.content().iter().filter(|cell| cell.symbol() == letter && cell.fg != Color::Reset);
            cells.map(|cell| cell.fg).collect::<Vec<_>>()
        };
        // Frames 1 and 5, and the legend; frame 6 and the legend; frame 0 and the legend.
        assert_eq!(colours_of("A")[..3], [COLOURS[0]; 3]);
        assert_eq!(colours_of("C"), [COLOURS[2]; 2]);
        assert_eq!(colours_of("D"), [COLOURS[3]; 2]);
    }

    #[test]
    fn every_size_can_be_drawn_and_every_line_reached() {
        let now = Instant::now();
        for (columns, rows) in [(1, 1), (2, 3), (80, 1), (1, 60), (10, 5), (40, 12), (300, 100)] {
            screen(columns, rows, &mut view(now, true), now);
        }
        let mut view = view(now, true);
        let long = "overlay-with-a-name…";
        assert!(!text(&screen(80, 14, &mut view, now)).contains(long));
        (0..99).for_each(|_| view.press(KeyCode::PageDown.into()));
        assert!(text(&screen(80, 14, &mut view, now)).contains(long));
        // What went beyond the end was taken back.
        let last = view.first_line;
        view.press(KeyCode::Up.into());
        assert_eq!(view.first_line, last - 1);
        (0..99).for_each(|_| view.press(KeyCode::Left.into()));
        assert!(text(&screen(80, 24, &mut view, now)).contains("camera (process 4021) joined"));
    }

    #[test]
    fn nothing_from_the_server_works_on_the_terminal() {
        let now = Instant::now();
        let hostile = STATUS.replace("viewer", "v\\u001b[2J\\u009bx\\u202e\\r\\n");
        let mut view = View::new("camera".to_owned(), true);
        view.hear(Answer::Status(Box::new(Status::read(&hostile).unwrap())), now);
        let text = text(&screen(160, 50, &mut view, now));
        assert!(text.contains("v·[2J·x"), "{text}");
        assert!(text.chars().all(|letter| letter == '\n' || !letter.is_control()), "{text}");
    }

    #[test]
    fn before_the_first_answer_and_after_the_last_it_is_said() {
        let now = Instant::now();
        let mut view = View::new("camera".to_owned(), true);
        assert!(text(&screen(80, 24, &mut view, now)).contains("waits for the first answer"));
        view.hear(Answer::Ended, now);
        view.press(KeyCode::Char('p').into());
        let text = text(&screen(80, 24, &mut view, now));
        assert!(text.contains("paused  the server has ended"), "{text}");
    }
}
