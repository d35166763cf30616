//! Writes every frame of a pin to a file: `recorder SOCKET PIN FILE`.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    #[cfg(target_os = "linux")]
    {
        use std::io::Write;
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [path, pin, file] = arguments.as_slice() else { return Err("recorder SOCKET PIN FILE".into()) };
        let mut file = std::fs::File::create(file)?;
        for frame in kspipe_session::Client::connect(path)?.pin(pin)?.frames()? {
            file.write_all(frame?.data())?;
        }
    }
    Ok(())
}
