//! Parts that a timeline or a fork switches to have all that they need, and are judged as the written ones are.

use offbeat::run::{Options, trace};
use offbeat::{Overrides, load_text};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn scenario(more: &str, strategy: &str) -> String {
    format!(
        "version = 1\nname = \"s\"\nrun = {{ seed = 4, versions = 6 }}\n\
         data = {{ dataset = \"digits\", partition = {{ dirichlet = {{ alpha = 1.0 }} }} }}\n\
         population = {{ clients = 8, device = {{ reference_flops_per_second = 1e6 }} }}\n\
         output = {{ snapshot = {{ every_virtual_minutes = 0.02, keep = 100 }} }}\n\
         [strategy]\npace = {{ synchronous = {{ clients = 4 }} }}\n{strategy}\n{more}"
    )
}

fn ended(text: &str) -> Result<(u64, u64), String> {
    let loaded = load_text(Path::new("s.toml"), text, &Overrides::default())
        .map_err(|problems| problems.render(false))?;
    let options = Options { workers: 1, ..Options::default() };
    let result = trace(&loaded, &options).map_err(|failure| format!("{failure:?}"))?;
    Ok((result.counts.versions, result.counts.failed))
}

#[test]
fn a_timeline_can_switch_to_parts_that_need_samples_or_distances() {
    let switch =
        |part: &str| format!("[[timeline]]\nwhen = {{ version = 2 }}\nswitch = {{ {part} }}\n");
    let uniform = "weigh = [\"uniform\"]";
    for part in ["combine = { fltrust = { samples = 40 } }", "weigh = [\"cosine-distance\"]"] {
        assert_eq!(ended(&scenario(&switch(part), uniform)), Ok((6, 0)), "{part}");
    }
    let back = "weigh = [\"uniform\"]\ncombine = { fltrust = { samples = 40 } }";
    assert_eq!(ended(&scenario(&switch("combine = \"mean\""), back)), Ok((6, 0)));
}

#[test]
fn what_a_switched_part_lacks_is_told_at_the_switch() {
    let switch = |part: &str| format!("[[timeline]]\nat_minutes = 1\nswitch = {{ {part} }}\n");
    for (part, lack) in [
        ("pace = { fedboost = { clients = 4 } }", "client_test_share"),
        (
            "pace = { synchronous = { clients = 40 } }",
            "40 clients in a round, but there are only 8",
        ),
        ("weigh = [\"script\"]", "left to a script"),
    ] {
        let error = ended(&scenario(&switch(part), "")).expect_err(part);
        let error =
            error.replace(['\n', '│'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(error.contains(lack) && error.contains("after this switch"), "{part}: {error}");
    }
}

fn offbeat(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offbeat"));
    let output = command.args(arguments).current_dir(folder).output().expect("the command starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn run(folder: &Path, strategy: &str) -> PathBuf {
    fs::write(folder.join("s.toml"), scenario("", strategy)).expect("writable");
    offbeat(folder, &["run", "s.toml", "--out", "out", "--quiet"]);
    let mut runs = fs::read_dir(folder.join("out")).expect("the folder of runs");
    runs.next().expect("a run").expect("readable").path()
}

#[test]
fn forks_come_from_and_go_to_parts_that_need_samples_or_distances() {
    let uniform = "weigh = [\"uniform\"]";
    let trusting = "weigh = [\"uniform\"]\ncombine = { fltrust = { samples = 40 } }";
    for (from, set) in [
        (uniform, "strategy.combine={ fltrust = { samples = 40 } }"),
        (trusting, "strategy.combine=\"mean\""),
        (uniform, "strategy.weigh=[\"cosine-distance\"]"),
        ("weigh = [\"cosine-distance\"]", "strategy.weigh=[\"uniform\"]"),
    ] {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let dir = run(folder.path(), from);
        let dir = dir.to_string_lossy();
        let said = offbeat(folder.path(), &["fork", &dir, "--at", "3s", "--set", set, "--json"]);
        let summary: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(summary["versions"].as_u64(), Some(6), "{from} to {set}");
    }
}
