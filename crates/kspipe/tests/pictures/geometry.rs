//! Where the things of an SVG picture are: boxes, words and arrows, read from the document alone.

use roxmltree::{Document, Node};

/// Left, top, right, bottom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rectangle(pub(crate) f64, pub(crate) f64, pub(crate) f64, pub(crate) f64);

impl Rectangle {
    pub(crate) fn overlaps(&self, other: &Rectangle) -> bool {
        self.0 < other.2 && other.0 < self.2 && self.1 < other.3 && other.1 < self.3
    }
    pub(crate) fn contains(&self, other: &Rectangle) -> bool {
        self.0 <= other.0 && self.1 <= other.1 && other.2 <= self.2 && other.3 <= self.3
    }
    fn has_inside(&self, (x, y): (f64, f64)) -> bool {
        self.0 + 1.0 < x && x < self.2 - 1.0 && self.1 + 1.0 < y && y < self.3 - 1.0
    }
}

/// Some words and the room they take.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) text: String,
    pub(crate) room: Rectangle,
}

/// A filter's box and the words that belong into it.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) room: Rectangle,
    pub(crate) words: Vec<Words>,
}

/// An arrow: points along it, and its words.
#[derive(Clone, Debug)]
pub(crate) struct Arrow {
    pub(crate) title: String,
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) words: Vec<Words>,
}

#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub(crate) room: Rectangle,
    pub(crate) filters: Vec<Filter>,
    pub(crate) arrows: Vec<Arrow>,
    /// The headline and the legend.
    pub(crate) others: Vec<Words>,
}

pub(crate) fn number(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
}

pub(crate) fn has_class(node: Node<'_, '_>, class: &str) -> bool {
    node.attribute("class").is_some_and(|classes| classes.split(' ').any(|other| other == class))
}

/// The widths of ASCII from the space on, in thousandths of the size, of DejaVu Sans and its bold face: wide fonts.
const PLAIN: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636,
    636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863,
    748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635,
    615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636,
    337, 636, 838,
];
const BOLD: [u16; 95] = [
    348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696, 696, 696, 696, 696,
    696, 696, 696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830, 683, 683, 821, 837, 372, 372, 775, 637, 995,
    837, 850, 733, 850, 770, 720, 682, 812, 774, 1103, 771, 724, 725, 457, 365, 457, 838, 500, 500, 675, 716, 593, 716,
    678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687, 716, 716, 493, 595, 478, 712, 652, 924, 645, 652, 582, 712,
    365, 712, 838,
];

/// The room of a text, by the fonts its classes name.
fn words(node: Node<'_, '_>, (shift_x, shift_y): (f64, f64)) -> Words {
    let text = node.text().unwrap_or_default().to_owned();
    let (size, bold) = match () {
        () if has_class(node, "number") => (9.0, true),
        () if has_class(node, "small") => (10.0, has_class(node, "bold")),
        () if has_class(node, "pin") => (11.0, false),
        () if has_class(node, "name") => (13.0, true),
        () => (12.0, false),
    };
    let width = |letter: char| match (letter as usize).checked_sub(32) {
        Some(_) if has_class(node, "pin") && letter.is_ascii() => 602.0,
        Some(place) if place < 95 => f64::from(if bold { BOLD[place] } else { PLAIN[place] }),
        _ if matches!(letter, '×' | '→') => 838.0,
        _ => 1000.0,
    };
    let width = text.chars().map(width).sum::<f64>() * size / 1000.0;
    let (x, y) = (number(node, "x") + shift_x, number(node, "y") + shift_y);
    let left = match () {
        () if has_class(node, "end") => x - width,
        () if has_class(node, "middle") || has_class(node, "number") => x - width / 2.0,
        () => x,
    };
    // Capitals above the line, the tails of letters below it.
    Words { text, room: Rectangle(left, y - 0.76 * size, left + width, y + 0.24 * size) }
}

impl Picture {
    pub(crate) fn of(svg: &str) -> Picture {
        let document = Document::parse(svg).unwrap_or_else(|error| panic!("{error}:\n{svg}"));
        let root = document.root_element();
        let view: Vec<f64> =
            root.attribute("viewBox").unwrap().split(' ').map(|number| number.parse().unwrap()).collect();
        let mut picture = Picture {
            room: Rectangle(view[0], view[1], view[0] + view[2], view[1] + view[3]),
            filters: Vec::new(),
            arrows: Vec::new(),
            others: Vec::new(),
        };
        let is = |node: &Node<'_, '_>, name: &str| node.tag_name().name() == name;
        for node in root.descendants().filter(|node| is(node, "text")) {
            if !node.ancestors().any(|above| is(&above, "g")) {
                picture.others.push(words(node, (0.0, 0.0)));
            }
        }
        for group in root.descendants().filter(|node| is(node, "g")) {
            let shift = group.ancestors().find_map(|above| above.attribute("transform")).map_or((0.0, 0.0), |shift| {
                let inner = shift.strip_prefix("translate(").and_then(|rest| rest.strip_suffix(')')).unwrap();
                let (x, y) = inner.split_once(' ').unwrap();
                (x.parse().unwrap(), y.parse().unwrap())
            });
            let texts = group.descendants().filter(|node| is(node, "text"));
            if has_class(group, "filter") {
                let shape = group.descendants().find(|node| is(node, "rect") && has_class(*node, "box")).unwrap();
                let (x, y) = (number(shape, "x") + shift.0, number(shape, "y") + shift.1);
                let room = Rectangle(x, y, x + number(shape, "width"), y + number(shape, "height"));
                let words = texts.map(|text| words(text, shift)).collect();
                picture.filters.push(Filter { room, words });
            } else if has_class(group, "arrow") {
                let line = group.children().find(|node| is(node, "path")).unwrap();
                let points = points(line.attribute("d").unwrap());
                picture.arrows.push(Arrow {
                    title: group
                        .children()
                        .find_map(|node| node.text().filter(|_| is(&node, "title")))
                        .unwrap()
                        .to_owned(),
                    points: points.into_iter().map(|(x, y)| (x + shift.0, y + shift.1)).collect(),
                    words: texts.map(|text| words(text, shift)).collect(),
                });
            }
        }
        picture
    }

