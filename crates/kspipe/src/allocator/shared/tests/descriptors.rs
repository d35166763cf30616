//! What is refused of descriptors that come from others, and how frames lie in their files.

use super::*;
use std::os::fd::OwnedFd;

/// Opens what a pool's descriptors are after a change.
fn opened(change: impl FnOnce(&SharedPool, &mut Descriptors)) -> Result<Participant, OpenError> {
    let pool = SharedPool::create(properties(4, &[acquirer(0)], 1)).unwrap();
    let mut descriptors = pool.descriptors().unwrap();
    change(&pool, &mut descriptors);
    Participant::open(descriptors, Access::Write)
}

fn memfd(length: u64, sealed: bool) -> OwnedFd {
    let file = files::create(c"test", 1).unwrap();
    rustix::fs::ftruncate(&file, length).unwrap();
    if sealed {
        files::seal(&file, false).unwrap();
    }
    file
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn descriptors_that_are_not_a_pools_are_refused() {
    use DescriptorError::{Length, NotAMemfd, NotAnEvent, NotSealed};
    let null = || OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
    let file = || OwnedFd::from(tempfile::tempfile().unwrap());
    let refused = |change: &dyn Fn(&SharedPool, &mut Descriptors)| opened(change).unwrap_err();
    assert!(opened(|_, _| ()).is_ok());

    assert_eq!(refused(&|_, d| d.control = null()), OpenError::Control(NotAMemfd));
    let of_a_disk = refused(&|_, d| d.control = file());
    assert!(matches!(of_a_disk, OpenError::Control(NotAMemfd | NotSealed)), "{of_a_disk}");
    assert_eq!(refused(&|_, d| d.control = memfd(1 << 16, false)), OpenError::Control(NotSealed));
    let empty = Length { expected: 4096, found: 0 };
    assert_eq!(refused(&|_, d| d.control = memfd(0, true)), OpenError::Control(empty));
    assert_eq!(refused(&|_, d| d.control = memfd(1 << 16, true)), OpenError::Header { place: 0, value: 0 });
    assert_eq!(refused(&|_, d| d.control = files::read_only(&d.control).unwrap()), OpenError::ControlReadOnly);

    assert_eq!(refused(&|_, d| d.events.clear()), OpenError::Events { expected: 2, found: 0 });
    let blocking = || rustix::event::eventfd(0, rustix::event::EventfdFlags::CLOEXEC).unwrap();
    for (place, holder) in [in_pin(0), acquirer(0)].into_iter().enumerate() {
        let event = OpenError::Event { holder, error: NotAnEvent };
        assert_eq!(refused(&|_, d| d.events[place] = null()), event);
        assert_eq!(refused(&|_, d| d.events[place] = memfd(4096, true)), event);
        assert_eq!(refused(&|_, d| d.events[place] = blocking()), event);
    }

    let frames = |error| OpenError::Frames(MapError::Descriptor { file: 0, error });
    assert_eq!(refused(&|_, d| d.frames.clear()), OpenError::Frames(MapError::Files { expected: 1, found: 0 }));
    assert_eq!(refused(&|_, d| d.frames = vec![null()]), frames(NotAMemfd));
    assert_eq!(refused(&|_, d| d.frames = vec![memfd(4096, false)]), frames(NotSealed));
    let short = Length { expected: 4096, found: 0 };
    assert_eq!(refused(&|_, d| d.frames = vec![memfd(0, true)]), frames(short));
    let read_only = |pool: &SharedPool, d: &mut Descriptors| d.frames = pool.read_only_frames().unwrap();
    assert_eq!(refused(&read_only), OpenError::Frames(MapError::ReadOnly { file: 0 }));
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn a_header_that_says_another_pool_is_refused_before_it_is_used() {
    for place in 0..48 {
        for value in [u64::MAX, 1 << 20, 1 << 15] {
            let change = |pool: &SharedPool, _: &mut Descriptors| {
                words(pool).region.at(place).store(value, Ordering::Relaxed);
            };
            assert!(opened(change).is_err(), "{place} {value}");
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn a_pool_written_by_its_creator_cannot_be_mapped_to_be_written() {
    let properties = SharedPoolProperties { written_by: WrittenBy::Creator, ..properties(2, &[acquirer(0)], 1) };
    let mut pool = SharedPool::create(properties).unwrap();
    pool.admit(acquirer(0)).unwrap();
    pool.admit(in_pin(0)).unwrap();
    let error = Participant::open(pool.descriptors().unwrap(), Access::Write).unwrap_err();
    assert_eq!(error, OpenError::Frames(MapError::ReadOnly { file: 0 }));
    let mut descriptors = pool.descriptors().unwrap();
    // Not through a descriptor opened again either, which the same user can do.
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&descriptors.frames[0]));
    descriptors.frames = vec![std::fs::File::options().read(true).write(true).open(path).unwrap().into()];
    let reader = Participant::open(descriptors, Access::Read).unwrap();
    let mut receiver = reader.receiver(in_pin(0)).unwrap();
    let here = pool.participant().clone();
    let (mut frames, mut sender) = (here.acquirer(acquirer(0)).unwrap(), here.sender(acquirer(0)).unwrap());
    send(&mut frames, &mut sender, 3);
    let frame = receiver.try_receive().unwrap();
    assert_eq!(number(&frame), 3);
    assert!(frame.try_into_writable().is_err(), "it is mapped to be read");
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn isolated_frames_have_a_file_each() {
    let properties = SharedPoolProperties { isolate: true, ..properties(3, &[acquirer(0)], 1) };
    let mut pool = SharedPool::create(properties.clone()).unwrap();
    pool.admit(acquirer(0)).unwrap();
    let mut frames = pool.participant().acquirer(acquirer(0)).unwrap();
    let mut held: Vec<_> = std::iter::from_fn(|| frames.try_acquire().ok()).collect();
    for frame in &mut held {
        let byte = frame.index() as u8 + 1;
        frame.fill(byte);
    }
    let files = pool.read_only_frames().unwrap();
    assert_eq!(files.len(), 3);
    // One frame, by its file alone.
    let one = SharedPoolProperties { frames: AllocatorProperties { frames: 1, ..properties.frames }, ..properties };
    for (byte, file) in (1..).zip(files) {
        let memory = FrameMemory::open(vec![file], &one, Access::Read).unwrap();
        let mut bytes = [0; SIZE + 1];
        assert_eq!(memory.frame(0).unwrap().copy_to(0, &mut bytes), SIZE);
        assert_eq!(bytes[..SIZE], [byte; SIZE]);
        assert!(memory.frame(1).is_none());
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn frames_and_prefixes_lie_where_the_alignment_says() {
    for alignment in [1, 64, 4096, 1 << 16, 1 << 21] {
        for isolate in [false, true] {
            let frames = AllocatorProperties { frames: 3, size: 5000, alignment, prefix: 24 };
            let properties = SharedPoolProperties { frames, isolate, ..properties(3, &[acquirer(0)], 1) };
            let mut pool = SharedPool::create(properties).unwrap();
            pool.admit(acquirer(0)).unwrap();
            let there = Participant::open(pool.descriptors().unwrap(), Access::Write).unwrap();
            let mut frames = there.acquirer(acquirer(0)).unwrap();
            let held: Vec<_> = std::iter::from_fn(|| frames.try_acquire().ok()).collect();
            assert_eq!(held.len(), 3);
            for frame in held {
                let (start, length) = frame.prefix();
                assert_eq!((start.addr() % alignment as usize, length), (0, 24), "{alignment} {isolate}");
                assert_eq!(frame.as_ptr().addr() - start.addr(), 24);
                assert_eq!(frame.len() as u64, there.properties().frames.size);
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn frames_of_properties_that_cannot_be_are_not_mapped() {
    let properties = |alignment, size| SharedPoolProperties {
        frames: AllocatorProperties { frames: 1, size, alignment, prefix: 0 },
        ..SharedPoolProperties::default()
    };
    let opened = |properties: &SharedPoolProperties| {
        FrameMemory::open(vec![memfd(4096, true)], properties, Access::Read).map(|_| ())
    };
    assert_eq!(opened(&properties(70_000, 64)), Err(MapError::Alignment(70_000)));
    assert_eq!(opened(&properties(0, 64)), Err(MapError::Alignment(0)));
    assert!(matches!(opened(&properties(64, 0)), Err(MapError::Memory(_))));
    assert!(matches!(opened(&properties(64, u64::MAX)), Err(MapError::Memory(_))));
    assert_eq!(opened(&properties(64, 4096)), Ok(()));
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no memory")]
fn bytes_past_the_end_are_not_copied() {
    let (_pool, there) = pool(1, &[], 1);
    let mut frame = there.acquirer(acquirer(0)).unwrap().try_acquire().unwrap();
    assert_eq!(frame.len(), SIZE);
    assert_eq!(frame.copy_from(SIZE - 3, &[9; 10]), 3);
    assert_eq!(frame.copy_from(SIZE, &[9; 10]), 0);
    assert_eq!(frame.copy_from(usize::MAX, &[9; 10]), 0);
    let mut bytes = [0; 10];
    assert_eq!(frame.copy_to(SIZE - 4, &mut bytes), 4);
    assert_eq!(bytes[..5], [0, 9, 9, 9, 0]);
    assert_eq!(frame.copy_to(usize::MAX, &mut bytes), 0);
}
