//! `offbeat bench`.

use super::run::all_cores;
use super::{Failure, device_list, print};
use crate::bench::{Case, Figures, How, Machine, Report, Row, WORKLOADS, cases, measure};
use crate::complaint::complain;
use crate::device::DeviceList;
use clap::Args;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Arguments of `bench`.
#[derive(Clone, Debug, Args)]
pub struct BenchArgs {
    /// Workloads: cnn, mlp, softmax-1k, overhead (or one size, such as overhead-1M), async, large, day
    /// [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Numbers of worker threads; several, such as 1,2, are put beside each other [default: all cores]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub workers: Vec<u16>,
    /// What computes, as in `run`
    #[arg(long, value_name = "LIST", value_parser = device_list, default_value = "flex")]
    pub device: DeviceList,
    /// Runs of each, of which the fastest counts
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub repeat: u16,
    /// Short forms of the workloads, for a first look
    #[arg(long)]
    pub quick: bool,
    /// Samples, partition, schedule and first weights from the files in this folder (cnn, mlp, softmax-1k,
    /// async), as another simulator uses them; BENCHMARKS.md says which files
    #[arg(long, value_name = "DIR")]
    pub files: Option<PathBuf>,
    /// Set one key of the scenarios, such as training.trainer=autodiff; can be repeated
    #[arg(long, value_name = "PATH.TO.KEY=VALUE")]
    pub set: Vec<String>,
    /// Where files of data sets are looked for
    #[arg(long, value_name = "DIR", env = "OFFBEAT_DATA")]
    pub data_dir: Option<PathBuf>,
    /// Print JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Measure in this process and print the figures: what the command starts for each run.
    #[arg(long, hide = true)]
    pub here: bool,
}

/// Measures and prints.
pub(super) fn bench(args: &BenchArgs) -> Result<(), Failure> {
    let wanted = cases(&args.names, args.quick).map_err(|message| {
        complain(&message);
        Failure::Wrong
    })?;
    if args.here {
        return here(args, &wanted);
    }
    let machine = Machine::here();
    let workers: Vec<usize> = match args.workers.as_slice() {
        [] => vec![all_cores()],
        some => some.iter().map(|workers| usize::from(*workers)).collect(),
    };
    let mut rows = Vec::new();
    let mut failure = None;
    for case in &wanted {
        match in_turns(case, &workers, args) {
            Ok(found) => rows.extend(found),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    // What was measured before something failed is worth showing.
    let report = Report::new(machine, usize::from(args.repeat), rows);
    print(&match args.json {
        true => serde_json::to_string(&report).unwrap_or_default() + "\n",
        false => report.text(),
    })?;
    failure.map_or(Ok(()), Err)
}

/// All repeats of a case, the numbers of workers taking turns.
fn in_turns(case: &Case, workers: &[usize], args: &BenchArgs) -> Result<Vec<Row>, Failure> {
    let mut found: Vec<Vec<Figures>> = vec![Vec::new(); workers.len()];
    let mut digest: Option<String> = None;
    for repeat in 1..=args.repeat {
        for (workers, found) in workers.iter().zip(&mut found) {
            let figures = apart(case, *workers, args)?;
            if *digest.get_or_insert_with(|| figures.digest.clone()) != figures.digest {
                let name = case.name();
                return Err(Failure::Failed(format!("{name}: two runs had different results")));
            }
            eprintln!(
                "{}, {workers} workers, run {repeat} of {}: {:.3} s",
                case.name(),
                args.repeat,
                figures.wall_seconds
            );
            found.push(figures);
        }
    }
    Ok(found.into_iter().filter_map(Row::of).collect())
}

/// One measurement in a process of its own.
fn apart(case: &Case, workers: usize, args: &BenchArgs) -> Result<Figures, Failure> {
    let name = case.name();
    let failed = |reason: String| Failure::Failed(format!("{name}: {reason}"));
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let mut command = Command::new(program);
    command.args(["bench", &name, "--here", "--device", &args.device.to_string()]);
    command.args(["--workers", &workers.to_string()]);
    command.args(args.set.iter().flat_map(|set| ["--set", set]));
    if args.quick {
        command.arg("--quick");
    }
    for (option, path) in [("--files", &args.files), ("--data-dir", &args.data_dir)] {
        if let Some(path) = path {
            command.arg(option).arg(path);
        }
    }
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(format!("the run ended with {}", output.status)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
}

fn here(args: &BenchArgs, wanted: &[Case]) -> Result<(), Failure> {
    let [case] = wanted else {
        let message = format!("--here takes one case; there are {} workloads", WORKLOADS.len());
        return Err(Failure::Failed(message));
    };
    let how = How {
        workers: args.workers.first().map_or_else(all_cores, |workers| usize::from(*workers)),
        device: args.device.clone(),
        data_dir: args.data_dir.clone(),
        given: args.files.clone(),
        set: args.set.clone(),
    };
    let figures = measure(case, &how).map_err(Failure::Failed)?;
    print(&(serde_json::to_string(&figures).unwrap_or_default() + "\n"))
}
