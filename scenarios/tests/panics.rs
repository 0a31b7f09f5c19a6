//! A part of a strategy that panics: the run ends with all that it takes to find the defect, and what was
//! computed before is kept and goes on once the part is mended.

use offbeat::run::{Failure, Options, resume, run};
use offbeat::{Overrides, load_text};
use offbeat_kernel::{ClientId, Stream, Version};
use offbeat_learning::Flat;
use offbeat_strategies::guard::{Finding, Guard};
use offbeat_strategies::pace::Immediate;
use offbeat_strategies::seams::{
    Batch, Combine, Companion, Desk, Group, Pace, PaceSignal, Refine, Select, View, Weigh,
};
use offbeat_strategies::{Registry, Update};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A part of every seam; all of them give up at version 3 while `broken` is set.
#[derive(Clone, Debug)]
struct Brittle {
    broken: Arc<AtomicBool>,
}

impl Brittle {
    fn hold(&self, version: Version) {
        assert!(version.0 < 3 || !self.broken.load(Relaxed), "gives up at version {}", version.0);
    }
}

impl Select for Brittle {
    fn select(&mut self, want: usize, view: &View<'_>, _: &mut Stream) -> Vec<ClientId> {
        self.hold(view.version);
        view.all_free().into_iter().take(want).collect()
    }
}

impl Pace for Brittle {
    fn on(&mut self, signal: PaceSignal, desk: &mut Desk<'_>) {
        self.hold(desk.view.version);
        Immediate { concurrency: 2, max_staleness: None }.on(signal, desk);
    }
}

impl Guard for Brittle {
    fn update(&mut self, _: &mut Update, view: &View<'_>) -> Option<Finding> {
        self.hold(view.version);
        None
    }
}

impl Group for Brittle {
    fn group(&mut self, updates: &[Update], view: &View<'_>) -> Vec<u32> {
        self.hold(view.version);
        vec![0; updates.len()]
    }
}

impl Weigh for Brittle {
    fn weigh(&mut self, updates: &[Update], _: &Flat, view: &View<'_>) -> Vec<f64> {
        self.hold(view.version);
        vec![1.0; updates.len()]
    }
}

impl Combine for Brittle {
    fn combine(&mut self, batch: &mut Batch<'_>, view: &View<'_>) -> Flat {
        self.hold(view.version);
        batch.updates.map(|(_, update)| update.params).last().unwrap_or_else(|| batch.model.clone())
    }
}

impl Refine for Brittle {
    fn refine(&mut self, model: Flat, _: &[Update], view: &View<'_>) -> Flat {
        self.hold(view.version);
        model
    }
}

impl Companion for Brittle {
    fn outfit(&mut self, _: ClientId, _: &Flat) -> BTreeMap<String, Flat> {
        BTreeMap::new()
    }

    fn absorb(&mut self, _: &Update, view: &View<'_>) {
        self.hold(view.version);
    }
}

fn registry(broken: &Arc<AtomicBool>) -> Registry {
    let mut registry = Registry::default();
    macro_rules! shelve {
        ($($seam:ident),*) => {$(
            let part = Brittle { broken: broken.clone() };
            registry.$seam.add("brittle", move |_| Ok(Box::new(part.clone())));
        )*};
    }
    shelve!(select, pace, guard, group, weigh, combine, refine, companion);
    registry
}

fn scenario(strategy: &str) -> String {
    format!(
        "version = 1\nname = \"brittle\"\nrun = {{ seed = 9, rounds = 6 }}\n\
         data = {{ dataset = \"digits\", partition = {{ iid = {{}} }} }}\n\
         population = {{ clients = 6, device = {{ reference_flops_per_second = 1e6 }} }}\n\
         [strategy]\n{strategy}\n\
         [output]\nsnapshot = {{ every_virtual_minutes = 0.005, keep = 3 }}\n"
    )
}

