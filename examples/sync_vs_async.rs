//! The same clients, data and seed under two paces: who is further after the same virtual time?
//!
//! A synchronous round waits for its slowest client. A buffer merges whatever has arrived.
//!
//! `cargo run --release -p offbeat-examples --bin sync_vs_async`

use offbeat::run::{Options, run};
use offbeat::{Overrides, load_text};
use std::path::Path;

const SCENARIO: &str = r#"
version = 1
name = "sync-vs-async"
run = { seed = 5, versions = 1000, virtual_hours = 0.05 }
data = { dataset = "digits", partition = { dirichlet = { alpha = 0.3 } } }
network = { model = "softmax" }
training = { epochs = 2, batch = 16, sgd = { rate = 0.05 } }
evaluation = { every_versions = 10 }

[population]
clients = 50
link = "mobile-4g"
device = { reference_flops_per_second = 1e6, speed = { lognormal = { median = 1.0, sigma = 1.0 } } }

[strategy]
"#;

fn main() {
    let options = Options { out: Some(std::env::temp_dir()), ..Options::default() };
    println!("{:<12} {:>9} {:>9} {:>9}", "pace", "versions", "updates", "accuracy");
    for (name, pace) in [
        ("synchronous", "pace = { synchronous = { clients = 10 } }"),
        ("buffered", "pace = { buffered = { buffer = 5, concurrency = 10 } }"),
    ] {
        let text = format!("{SCENARIO}{pace}\n");
        let loaded = load_text(Path::new("sync-vs-async.toml"), &text, &Overrides::default());
        let loaded = loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        match run(&loaded, &options) {
            Ok(done) => {
                let accuracy = done.last.get("accuracy").copied().unwrap_or(f64::NAN);
                println!("{name:<12} {:>9} {:>9} {accuracy:>9.4}", done.versions, done.updates);
            }
            Err(failure) => panic!("{failure:?}"),
        }
    }
}
