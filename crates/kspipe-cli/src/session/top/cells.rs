//! A pipe's frames as cells, each a letter: who has the frame.

use super::super::status::model::Pipe;

/// More frames than this are not drawn.
const MOST: usize = 4096;

/// Who has a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// Nobody.
    Free,
    /// One holder, by its place in the pipe's list.
    One(usize),
    /// So many holders.
    Several(usize),
}

impl Cell {
    /// The letter for it.
    pub(super) fn letter(self) -> char {
        match self {
            Cell::Free => '.',
            Cell::One(place) => letter(place),
            Cell::Several(count) => {
                u32::try_from(count).ok().and_then(|count| char::from_digit(count, 10)).unwrap_or('+')
            }
        }
    }
}

/// The letter of a holder, by its place in the pipe's list. There are at most 40.
pub(super) fn letter(place: usize) -> char {
    ('A'..='Z').chain('a'..='z').nth(place).unwrap_or('?')
}

/// The frames of a pipe, the first of them where there are very many.
pub(super) fn cells(pipe: &Pipe) -> Vec<Cell> {
    let count = usize::try_from(pipe.frames).unwrap_or(usize::MAX).min(MOST);
    let mut cells = vec![Cell::Free; count];
    for (place, holder) in pipe.holders.iter().enumerate() {
        for held in &holder.held {
            let cell = usize::try_from(held.frame).ok().and_then(|frame| cells.get_mut(frame));
            if let Some(cell) = cell {
                *cell = match *cell {
                    Cell::Free => Cell::One(place),
                    Cell::One(_) => Cell::Several(2),
                    Cell::Several(count) => Cell::Several(count + 1),
                };
            }
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::super::super::status::model::{Held, Holder};
    use super::*;

    fn drawn(frames: u64, held: &[&[u64]]) -> String {
        let holder = |frames: &&[u64]| Holder {
            held: frames.iter().map(|frame| Held { frame: *frame, age_ms: 0 }).collect(),
            ..Holder::default()
        };
        let pipe = Pipe { frames, holders: held.iter().map(holder).collect(), ..Pipe::default() };
        cells(&pipe).into_iter().map(Cell::letter).collect()
    }

    #[test]
    fn a_frame_is_its_holders_letter_or_how_many_have_it() {
        assert_eq!(drawn(6, &[&[0, 3], &[1, 3], &[3]]), "AB.3..");
        assert_eq!(drawn(3, &[]), "...");
        let ten = [&[0_u64][..]; 10];
        assert_eq!(drawn(1, &ten), "+");
    }

    #[test]
    fn what_cannot_be_is_not_drawn() {
        assert_eq!(drawn(2, &[&[5, u64::MAX]]), "..");
        assert_eq!(drawn(u64::MAX, &[&[0]]).len(), MOST);
        assert_eq!((letter(0), letter(26), letter(51), letter(52)), ('A', 'a', 'z', '?'));
    }
}