    /// What is wrong with the picture, in words.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (place, filter) in self.filters.iter().enumerate() {
            if !self.room.contains(&filter.room) {
                faults.push(format!("box {place} is outside of the picture"));
            }
            for (other, second) in self.filters.iter().enumerate().take(place) {
                if filter.room.overlaps(&second.room) {
                    faults.push(format!("boxes {other} and {place} overlap"));
                }
            }
            // The numbers of pins stand on the side of the box.
            for (at, words) in filter.words.iter().enumerate() {
                let on_side = words.text.chars().all(|letter| letter.is_ascii_digit());
                if !on_side && !filter.room.contains(&words.room) {
                    faults.push(format!("{:?} is outside of its box", words.text));
                }
                for second in &filter.words[..at] {
                    if words.room.overlaps(&second.room) {
                        faults.push(format!("{:?} overlaps {:?}", words.text, second.text));
                    }
                }
            }
        }
        let mut labels: Vec<&Words> = self.arrows.iter().flat_map(|arrow| &arrow.words).collect();
        for words in &labels {
            for filter in self.filters.iter().filter(|filter| filter.room.overlaps(&words.room)) {
                faults.push(format!("{:?} lies over the box of {:?}", words.text, filter.words.first()));
            }
        }
        labels.extend(&self.others);
        for (place, words) in labels.iter().enumerate() {
            if !self.room.contains(&words.room) {
                faults.push(format!("{:?} is outside of the picture", words.text));
            }
            for second in labels[..place].iter().filter(|second| second.room.overlaps(&words.room)) {
                faults.push(format!("{:?} overlaps {:?}", words.text, second.text));
            }
        }
        for arrow in &self.arrows {
            for point in &arrow.points {
                if !self.room.contains(&Rectangle(point.0, point.1, point.0, point.1)) {
                    faults.push(format!("{} leaves the picture at {point:?}", arrow.title));
                    break;
                }
                if let Some(place) = self.filters.iter().position(|filter| filter.room.has_inside(*point)) {
                    faults.push(format!("{} runs through box {place} at {point:?}", arrow.title));
                    break;
                }
            }
        }
        faults
    }
}

/// Points along a path of absolute M, L, H, C and Q, about four pixels apart.
fn points(path: &str) -> Vec<(f64, f64)> {
    let mut tokens: Vec<(char, Vec<f64>)> = Vec::new();
    let mut word = String::new();
    let flush = |word: &mut String, tokens: &mut Vec<(char, Vec<f64>)>| {
        if !word.is_empty() {
            tokens.last_mut().expect("a letter comes first").1.push(word.parse().unwrap());
            word.clear();
        }
    };
    for letter in path.chars() {
        match letter {
            'M' | 'L' | 'H' | 'C' | 'Q' => {
                flush(&mut word, &mut tokens);
                tokens.push((letter, Vec::new()));
            }
            ' ' => flush(&mut word, &mut tokens),
            other => word.push(other),
        }
    }
    flush(&mut word, &mut tokens);
    let mut points: Vec<(f64, f64)> = Vec::new();
    for (letter, numbers) in tokens {
        let start = points.last().copied().unwrap_or_default();
        let corners: Vec<(f64, f64)> = match letter {
            'H' => vec![start, (numbers[0], start.1)],
            'M' => vec![(numbers[0], numbers[1])],
            _ => std::iter::once(start).chain(numbers.chunks(2).map(|pair| (pair[0], pair[1]))).collect(),
        };
        let length: f64 = corners.windows(2).map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1)).sum();
        let steps = (length / 4.0).ceil().max(1.0) as usize;
        for step in 1..=steps {
            points.push(bezier(&corners, step as f64 / steps as f64));
        }
    }
    points
}

/// De Casteljau's point of a curve with any number of corners.
fn bezier(corners: &[(f64, f64)], at: f64) -> (f64, f64) {
    let mut corners = corners.to_vec();
    while corners.len() > 1 {
        corners = corners
            .windows(2)
            .map(|pair| (pair[0].0 + (pair[1].0 - pair[0].0) * at, pair[0].1 + (pair[1].1 - pair[0].1) * at))
            .collect();
    }
    corners[0]
}
