//! Tests of whole pages and of the comparison.

use super::samples::{Sample, six_by_three};
use super::stats::Estimate;
use super::*;

/// A run whose curve goes straight from (0 s, 0.0) to (`seconds`, `accuracy`).
fn straight(label: &str, seed: u64, seconds: f64, accuracy: f64) -> RunData {
    let point = |part: f64| EvalPoint {
        attack_success: None,
        virtual_seconds: seconds * part,
        updates: (100.0 * part) as u64,
        bytes_up: (4000.0 * part) as u64,
        bytes_down: (6000.0 * part) as u64,
        accuracy: accuracy * part,
        loss: 2.0 - part,
        per_class: vec![accuracy * part, 1.0],
        ..EvalPoint::default()
    };
    RunData {
        label: label.into(),
        seed,
        evaluations: vec![point(0.0), point(1.0)],
        client_accuracy: vec![accuracy; 5],
        mean_staleness: Some(2.0),
        p95_staleness: Some(5.0),
        wasted_share: Some(0.25),
        ..RunData::default()
    }
}

/// Pages must not ask for anything outside and must close what they open.
fn sound(page: &str) {
    for word in ["http", "src=", "@import", "url(", "<link", "NaN", "inf\"", " inf "] {
        assert!(!page.contains(word), "{word} in the page");
    }
    for name in [
        "section", "svg", "table", "figure", "details", "ul", "div", "path", "text", "rect",
        "circle",
    ] {
        let opened =
            page.matches(&format!("<{name} ")).count() + page.matches(&format!("<{name}>")).count();
        let own = page
            .split(&format!("<{name} "))
            .skip(1)
            .filter(|rest| rest.split('>').next().is_some_and(|tag| tag.ends_with('/')))
            .count();
        assert_eq!(opened - own, page.matches(&format!("</{name}>")).count(), "<{name}>");
    }
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
}

#[test]
fn time_to_target_is_the_one_computed_by_hand() {
    // 0.8 is reached at 0.8 / 0.9 of 90 s and of 180 s: 80 s and 160 s; mean 120 s, s = 56.5685,
    // s / sqrt(2) = 40, times t(0.975, 1) = 12.7062.
    let runs =
        [straight("a", 1, 90.0, 0.9), straight("b", 1, 10.0, 0.5), straight("a", 2, 180.0, 0.9)];
    let found = Comparison::new(&runs, Some(Target::Accuracy(0.8)));
    assert_eq!(
        found
            .rows
            .iter()
            .map(|row| (row.label.as_str(), row.runs, row.reached))
            .collect::<Vec<_>>(),
        [("a", 2, 2), ("b", 1, 0)]
    );
    let time = found.rows[0].seconds_to_target.expect("reached");
    assert!(
        (time.mean - 120.0).abs() < 1e-9
            && (time.half_width.expect("two runs") - 40.0 * 12.706_204_74).abs() < 1e-6
    );
    assert!((found.rows[0].updates_to_target.expect("reached").mean - 800.0 / 9.0).abs() < 1e-9);
    assert!((found.rows[0].bytes_to_target.expect("reached").mean - 80_000.0 / 9.0).abs() < 1e-9);
    assert_eq!(
        (found.rows[1].seconds_to_target, found.rows[1].missed().as_deref()),
        (None, Some("not reached (1 of 1)"))
    );
    assert_eq!(found.rows[1].per_class[0], Some(Estimate { mean: 0.5, half_width: None, n: 1 }));
    assert_eq!(found.rows[0].wasted_share.map(|e| (e.mean, e.half_width)), Some((0.25, Some(0.0))));
}

#[test]
fn a_loss_is_reached_from_above() {
    let runs = [straight("a", 1, 100.0, 0.9)];
    let reached = |target: Target| {
        Comparison::new(&runs, Some(target)).rows[0].seconds_to_target.map(|e| e.mean)
    };
    assert_eq!(reached(Target::Loss(1.5)), Some(50.0));
    assert_eq!(reached(Target::Loss(0.5)), None);
}

