//! A little of everything is measured: this program starts itself as the other process.

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("not run: frames go between processes on Linux only");
}

#[cfg(target_os = "linux")]
fn main() {
    use std::time::Duration;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["peer", ..] => return kspipe_bench::peer(&arguments[1..]).expect("it does what it is asked"),
        rest if rest.contains(&"--list") => return println!("ipc: test"),
        _ => {}
    }
    let options = kspipe_bench::Options {
        program: std::env::current_exe().expect("this program"),
        arguments: vec!["peer".to_owned()],
        rounds: 1,
        frames: 50,
        wakes: 5,
        pictures: 3,
        paced: Duration::from_millis(50),
    };
    let report = kspipe_bench::ipc(&options).expect("it measures");
    assert_eq!(report.rows.len(), 6);
    for row in &report.rows {
        assert!(row.nanoseconds > 0.0 && row.beside.len() >= 2, "{row:?}");
        assert!(row.beside.iter().all(|beside| beside.nanoseconds > 0.0 && beside.ratio > 0.0), "{row:?}");
    }
    assert!(report.wakes.ratio > 0.0 && report.wakes.interval[0] <= report.wakes.interval[1], "{:?}", report.wakes);
    assert_eq!((report.pictures.len(), report.paced.len()), (4, 3));
    assert!(report.to_string().contains("GStreamer"));
    assert!(kspipe_bench::peer(&["nothing".to_owned()]).is_err());
    println!("\ntest result: ok. 1 passed; 0 failed; 0 ignored");
}
