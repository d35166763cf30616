//! Says of every frame of several pins what is in it, all in one thread: `async_viewer SOCKET PIN...`.

#[cfg(target_os = "linux")]
mod viewer {
    use kspipe_session::{Client, Frame, Frames, StreamError};
    use std::error::Error;
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// The next frame; `None` at the stream's end.
    async fn next(frames: &mut AsyncFd<Frames>) -> Result<Option<Frame>, Box<dyn Error + Send + Sync>> {
        loop {
            match frames.get_mut().try_next() {
                Ok(Some(frame)) => return Ok(Some(frame)),
                // What comes after this makes the descriptor readable. What it said before is cleared before the next look, so
                // that nothing is missed; where it was old, there is one look too many.
                Ok(None) if frames.get_mut().arm() => frames.readable_mut().await?.clear_ready(),
                Ok(None) => {}
                Err(StreamError::Ended) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn watch(pin: String, frames: Frames) -> Result<(), Box<dyn Error + Send + Sync>> {
        // SAFETY: `Frames` keeps its descriptor open, and the same, for as long as it lives.
        let mut frames = unsafe { AsyncFd::register_with_interest(frames, Interest::READABLE)? };
        while let Some(frame) = next(&mut frames).await? {
            let sum: u64 = frame.data().iter().map(|byte| u64::from(*byte)).sum();
            println!("{pin} {}: mean {}", frame.header().sequence, sum / (frame.data().len() as u64).max(1));
            drop(frame);
            // Frames that are there do not make it wait, so the others get their turn by this.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    pub(super) fn run(path: &str, pins: &[String]) -> Result<(), Box<dyn Error + Send + Sync>> {
        // These wait for the server.
        let client = Client::connect(path)?;
        let all: Vec<_> = pins.iter().map(|pin| client.pin(pin)?.frames()).collect::<Result<_, _>>()?;
        tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(async {
            let watches: Vec<_> =
                pins.iter().zip(all).map(|(pin, frames)| tokio::spawn(watch(pin.clone(), frames))).collect();
            for watched in watches {
                watched.await??;
            }
            Ok(())
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    #[cfg(target_os = "linux")]
    {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [path, pins @ ..] = arguments.as_slice() else { return Err("async_viewer SOCKET PIN...".into()) };
        viewer::run(path, pins)?;
    }
    Ok(())
}
