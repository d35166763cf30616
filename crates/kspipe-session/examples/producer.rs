//! Fills the frames of a pin: `producer SOCKET PIN FRAMES`.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    #[cfg(target_os = "linux")]
    {
        use kspipe_session::{Client, WriteError};
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [path, pin, frames] = arguments.as_slice() else { return Err("producer SOCKET PIN FRAMES".into()) };
        let mut writer = Client::connect(path)?.pin(pin)?.writer()?;
        for number in 0..frames.parse::<u64>()? {
            let mut frame = match writer.acquire(None) {
                Err(WriteError::Stopping) => break,
                frame => frame?,
            };
            frame.bytes_mut().fill(number as u8);
            writer.send(frame)?;
        }
        writer.end();
    }
    Ok(())
}
