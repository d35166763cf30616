//! Says which filters died or hung up, and who keeps too much, until the server has ended: `watchdog SOCKET`.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    #[cfg(target_os = "linux")]
    {
        use kspipe_session::Client;
        use std::collections::BTreeSet;
        let path = std::env::args().nth(1).ok_or("watchdog SOCKET")?;
        // Where nobody serves any more there is nothing to watch.
        let Ok(client) = Client::connect(path) else { return Ok(()) };
        let mut said = BTreeSet::new();
        while let Ok(status) = client.status() {
            let status: serde_json::Value = serde_json::from_str(&status)?;
            let lists = ["events", "warnings"].map(|list| status[list].as_array().cloned().unwrap_or_default());
            for entry in
                lists.into_iter().flatten().filter(|entry| entry["what"] != "joined" && entry["what"] != "left")
            {
                let text = format!("{} {} {}", entry["filter"], entry["what"], entry["message"]);
                if said.insert(text.clone()) {
                    println!("{text}");
                }
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
    Ok(())
}