/// Everything of a run whose `strategy` panics at version 3.
fn broken(
    strategy: &str,
    out: &Path,
) -> (Box<offbeat_actors::Panicked>, String, std::path::PathBuf) {
    let flag = Arc::new(AtomicBool::new(true));
    let options = Options {
        registry: registry(&flag),
        out: Some(out.into()),
        workers: 1,
        ..Options::default()
    };
    let loaded = load_text(Path::new("b.toml"), &scenario(strategy), &Overrides::default())
        .unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    match run(&loaded, &options) {
        Err(Failure::Panicked { panicked, message, kept }) => (panicked, message, kept),
        other => panic!("{strategy}: {other:?}"),
    }
}

const PACE: &str = "pace = { synchronous = { clients = 3 } }\n";

#[test]
fn every_seam_is_named_with_its_place_in_the_run() {
    let part = |seam: &str, extra: &str| {
        let value = "{ custom = { name = \"brittle\" } }";
        let value =
            if matches!(seam, "guard" | "weigh") { format!("[{value}]") } else { value.into() };
        format!("{}{seam} = {value}\n", if extra.is_empty() { "" } else { extra })
    };
    for seam in ["select", "pace", "guard", "group", "weigh", "combine", "refine", "companion"] {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let strategy = part(seam, if seam == "pace" { "" } else { PACE });
        let (panicked, message, kept) = broken(&strategy, folder.path());
        assert_eq!(panicked.part, format!("strategy.{seam}"));
        assert_eq!(panicked.text, "gives up at version 3");
        assert_eq!((panicked.version, panicked.seed), (Version(3), 9), "{seam}");
        assert!(panicked.at.seconds() > 0.0, "{seam}");
        if matches!(seam, "guard" | "companion") {
            assert!(panicked.client.is_some() && panicked.task.is_some(), "{seam}: {message}");
        }
        let again = format!("offbeat run {}/scenario.toml --seed 9", kept.display());
        assert!(message.contains(&again), "{message}");
        let rows = std::fs::read_to_string(kept.join("metrics.csv")).expect("all rows");
        assert!(rows.lines().any(|row| row.contains("aggregation")), "{rows}");
        let told = std::fs::read_to_string(kept.join("failure.json")).expect("the failure");
        let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!((told["version"].as_u64(), told["seed"].as_u64()), (Some(3), Some(9)));
        let page = std::fs::read_to_string(kept.join("report.html")).expect("the report so far");
        assert!(page.contains("gives up at version 3"));
        assert!(kept.join("model.safetensors").exists());
    }
}

#[test]
fn a_mended_part_goes_on_to_the_end_of_the_whole_run() {
    let strategy = format!("{PACE}combine = {{ custom = {{ name = \"brittle\" }} }}");
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (_, message, kept) = broken(&strategy, folder.path());
    assert!(message.contains(&format!("offbeat resume {}", kept.display())), "{message}");
    let mended = Arc::new(AtomicBool::new(false));
    let options = |out| Options {
        registry: registry(&mended),
        out: Some(out),
        workers: 1,
        ..Options::default()
    };
    let whole = tempfile::tempdir().expect("a temporary directory");
    let loaded = load_text(Path::new("b.toml"), &scenario(&strategy), &Overrides::default());
    let loaded = loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    let uninterrupted = run(&loaded, &options(whole.path().into())).expect("nothing panics");
    let gone_on = resume(&kept, &loaded, &options(folder.path().into()), |_| {}).expect("goes on");
    assert_eq!(gone_on.digest, uninterrupted.digest);
    assert!(rows(&gone_on.run_dir) == rows(&uninterrupted.run_dir), "other rows");
}

/// All rows of a run without the wall clock's column.
fn rows(dir: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(dir).join("metrics.csv")).expect("rows");
    let without = |row: &str| {
        row.split(',')
            .enumerate()
            .filter(|(i, _)| *i != 2)
            .map(|(_, cell)| format!("{cell},"))
            .collect()
    };
    text.lines().map(without).collect()
}
