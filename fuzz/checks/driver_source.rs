//! Any bytes as a driver's source: read without a panic, with places inside the text, and with framings that are what
//! they say; those that are known whole are written as C and read back the same.

use ks::FramingBlob;
use kspipe_source::{Input, Options, Place, read, write_c};

/// Panics where that does not hold. An even number of bytes is read as C, an odd one as C++, so that both grammars meet
/// whatever there is.
pub(crate) fn check(bytes: &[u8]) {
    let name = if bytes.len().is_multiple_of(2) { "a.c" } else { "a.cpp" };
    let mut included = 0;
    let source = read(&[Input::new(name, bytes)], &Options::default(), |_, path| {
        // Files that include themselves, and each other without end.
        included += 1;
        Some((format!("{}{path}", if included < 4 { "x/" } else { "" }), bytes.get(bytes.len() / 2..)?.to_vec()))
    });
    let inside = |place: Place| {
        let text = source.files[place.file].text();
        assert!(text.get(place.start..place.end).is_some(), "{place:?} of {text:?}");
        let (_, line, column) = source.position(place);
        assert!(line >= 1 && column >= 1);
    };
    for problem in &source.problems {
        inside(problem.place);
        assert!(!problem.message.is_empty());
    }
    for framing in &source.framings {
        inside(framing.place);
        inside(framing.name_place);
        for member in &framing.members {
            inside(member.place);
            if let Err(unknown) = &member.value {
                inside(unknown.place);
            }
        }
        let Ok(known) = framing.bytes() else { continue };
        let Ok(blob) = FramingBlob::parse(&known) else { continue };
        let text = write_c(&blob, "Again");
        let again = read(&[Input::new("again.cpp", &text)], &Options::default(), |_, _| None);
        let [again] = again.framings.as_slice() else { panic!("{:?}\n{text}", again.framings) };
        assert_eq!(again.bytes().expect("all of it is known"), known, "{text}");
    }
}
