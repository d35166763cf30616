//! A source or a sink by itself, for a program whose pictures come, or go, some other way than through a graph that runs in it.

use super::engine::header;
use super::filters::{self, FilterError, Role, Sink, Source};
use super::format::MediaFormat;
use super::prepare::Interrupts;
use crate::allocator::FrameHeader;
use crate::graph::Run;

/// Makes pictures, as a filter that is a source does.
///
/// ```
/// use kspipe::graph::{PixelFormat, Rate, Run};
/// use kspipe::stream::PictureSource;
///
/// let (format, rate) = (PixelFormat::Nv12, Rate { numerator: 30, denominator: 1 });
/// let run = Run::Pattern { format, width: 16, height: 8, rate, frames: Some(2) };
/// let mut source = PictureSource::open(&run)?.expect("a pattern is a source");
/// let mut picture = vec![0; source.format().frame_bytes()];
/// let mut count = 0;
/// while let Some(header) = source.next(&mut picture)? {
///     assert_eq!(header.sequence, count);
///     count += 1;
/// }
/// assert_eq!(count, 2);
/// # Ok::<(), kspipe::stream::FilterError>(())
/// ```
pub struct PictureSource {
    source: Box<dyn Source>,
    next: u64,
}

impl std::fmt::Debug for PictureSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PictureSource")
            .field("format", &self.format())
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl PictureSource {
    /// Opens a source, and reads its header; `None`: that is no source.
    ///
    /// # Errors
    /// Its file cannot be opened, or is not what it should be.
    pub fn open(run: &Run) -> Result<Option<Self>, FilterError> {
        let source = filters::open_source(run, &Interrupts::default().reading).transpose()?;
        Ok(source.map(|source| Self { source, next: 0 }))
    }

    /// What its pictures are.
    pub fn format(&self) -> MediaFormat {
        self.source.format()
    }

    /// Writes the next picture over the whole of `picture`, which is as long as the format says, and gives what travels with
    /// it; `None` at the end.
    ///
    /// # Errors
    /// Its file cannot be read, or is not what it should be.
    pub fn next(&mut self, picture: &mut [u8]) -> Result<Option<FrameHeader>, FilterError> {
        let number = self.next;
        if !self.source.fill(picture, number)? {
            return Ok(None);
        }
        self.next = number.saturating_add(1);
        Ok(Some(header(&self.source.format(), number, picture.len() as u64)))
    }
}

/// Takes pictures, as a filter that is a sink does.
pub struct PictureSink(Box<dyn Sink>);

impl std::fmt::Debug for PictureSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PictureSink").finish_non_exhaustive()
    }
}

impl PictureSink {
    /// Creates a sink, and its file, for pictures of a format; `None`: that is no sink.
    ///
    /// # Errors
    /// Its file cannot be created.
    pub fn create(run: &Run, format: &MediaFormat) -> Result<Option<Self>, FilterError> {
        if !filters::is_sink(run) {
            return Ok(None);
        }
        let role = filters::open(run, format, &Interrupts::default().writing).transpose()?;
        Ok(role.and_then(|role| if let Role::Sink(sink) = role { Some(Self(sink)) } else { None }))
    }

    /// Takes one, in the order they come.
    ///
    /// # Errors
    /// It cannot be written, or is no picture of the format.
    pub fn take(&mut self, picture: &[u8], header: &FrameHeader) -> Result<(), FilterError> {
        self.0.take(picture, header)
    }

    /// Writes out what is not yet written, also after [`take`](Self::take) failed, and gives the digest of all pictures where
    /// the sink makes one.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self) -> Result<Option<String>, FilterError> {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{PixelFormat, Rate};

    fn pattern(frames: u64) -> Run {
        let rate = Rate { numerator: 25, denominator: 1 };
        Run::Pattern { format: PixelFormat::I420, width: 6, height: 4, rate, frames: Some(frames) }
    }

    #[test]
    fn pictures_go_from_a_source_to_a_sink_and_are_digested() {
        let digest = |frames: u64| {
            let mut source = PictureSource::open(&pattern(frames)).unwrap().unwrap();
            let mut sink = PictureSink::create(&Run::Checksum { path: None }, &source.format()).unwrap().unwrap();
            let mut picture = vec![0; source.format().frame_bytes()];
            let mut times = Vec::new();
            while let Some(header) = source.next(&mut picture).unwrap() {
                sink.take(&picture, &header).unwrap();
                times.push(header.presentation_time);
            }
            assert_eq!(times.len() as u64, frames);
            assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 400_000));
            sink.finish().unwrap().unwrap()
        };
        assert_eq!(digest(3), digest(3));
        assert_ne!(digest(3), digest(4));
    }

    #[test]
    fn what_is_no_source_or_no_sink_is_none() {
        let format = PictureSource::open(&pattern(1)).unwrap().unwrap().format();
        for run in [Run::Invert, Run::Tee, Run::Hold { frames: 1 }] {
            assert!(
                PictureSource::open(&run).unwrap().is_none() && PictureSink::create(&run, &format).unwrap().is_none()
            );
        }
        assert!(PictureSink::create(&pattern(1), &format).unwrap().is_none());
        assert!(PictureSource::open(&Run::Discard).unwrap().is_none());
        assert!(PictureSource::open(&Run::Y4mSource { path: "/nothing".into() }).is_err());
    }
}
