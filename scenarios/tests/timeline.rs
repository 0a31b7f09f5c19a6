//! Timelines and scripts: what happens, to whom, and that it is the same on any number of workers.

use offbeat::assemble::{Settings, assemble};
use offbeat::prepare::prepare;
use offbeat::run::Options;
use offbeat::{Loaded, Overrides, load_text};
use offbeat_actors::record::TaskEnd;
use offbeat_actors::snapshot::{Continuation, Keeper, Occasion, Snapshot};
use offbeat_actors::{Memory, Record, RunResult};
use offbeat_kernel::Time;
use offbeat_strategies::LossReason;
use proptest::prelude::*;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

/// Twelve clients, four of them in the group `edge`; a task takes about a virtual minute.
const BASE: &str = r#"
version = 1
name = "happenings"
[run]
seed = 3
virtual_hours = 1.0
[data]
dataset = "digits"
partition = "iid"
[training]
batch = 32
[strategy]
pace = { buffered = { buffer = 3, concurrency = 12 } }
[evaluation]
every_versions = 5
[population]
clients = 12
[population.device]
reference_flops_per_second = 1.0e4
[[population.group]]
name = "edge"
count = 4
"#;

fn load_in(folder: &Path, more: &str) -> Loaded {
    // A key of the top level must stand before the first section.
    let (top, rest) = more.split_once("---").unwrap_or(("", more));
    let text = BASE.replacen("[run]", &format!("{top}\n[run]"), 1) + rest;
    load_text(&folder.join("happenings.toml"), &text, &Overrides::default())
        .unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

fn run_with(loaded: &Loaded, workers: usize, timing_only: bool) -> (RunResult, Vec<Record>) {
    let options = Options { workers, timing_only, ..Options::default() };
    let prepared = prepare(&loaded.scenario, &loaded.document);
    let prepared = prepared.unwrap_or_else(|problem| panic!("{}", problem.message()));
    let federation = assemble(loaded, &prepared, &Settings::of(&options, false));
    let federation = federation.unwrap_or_else(|problem| panic!("{}", problem.message()));
    let memory = Memory::default();
    let records = memory.records.clone();
    let result = federation.run(Box::new(memory)).unwrap_or_else(|error| panic!("{error}"));
    let records = records.borrow().clone();
    (result, records)
}

fn timed(more: &str) -> (RunResult, Vec<Record>) {
    run_with(&load_in(Path::new(""), more), 1, true)
}

/// When updates of `clients` arrived, in minutes.
fn arrivals(records: &[Record], clients: std::ops::Range<u32>) -> Vec<f64> {
    let at = |record: &Record| match record {
        Record::Task(row) if row.end == TaskEnd::Arrived && clients.contains(&row.client.0) => {
            Some(row.ended.seconds() / 60.0)
        }
        _ => None,
    };
    records.iter().filter_map(at).collect()
}

const CUT: &str = r#"
[[timeline]]
at_minutes = 10
partition = { name = "tower", group = "edge" }
[[timeline]]
at_minutes = 20
heal = "tower"
"#;

#[test]
fn a_partition_leaves_exactly_its_gap() {
    let (plain, before) = timed("");
    let (cut, after) = timed(CUT);
    let inside = |times: &[f64]| times.iter().filter(|t| (10.0..=20.0).contains(*t)).count();
    assert!(inside(&arrivals(&before, 0..4)) > 10, "without a cut they answer");
    assert_eq!(inside(&arrivals(&after, 0..4)), 0, "nobody answers while cut off");
    assert_eq!(cut.counts.lost.get(&LossReason::CutOff), Some(&4), "each lost the task at hand");
    // They are invited at the moment of healing and answer one whole task later.
    let task = |rows: &[Record]| {
        let span = rows.iter().find_map(|record| match record {
            Record::Task(row) if row.client.0 == 0 && row.end == TaskEnd::Arrived => {
                Some(row.ended.since(row.invited).seconds() / 60.0)
            }
            _ => None,
        });
        span.expect("client 0 has answered")
    };
    let first = |records: &[Record]| {
        let times = arrivals(records, 0..1);
        times.into_iter().find(|t| *t > 10.0).expect("it comes back")
    };
    assert!((first(&after) - (20.0 + task(&before))).abs() < 1e-3, "{}", first(&after));
    assert!(cut.counts.updates < plain.counts.updates);
}

#[test]
fn waiting_messages_go_on_where_they_stopped() {
    let (waits, rows) =
        timed(&CUT.replace("name = \"tower\",", "name = \"tower\", messages = \"wait\","));
    assert_eq!(waits.counts.lost.get(&LossReason::CutOff), None);
    let edge = arrivals(&rows, 0..4);
    assert!(edge.iter().all(|t| !(10.001..20.0).contains(t)), "{edge:?}");
    let at_once = edge.iter().filter(|t| (20.0..20.1).contains(*t)).count();
    assert_eq!(at_once, 4, "the four finished updates arrive when the link is back");
}

#[test]
fn a_crash_of_the_server_voids_open_tasks_and_refuses_late_answers() {
    let (result, rows) = timed(
        "[server]\ndurable_every_versions = 5\n[[timeline]]\nat_minutes = 10.5\ncrash_server = { for_minutes = 0.25 }\n",
    );
    assert_eq!(result.counts.lost.get(&LossReason::ServerCrashed), Some(&12));
    let versions: Vec<u64> = (rows.iter())
        .filter_map(|record| match record {
            Record::Aggregation { version, .. } => Some(version.0),
            _ => None,
        })
        .collect();
    let back = versions.windows(2).find(|pair| pair[1] <= pair[0]);
    if let Some(pair) = back {
        assert_eq!((pair[1] - 1) % 5, 0, "it goes on after a stored version: {pair:?}");
    }
    assert!(arrivals(&rows, 0..12).iter().any(|t| *t > 30.0), "it goes on");
}

#[test]
fn timeline_and_script_are_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = r#"
        fn on_start() {
            [#{ timer: #{ name: "cut", after_minutes: 10 } },
             #{ timer: #{ name: "heal", after_minutes: 20 } }]
        }
        fn on_timer(name) {
            if name == "cut" { #{ partition: #{ name: "tower", group: "edge" } } }
            else { #{ heal: "tower" } }
        }
    "#;
    std::fs::write(folder.path().join("hooks.rhai"), script).expect("written");
    let scripted = load_in(folder.path(), "script = { file = \"hooks.rhai\" }\n---");
    let (a, _) = run_with(&scripted, 1, true);
    let (b, _) = timed(CUT);
    assert_eq!(a.digest, b.digest);
    assert_ne!(a.digest, timed("").0.digest);
}

const ALL: &str = r#"
[[timeline]]
at_minutes = 5
crash = { share = 0.25, for_minutes = 3 }
slow_down = { group = "edge", work = 2.0, link = 3.0, for_minutes = 10 }
[[timeline]]
when = { version = 10 }
repeat = true
evaluate = true
leave = { count = 1 }
[[timeline]]
every_minutes = 7
join = {}
drift = { label_rotation = 1 }
[[timeline]]
at_minutes = 15
crash_server = { for_minutes = 1 }
change = { group = "edge", link = "wifi" }
[[timeline]]
at_minutes = 18
partition = { ids = [1, 7], messages = "wait", for_minutes = 2 }
switch = { pace = { immediate = { concurrency = 6 } } }
[[timeline]]
when = { updates = 300 }
stop = "enough"
"#;

#[test]
fn all_kinds_of_happenings_give_the_same_bits_on_any_number_of_workers() {
    let loaded = load_in(Path::new(""), ALL);
    let (one, rows) = run_with(&loaded, 1, false);
    assert_eq!(one.digest, run_with(&loaded, 2, false).0.digest);
    let happened = rows.iter().filter(|record| matches!(record, Record::Happening { .. })).count();
    assert!(happened > 10, "{happened}");
    assert_eq!(one.ended, "enough");
}

/// Keeps the snapshots that the timeline asks for.
#[derive(Clone, Debug, Default)]
struct Kept(Rc<RefCell<Vec<Snapshot>>>);

impl Keeper for Kept {
    fn due(&mut self, _: Time, _: Time) -> Option<Occasion> {
        None
    }

    fn keep(&mut self, snapshot: Snapshot, _: Occasion) {
        self.0.borrow_mut().push(snapshot);
    }
}

const STATEFUL: &str = r#"
fn on_start() { this.seen = 0; #{ timer: #{ name: "again", after_minutes: 4 } } }
fn on_update(u) { this.seen += u.samples; }
fn on_timer(name) {
    let after = 1.0 + random() + (this.seen % 7) / 7.0;
    [#{ timer: #{ name: name, after_minutes: after } }, #{ crash: #{ count: 1, for_minutes: 2.5 } }]
}
"#;

#[test]
fn a_run_goes_on_from_a_snapshot_amid_timeline_and_script() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("hooks.rhai"), STATEFUL).expect("written");
    let wish = "[[timeline]]\nevery_minutes = 3.1\nsnapshot = true\n";
    let more = format!("script = {{ file = \"hooks.rhai\" }}\n---\n{ALL}{wish}");
    let loaded = load_in(folder.path(), &more);
    let options = Options { workers: 1, ..Options::default() };
    let prepared = prepare(&loaded.scenario, &loaded.document).expect("prepared");
    let go = |continuation| {
        let settings = Settings::of(&options, false);
        let federation = assemble(&loaded, &prepared, &settings).expect("assembled");
        federation.go_on(Box::new(Memory::default()), continuation).expect("it runs")
    };
    let whole = go(Continuation::default());
    let kept = Kept::default();
    let watched = go(Continuation { keeper: Some(Box::new(kept.clone())), ..Default::default() });
    assert_eq!(watched.digest, whole.digest, "taking snapshots changes nothing");
    let snapshots = kept.0.take();
    assert!(snapshots.len() >= 5, "{}", snapshots.len());
    for snapshot in snapshots {
        let now = snapshot.now;
        let rest = go(Continuation { from: Some(snapshot), ..Default::default() });
        assert_eq!(rest.digest, whole.digest, "from {now}");
        assert_eq!(rest.counts.updates, whole.counts.updates);
    }
}

fn entry() -> impl Strategy<Value = String> {
    let when = prop_oneof![
        (1u32..40).prop_map(|m| format!("at_minutes = {m}\n")),
        (3u32..20).prop_map(|m| format!("every_minutes = {m}\n")),
        (1u32..30).prop_map(|v| format!("when = {{ version = {v} }}\nrepeat = true\n")),
        (1u32..90).prop_map(|u| format!("when = {{ updates = {u} }}\n")),
    ];
    let who = prop_oneof![
        Just(String::new()),
        Just("group = \"edge\"".to_string()),
        (1u32..12).prop_map(|n| format!("count = {n}")),
        (1u32..10).prop_map(|n| format!("share = 0.{n}")),
    ];
    let what = prop_oneof![
        who.clone().prop_map(|w| format!("crash = {{ {w} }}\n")),
        who.clone().prop_map(|w| format!("restart = {{ {w} }}\n")),
        who.clone().prop_map(|w| format!("leave = {{ {w} }}\n")),
        who.clone().prop_map(|w| format!("join = {{ {w} }}\n")),
        (1u32..20).prop_map(|m| format!("partition = {{ share = 0.5, for_minutes = {m} }}\n")),
        (1u32..9).prop_map(|m| {
            format!("partition = {{ name = \"x\", messages = \"wait\", count = {m} }}\n")
        }),
        Just("heal = \"x\"\n".to_string()),
        (1u32..9).prop_map(|m| format!("crash_server = {{ for_minutes = {m} }}\n")),
        (1u32..9).prop_map(|f| format!("slow_down = {{ share = 0.5, work = {f}, link = 0.5 }}\n")),
        Just("switch = { pace = { synchronous = { clients = 5 } } }\n".to_string()),
        Just("switch = { pace = { buffered = { buffer = 2, concurrency = 6 } } }\n".to_string()),
        Just("drift = { label_rotation = 1 }\nevaluate = true\n".to_string()),
    ];
    (when, what).prop_map(|(when, what)| format!("[[timeline]]\n{when}{what}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_list_of_happenings_adds_up(
        entries in proptest::collection::vec(entry(), 1..8), lossy in 0u32..3, shared: bool,
    ) {
        let delivery = format!(
            "population.delivery = {{ lost = 0.0{lossy}, duplicated = 0.0{lossy}, reordered = 0.1 }}"
        );
        let mut overrides = Overrides { set: vec![delivery], ..Overrides::default() };
        if shared {
            overrides.set.push("server.up_mbps=0.05".into());
        }
        let text = BASE.to_string() + entries.concat().as_str();
        overrides.set[0] = overrides.set[0].replacen(" = ", "=", 1);
        let loaded = load_text(Path::new("random.toml"), &text, &overrides);
        let loaded = loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        let options = Options { workers: 1, timing_only: true, ..Options::default() };
        let prepared = prepare(&loaded.scenario, &loaded.document);
        let prepared = prepared.unwrap_or_else(|problem| panic!("{}", problem.message()));
        let federation = assemble(&loaded, &prepared, &Settings::of(&options, false));
        let federation = federation.unwrap_or_else(|problem| panic!("{}", problem.message()));
        let memory = Memory::default();
        let records = memory.records.clone();
        // A federation of which nobody is left may end with an error, never with a panic.
        let Ok(result) = federation.run(Box::new(memory)) else { return Ok(()) };
        let (mut arrived, mut lost) = (0, 0);
        for record in records.borrow().iter() {
            match record {
                Record::Task(row) if row.end == TaskEnd::Arrived => arrived += 1,
                Record::Task(_) => lost += 1,
                _ => {}
            }
        }
        prop_assert_eq!(arrived, result.counts.updates);
        prop_assert_eq!(lost, result.counts.lost.values().sum::<u64>());
        prop_assert!(result.counts.merged <= result.counts.updates);
    }
}

#[test]
fn errors_of_a_script_name_its_place_and_the_virtual_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("hooks.rhai");
    let load = || {
        let text = BASE.replacen("[run]", "script = { file = \"hooks.rhai\" }\n[run]", 1);
        load_text(&folder.path().join("x.toml"), &text, &Overrides::default())
    };
    std::fs::write(&file, "fn on_start() {\n  let x = ;\n}").expect("written");
    let shown = load().expect_err("not understood").render(false);
    assert!(shown.contains("hooks.rhai:2:"), "{shown}");
    std::fs::write(&file, "fn on_updates(u) { }").expect("written");
    assert!(load().expect_err("no such function").render(false).contains("on_update"));
    for (body, says) in [
        ("loop { }", "Too many operations"),
        ("u.nothing.at_all", "hooks.rhai:2:"),
        ("#{ crash: #{ group: \"ege\" } }", "no group is called `ege`"),
        ("import \"x\" as x;", "import"),
        ("eval(\"1\")", "eval"),
    ] {
        std::fs::write(&file, format!("fn on_update(u) {{\n{body}\n}}")).expect("written");
        let message = match load() {
            Err(problems) => problems.render(false),
            Ok(loaded) => {
                let options = Options { workers: 1, timing_only: true, ..Options::default() };
                let prepared = prepare(&loaded.scenario, &loaded.document).expect("prepared");
                let settings = Settings::of(&options, false);
                let federation = assemble(&loaded, &prepared, &settings).expect("assembled");
                let error = federation.run(Box::new(Memory::default())).expect_err("it fails");
                assert!(error.to_string().contains("at virtual time"), "{error}");
                error.to_string()
            }
        };
        assert!(message.contains(says), "{says}: {message}");
    }
}

/// Seconds that this thread has computed: what others do on the machine does not count.
#[cfg(target_os = "linux")]
fn busy() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    told.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("nanoseconds") / 1e9
}

/// `--nocapture` shows the figure; the bound is the contract.
#[cfg(target_os = "linux")]
#[test]
fn a_hook_on_every_update_costs_less_than_ten_microseconds() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = "fn on_update(u) { this.sum += u.samples; }\nfn on_start() { this.sum = 0; }";
    std::fs::write(folder.path().join("hooks.rhai"), script).expect("written");
    let more = "script = { file = \"hooks.rhai\" }\n---";
    let fast = |more: &str| {
        let mut loaded = load_in(folder.path(), more);
        let set = "population.device.reference_flops_per_second=1e6".to_string();
        let text = loaded.document.sources()[0].text.clone();
        let overrides = Overrides { set: vec![set], ..Overrides::default() };
        loaded = load_text(&folder.path().join("x.toml"), &text, &overrides).expect("valid");
        // The least of five is what it costs without the rest of the machine.
        let mut best = f64::INFINITY;
        let mut updates = 0;
        for _ in 0..5 {
            let started = busy();
            updates = run_with(&loaded, 1, true).0.counts.updates;
            best = best.min(busy() - started);
        }
        (best, updates)
    };
    let ((with, updates), (without, _)) = (fast(more), fast(""));
    let micros = (with - without) * 1e6 / updates as f64;
    println!("{updates} updates, {micros:.2} microseconds for each hook");
    assert!(micros < 10.0, "{micros} microseconds");
}
