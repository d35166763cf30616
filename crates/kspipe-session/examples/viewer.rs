//! Says of every frame of a pin what is in it, from a loop that could wait for other things, too: `viewer SOCKET PIN`.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    #[cfg(target_os = "linux")]
    {
        use kspipe_session::{Client, StreamError};
        use rustix::event::{PollFd, PollFlags, poll};
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [path, pin] = arguments.as_slice() else { return Err("viewer SOCKET PIN".into()) };
        let mut frames = Client::connect(path)?.pin(pin)?.frames()?;
        loop {
            match frames.try_next() {
                Ok(Some(frame)) => {
                    let sum: u64 = frame.data().iter().map(|byte| u64::from(*byte)).sum();
                    println!("{}: mean {}", frame.header().sequence, sum / (frame.data().len() as u64).max(1));
                }
                Ok(None) if frames.arm() => drop(poll(&mut [PollFd::new(&frames, PollFlags::IN)], None)?),
                Ok(None) => {}
                Err(StreamError::Ended) => break,
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}