#[test]
fn targets_are_read_and_refused() {
    assert_eq!("accuracy=0.8".parse(), Ok(Target::Accuracy(0.8)));
    assert_eq!(" loss = 0.5".parse(), Ok(Target::Loss(0.5)));
    for text in ["0.8", "accuracy=80", "accuracy=x", "f1=0.3", "loss=nan"] {
        let problem = text.parse::<Target>().expect_err("refused").to_string();
        assert!(problem.contains(text) && problem.contains("accuracy=0.8"), "{problem}");
    }
}

#[test]
fn the_table_fits_eighty_columns() {
    let mut runs = six_by_three();
    runs.push(straight("a run with a label that is far too long for any terminal", 1, 1e9, 0.9));
    let found = Comparison::new(&runs, Some(Target::Accuracy(0.88)));
    let text = table::text(&found, true);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
    assert!(text.contains("not reached (3 of 3)") && text.contains('…'), "{text}");
    assert_eq!(table::text(&Comparison::new(&[], None), true), "Nothing to compare: no runs.\n");
}

#[test]
fn the_table_reads_well() {
    let runs = [
        straight("synchronous", 1, 3600.0, 0.9),
        straight("synchronous", 2, 3700.0, 0.7),
        straight("buffered", 1, 1800.0, 0.9),
        straight("buffered", 2, 1900.0, 0.88),
        straight("deadline", 1, 900.0, 0.6),
    ];
    insta::assert_snapshot!(table::text(&Comparison::new(&runs, Some(Target::Accuracy(0.8))), true), @r"
    To accuracy 0.8
    strategy               time (min)      updates   bytes (kB)
    synchronous                  53.3         88.9         8.89
                 not reached (1 of 2)
    buffered              27.7 ± 13.5  89.9 ± 12.8  8.99 ± 1.28
    deadline     not reached (1 of 1)            –            –

    strategy     runs       accuracy    worst tenth  stale (p95)  wasted (%)
    synchronous     2  0.800 ± 1.271  0.800 ± 1.271      2.0 (5)  25.0 ± 0.0
    buffered        2  0.890 ± 0.127  0.890 ± 0.127      2.0 (5)  25.0 ± 0.0
    deadline        1          0.600          0.600      2.0 (5)        25.0

    Accuracy by class
    strategy         0      1
    synchronous  0.800  1.000
    buffered     0.890  1.000
    deadline     0.600  1.000

    Mean over runs ± half of the 95 % interval (Student's t).
    stale: mean age of updates in versions, and its 95th percentile.
    The bytes that were sent stand in the page.
    ");
}

#[test]
fn numbers_survive_json() {
    let mut run = straight("a", 7, 90.0, 0.75);
    let outcomes = [
        Outcome::Arrived,
        Outcome::Lost("went-offline".into()),
        Outcome::Cancelled,
        Outcome::Running,
    ];
    let span = |outcome| TaskSpan { client: 3, start: 0.5, end: 2.25, outcome, version: 1 };
    run.tasks = outcomes.into_iter().map(span).collect();
    run.staleness = vec![3, 0, 1];
    run.counts.lost.insert("went-offline".into(), 1);
    let text = serde_json::to_string(&run).expect("written");
    assert_eq!(serde_json::from_str::<RunData>(&text).expect("read"), run);
    run.evaluations[1].loss = f64::NAN;
    run.evaluations[1].per_class[0] = f64::INFINITY;
    run.client_accuracy[0] = f64::NAN;
    let text = serde_json::to_string(&run).expect("written");
    let back: RunData = serde_json::from_str(&text).expect("read");
    assert!(
        back.evaluations[1].loss.is_nan()
            && back.evaluations[1].per_class[0].is_nan()
            && back.client_accuracy[0].is_nan()
    );
    let found = Comparison::new(&six_by_three(), Some(Target::Accuracy(0.8)));
    let text = serde_json::to_string(&found).expect("written");
    assert_eq!(serde_json::from_str::<Comparison>(&text).expect("read").rows.len(), 6);
}

#[test]
fn pages_are_sound_whatever_the_data() {
    for (name, run) in cases() {
        let page = run_page(&run);
        sound(&page);
        assert!(page.len() < 1_500_000, "{name}: {} bytes", page.len());
        sound(&compare_page(&[run], Some(&Target::Accuracy(0.8))));
    }
    let mut seeds: Vec<RunData> = cases().into_iter().take(4).map(|(_, run)| run).collect();
    seeds.iter_mut().for_each(|run| run.label = "same".into());
    let page = compare_page(&seeds, None);
    sound(&page);
    assert!(page.contains("leaves a gap") && page.contains("One variant"));
    sound(&compare_page(&[], None));
    let page = compare_page(&six_by_three(), Some(&Target::Accuracy(0.88)));
    sound(&page);
    assert!(page.len() < 1_500_000 && page.contains("not reached (3 of 3)"), "{}", page.len());
}

#[test]
fn many_large_runs_stay_small() {
    let mut runs = Vec::new();
    for label in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"] {
        for seed in 1..=2 {
            runs.push(
                Sample {
                    label,
                    seed,
                    clients: 400,
                    evaluations: 3000,
                    hours: 72.0,
                    classes: 100,
                    ..Sample::default()
                }
                .run(),
            );
        }
    }
    let page = compare_page(&runs, Some(&Target::Accuracy(0.5)));
    sound(&page);
    assert!(page.len() < 1_500_000 && page.contains("Thinned"), "{}", page.len());
}

/// Runs that a page must bear.
fn cases() -> Vec<(&'static str, RunData)> {
    let mut diverged = Sample { label: "diverged", ..Sample::default() }.run();
    for (place, evaluation) in diverged.evaluations.iter_mut().enumerate().skip(20) {
        evaluation.loss = if place < 24 { 1e3 * place as f64 } else { f64::NAN };
        evaluation.accuracy = if place % 5 == 0 { f64::NAN } else { 0.1 };
    }
    diverged.evaluations[30].per_class = vec![f64::NAN; 10];
    diverged.client_accuracy[4] = f64::NAN;
    let mut evil = Sample { clients: 5, ..Sample::default() }.run();
    for text in
        [&mut evil.name, &mut evil.label, &mut evil.scenario, &mut evil.strategy, &mut evil.digest]
    {
        *text = format!(
            "</svg></script><script>alert('{text}')</script>&\"{}",
            "very long ".repeat(12)
        );
    }
    evil.counts.lost.insert("<b>reason</b>".into(), 3);
    let large = Sample {
        label: "diurnal",
        clients: 10_000,
        hours: 72.0,
        evaluations: 5000,
        stale: 700,
        classes: 1000,
        ..Sample::default()
    };
    vec![
        ("typical", Sample::default().run()),
        ("empty", RunData::default()),
        (
            "one point",
            Sample {
                label: "one point",
                evaluations: 1,
                clients: 1,
                hours: 0.02,
                stale: 1,
                ..Sample::default()
            }
            .run(),
        ),
        ("diverged", diverged),
        ("evil", evil),
        ("large", large.run()),
    ]
}

#[test]
fn texts_from_outside_do_nothing() {
    let (_, evil) = cases().remove(4);
    for page in [run_page(&evil), compare_page(&[evil], None)] {
        assert!(!page.contains("<script>alert") && !page.contains("<b>reason"));
    }
}

/// Writes pages to look at: `OFFBEAT_SAMPLES=dir cargo test -p offbeat -- --ignored sample_pages`.
#[test]
#[ignore = "writes files to look at"]
fn sample_pages() {
    let folder = std::env::var_os("OFFBEAT_SAMPLES")
        .map_or_else(std::env::temp_dir, std::path::PathBuf::from);
    let write =
        |name: &str, text: String| std::fs::write(folder.join(name), text).expect("written");
    for (name, run) in cases() {
        write(&format!("run-{}.html", name.replace(' ', "-")), run_page(&run));
    }
    let six = six_by_three();
    write("compare-six.html", compare_page(&six, Some(&Target::Accuracy(0.88))));
    write("compare-one.html", compare_page(&six[..1], None));
    let odd: Vec<RunData> = cases().into_iter().map(|(_, run)| run).collect();
    write("compare-odd.html", compare_page(&odd, Some(&Target::Accuracy(0.8))));
    write("table.txt", table::text(&Comparison::new(&six, Some(Target::Accuracy(0.88))), true));
}
