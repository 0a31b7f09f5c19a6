//! The findings on 80 columns.

use super::libtorch::RECIPE;
use super::{AGREEMENT, Findings, Found, LibTorch};
use crate::bench::Machine;
use crate::units::{bytes, count};
use crate::words::wrap;

impl Findings {
    /// All findings, for people.
    pub fn text(&self) -> String {
        let Machine { processor, cores, memory_bytes, load } = &self.machine;
        let unknown = || "unknown".to_string();
        let mut text = format!("offbeat {}\n", self.version);
        let mut row = |name: &str, value: String| {
            let mut lines = wrap(&value, 66).into_iter();
            text += &format!("  {name:<10}  {}\n", lines.next().unwrap_or_default());
            lines.for_each(|line| text += &format!("  {:<10}  {line}\n", ""));
        };
        row("processor", format!("{processor}, {cores} cores"));
        row("vectors", self.vectors.join(", "));
        let free = self.available_bytes.map_or_else(unknown, bytes);
        row("memory", format!("{}, {free} free", memory_bytes.map_or_else(unknown, bytes)));
        row("load", load.map_or_else(unknown, |load| format!("{load:.1} processes wanted a core")));
        row("allocator", self.allocator.to_string());
        row("libtorch", libtorch(&self.libtorch));
        text += "\nsamples a second on one thread, and the difference from the first line\n";
        text += &format!("  {:<8} {:<9}", "device", "trainer");
        let networks = self.devices.iter().find_map(|found| found.trainers.first());
        for speed in networks.iter().flat_map(|tried| &tried.speeds) {
            text += &format!(" {:>10} {:>8}", speed.network, "differs");
        }
        text += "\n";
        self.devices.iter().for_each(|found| text += &device(found));
        if !self.libtorch.built_in && self.libtorch.folder.is_none() {
            text += "\nLibTorch from PyTorch's wheels (1 GB to fetch, half of it to keep):\n\n";
            text += RECIPE;
        }
        text
    }
}

fn device(found: &Found) -> String {
    if let Some(missing) = &found.missing {
        let lines = wrap(missing, 68);
        let name = |line: usize| if line == 0 { found.name.as_str() } else { "" };
        let line = |(number, line)| format!("  {:<8} {line}\n", name(number));
        return lines.iter().enumerate().map(line).collect();
    }
    let mut text = String::new();
    for tried in &found.trainers {
        text += &format!("  {:<8} {:<9}", found.name, tried.name);
        for speed in &tried.speeds {
            let differs = match (&speed.failed, speed.difference) {
                (Some(_), _) => "failed".into(),
                (None, 0.0) => "0".into(),
                (None, difference) if difference > AGREEMENT => format!("{difference:.0e}!"),
                (None, difference) => format!("{difference:.0e}"),
            };
            text += &format!(" {:>10} {differs:>8}", count(speed.samples_per_second as u64));
        }
        text += "\n";
        for (network, reason) in
            tried.speeds.iter().filter_map(|speed| Some((speed.network, speed.failed.as_ref()?)))
        {
            wrap(&format!("{network}: {reason}"), 70)
                .into_iter()
                .for_each(|line| text += &format!("         {line}\n"));
        }
    }
    text
}

fn libtorch(found: &LibTorch) -> String {
    let built = if found.built_in { "built in" } else { "not in this build" };
    let wanted = found.wanted;
    match (&found.folder, &found.version) {
        (Some(folder), Some(version)) => {
            let fits = version.split('+').next() == Some(wanted);
            let fits = if fits { "fits" } else { "does not fit" };
            format!("{built}; {version} in {} {fits} ({wanted} is wanted)", folder.display())
        }
        (Some(folder), None) => {
            format!("{built}; one of unknown version in {} ({wanted} is wanted)", folder.display())
        }
        (None, _) => format!("{built}; none found ({wanted} is wanted)"),
    }
}
