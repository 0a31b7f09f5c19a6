//! What has to be the same for a snapshot to go on: the build, the scenario, the data.

use crate::prepare::Prepared;
use crate::rundir::Build;
use crate::scenario::Scenario;
use offbeat_kernel::{Digest, codec};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::sync::OnceLock;

/// Texts by name. The scenario is there in full, so that one can say what differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(BTreeMap<String, String>);

impl Fingerprint {
    /// Of this build running `scenario` on the data that were prepared.
    pub fn of(scenario: &Scenario, prepared: &Prepared) -> Self {
        let build = Build::this();
        let script = scenario.sections().script.as_ref();
        let script = script.and_then(|script| std::fs::read(&script.file).ok());
        let data = codec::encode(&prepared.who_holds_what()).unwrap_or_default();
        let items = [
            ("version", build.version.to_string()),
            ("features", build.features.join(" ")),
            ("machine", format!("{} {}", build.arch, build.os)),
            ("vector units", build.cpu_features.join(" ")),
            ("executable", executable().to_string()),
            ("scenario", scenario.to_toml().unwrap_or_default()),
            ("data", Digest::of(&data).short()),
            ("script", script.map(|text| Digest::of(&text).short()).unwrap_or_default()),
        ];
        Self(items.into_iter().map(|(name, text)| (name.to_string(), text)).collect())
    }

    /// The same without the scenario: what another scenario on the same data has in common with it.
    #[must_use]
    pub fn without_scenario(&self) -> Self {
        let mut rest = self.0.clone();
        rest.remove("scenario");
        Self(rest)
    }

    /// What differs, in words that name both sides; nothing when both are the same. `self` is the present.
    pub fn differences(&self, snapshot: &Fingerprint) -> Vec<String> {
        let names: Vec<&String> = self.0.keys().chain(snapshot.0.keys()).collect();
        let mut found = Vec::new();
        for name in names {
            let (here, there) = (self.0.get(name), snapshot.0.get(name));
            let text = match (here, there) {
                (here, there) if here == there => continue,
                (Some(here), Some(there)) if name == "scenario" => lines(here, there),
                (Some(here), Some(there)) => {
                    let cut = |text: &str| text.chars().take(40).collect::<String>();
                    format!("{name}: the snapshot's is {}, here it is {}", cut(there), cut(here))
                }
                _ => format!("{name}: known on one side only"),
            };
            if !found.contains(&text) {
                found.push(text);
            }
        }
        found
    }
}

/// The first lines of a scenario that are on one side only.
fn lines(here: &str, there: &str) -> String {
    let only = |a: &str, b: &str| {
        let lines: Vec<&str> =
            a.lines().filter(|line| !b.lines().any(|other| other == *line)).collect();
        lines.into_iter().take(3).collect::<Vec<_>>().join(", ")
    };
    format!(
        "scenario: the snapshot's has [{}], here it has [{}]",
        only(there, here),
        only(here, there)
    )
}

/// Digest of the running program; read once. Where it cannot be read, that of nothing.
fn executable() -> &'static str {
    static DIGEST: OnceLock<String> = OnceLock::new();
    DIGEST.get_or_init(|| read_executable().map(|digest| digest.short()).unwrap_or_default())
}

fn read_executable() -> std::io::Result<Digest> {
    // The link of the process goes on to name the program when its file is replaced meanwhile.
    let own = File::open("/proc/self/exe").or_else(|_| File::open(std::env::current_exe()?));
    let mut bytes = Vec::new();
    own?.read_to_end(&mut bytes)?;
    Ok(Digest::of(&bytes))
}
