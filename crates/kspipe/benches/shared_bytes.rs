//! The bytes of shared frames, 4K pictures in NV12: what it costs to read and to write them where nobody else is trusted, beside
//! slices, in the same run. Four frames in turn, which is more than the caches of most processors hold.
//!
//! `cargo bench -p kspipe --bench shared_bytes`

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
criterion::criterion_main!(linux::benches);

#[cfg(target_os = "linux")]
mod linux {
    use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, measurement::WallTime};
    use kspipe::allocator::AllocatorProperties;
    use kspipe::allocator::shared::{FrameView, Holder, SharedPool, SharedPoolProperties, WritableFrame};
    use std::hint::black_box;

    const PICTURE: usize = 3840 * 2160 * 3 / 2;
    const FRAMES: u32 = 4;

    fn sum(bytes: &[u8]) -> u64 {
        let words = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")));
        words.fold(0, u64::wrapping_add)
    }

    /// All frames of a pool. The claims keep its memory.
    fn frames() -> Vec<WritableFrame> {
        let writer = Holder::acquirer(0).expect("an acquirer");
        let mut pool = SharedPool::create(SharedPoolProperties {
            frames: AllocatorProperties { frames: FRAMES, size: PICTURE as u64, alignment: 64, prefix: 0 },
            senders: vec![],
            acquirers: 1,
            prefault: true,
            ..SharedPoolProperties::default()
        })
        .expect("a pool");
        pool.admit(writer).expect("admitted");
        let mut acquirer = pool.participant().acquirer(writer).expect("a role");
        (0..FRAMES).map(|_| acquirer.try_acquire().expect("a frame")).collect()
    }

    /// The next frame each time.
    fn each(
        group: &mut BenchmarkGroup<'_, WallTime>,
        name: &str,
        frames: &mut [WritableFrame],
        mut use_it: impl FnMut(&mut WritableFrame),
    ) {
        let mut nth = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                use_it(&mut frames[nth]);
                nth = (nth + 1) % FRAMES as usize;
            });
        });
    }

    /// As it is copied out in pieces of another length.
    fn sum_copies(frame: &FrameView, piece: &mut [u8]) -> u64 {
        let copies = (0..frame.len()).step_by(piece.len());
        copies.fold(0, |all, offset| {
            let copied = frame.copy_to(offset, piece);
            all.wrapping_add(sum(&piece[..copied]))
        })
    }

    fn sum_pieces(frame: &FrameView) -> u64 {
        let (mut reader, mut all) = (frame.reader(..), 0u64);
        while let Some(piece) = reader.next_piece() {
            all = all.wrapping_add(sum(piece));
        }
        all
    }

    fn bytes(criterion: &mut Criterion) {
        let mut frames = frames();
        frames.iter_mut().for_each(|frame| frame.fill(1));
        // What is summed is the same, however.
        let mut piece = vec![0; 32 << 10];
        let expected = sum_copies(&frames[0], &mut piece);
        assert_eq!(sum_pieces(&frames[0]), expected);
        assert_eq!(frames[0].blocks(..).fold(0u64, |all, block| all.wrapping_add(sum(&block))), expected);

        let mut group = criterion.benchmark_group("read a 4K picture");
        group.throughput(Throughput::Bytes(PICTURE as u64)).sample_size(40);
        each(&mut group, "slice, by a promise", &mut frames, |frame| {
            // SAFETY: nobody else has the pool.
            black_box(sum(unsafe { frame.bytes() }));
        });
        each(&mut group, "blocks", &mut frames, |frame| {
            black_box(frame.blocks(..).fold(0u64, |all, block| all.wrapping_add(sum(&block))));
        });
        each(&mut group, "reader", &mut frames, |frame| {
            black_box(sum_pieces(frame));
        });
        each(&mut group, "copies of 32 KiB", &mut frames, |frame| {
            black_box(sum_copies(frame, &mut piece));
        });
        let mut whole = vec![0; PICTURE];
        each(&mut group, "one copy", &mut frames, |frame| {
            black_box(sum_copies(frame, &mut whole));
        });
        group.finish();

        let mut group = criterion.benchmark_group("write a 4K picture");
        group.throughput(Throughput::Bytes(PICTURE as u64)).sample_size(40);
        each(&mut group, "set, in a slice", &mut frames, |frame| {
            // SAFETY: nobody else has the pool.
            unsafe { frame.bytes_mut() }.fill(black_box(1));
        });
        each(&mut group, "set", &mut frames, |frame| frame.fill(black_box(1)));
        each(&mut group, "copied, to a slice", &mut frames, |frame| {
            // SAFETY: nobody else has the pool.
            unsafe { frame.bytes_mut() }.copy_from_slice(black_box(&whole));
        });
        each(&mut group, "copied", &mut frames, |frame| {
            frame.copy_from(0, black_box(&whole));
        });
        group.finish();
    }

    criterion_group!(benches, bytes);
}
