//! The `offbeat` command.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 the run
//! failed, 2 wrong usage or a wrong scenario, 3 the run was interrupted and can be resumed, 130 ended by
//! force with a second Ctrl-C.

mod bench;
mod check;
mod compare;
mod data;
mod doctor;
mod explain;
mod fork;
mod list;
mod logging;
mod make;
mod resume;
mod run;
mod sweep;
mod usage;

use crate::complaint::{complain, remark};
use crate::device::DeviceList;
use crate::report::Target;
use crate::words::wrap;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// What somebody new does.
const FIRST_STEPS: &str = "\
First steps:
  offbeat init                    write scenario.toml, a file to start from
  offbeat check scenario.toml     say what is wrong with it, if anything
  offbeat explain scenario.toml   say what will happen
  offbeat run scenario.toml       run it
  offbeat explain training.batch  say what a key means";

/// Simulates federated learning in virtual time, with real training.
#[derive(Debug, Parser)]
#[command(name = "offbeat", version, max_term_width = 80, arg_required_else_help = true)]
#[command(after_help = FIRST_STEPS)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a scenario
    Run(Box<RunArgs>),
    /// Go on with a run that was killed, interrupted or failed, from its last snapshot
    Resume(ResumeArgs),
    /// Go on from a snapshot of a run in another way: what if?
    Fork(ForkArgs),
    /// Run the grid that a scenario's `sweep` table names, and compare
    Sweep(SweepArgs),
    /// Put finished runs beside each other
    Compare(CompareArgs),
    /// Say everything that is wrong with a scenario, without running it
    Check(CheckArgs),
    /// Say what a key, an error code or a scenario means
    Explain(ExplainArgs),
    /// Print the JSON Schema of scenario files, for editors
    Schema(SchemaArgs),
    /// Write a scenario to start from
    Init(make::InitArgs),
    /// Write a crate with a strategy part of your own
    NewStrategy(make::NewStrategyArgs),
    /// Look at data sets of persons, and write synthetic ones
    Data(data::DataArgs),
    /// Say what this build can compute with on this machine, and how fast
    Doctor(doctor::DoctorArgs),
    /// Measure this build on the benchmark workloads
    Bench(bench::BenchArgs),
    /// Show what there is
    List(ListArgs),
}

/// The scenario, and what changes in it.
#[derive(Clone, Debug, Args)]
pub struct ScenarioArgs {
    /// The scenario file
    pub scenario: PathBuf,
    /// Seed of the run, instead of the scenario's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Set one key of the scenario, such as training.batch=16; can be repeated
    #[arg(long, value_name = "PATH.TO.KEY=VALUE")]
    pub set: Vec<String>,
    /// Where files of data sets are looked for, instead of the scenario's place
    #[arg(long, value_name = "DIR", env = "OFFBEAT_DATA")]
    pub data_dir: Option<PathBuf>,
    /// Let the scenario name files outside its own folder and the data folder
    #[arg(long)]
    pub allow_outside: bool,
    /// Print JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `explain`.
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// A key such as training.batch, an error code such as unknown_key, or a scenario file
    pub what: String,
    /// Seed of the scenario, instead of its own
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Set one key of the scenario, such as training.batch=16; can be repeated
    #[arg(long, value_name = "PATH.TO.KEY=VALUE")]
    pub set: Vec<String>,
    /// Where files of data sets are looked for, instead of the scenario's place
    #[arg(long, value_name = "DIR", env = "OFFBEAT_DATA")]
    pub data_dir: Option<PathBuf>,
    /// Let the scenario name files outside its own folder and the data folder
    #[arg(long)]
    pub allow_outside: bool,
    /// Print JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// A list of devices, with what is wrong on lines of at most 80 columns.
fn device_list(text: &str) -> Result<DeviceList, String> {
    text.parse().map_err(|error: String| {
        let (wrong, hint) = error.split_once(": ").unwrap_or((&error, "see `offbeat doctor`"));
        let (wrong, hint) = (wrap(wrong, 76).join("\n  "), wrap(hint, 70).join("\n        "));
        format!("\n  {wrong}\n\n  help: {hint}")
    })
}

/// Arguments of `run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// The scenario.
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// Threads that compute; the result is the same with any number [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub workers: Option<u16>,
    /// Most mebibytes of results that are computed before they are needed; the result is the same with any
    /// number [default: half of the memory]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    pub memory_mb: Option<u64>,
    /// What computes: flex (the processor), tch, wgpu, cuda, wgpu:1 (the second card), or a list with
    /// one worker for each entry, such as wgpu:0,wgpu:1,flex*2 [default: flex]
    #[arg(long, value_name = "LIST", value_parser = device_list)]
    pub device: Option<DeviceList>,
    /// Where the run directory is made, instead of the scenario's place
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Show no progress and no summary, only warnings and errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Run twice with different numbers of workers, and name the first event that differs
    #[arg(long)]
    pub check_determinism: bool,
    /// The same events, times and bytes, but nothing is learned
    #[arg(long)]
    pub timing_only: bool,
    /// Serve counters for Prometheus at this address while the run lasts, such as 127.0.0.1:9100
    #[arg(long, value_name = "ADDR")]
    pub prometheus: Option<SocketAddr>,
}

/// Arguments of `resume`.
#[derive(Clone, Debug, Args)]
pub struct ResumeArgs {
    /// The run directory
    pub dir: PathBuf,
    /// Threads that compute; the result is the same with any number [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub workers: Option<u16>,
    /// Most mebibytes of results that are computed before they are needed; the result is the same with any
    /// number [default: half of the memory]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    pub memory_mb: Option<u64>,
    /// Print JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Show no progress and no summary, only warnings and errors
    #[arg(long, short)]
    pub quiet: bool,
}

/// Arguments of `fork`.
#[derive(Clone, Debug, Args)]
pub struct ForkArgs {
    /// The run directory
    pub dir: PathBuf,
    /// From the last snapshot that is not later, such as 90min or 2.5h [default: from the last]
    #[arg(long, value_name = "TIME", value_parser = crate::units::seconds)]
    pub at: Option<f64>,
    /// What is different from there on, such as strategy.pace='{ immediate = {} }'; can be repeated
    #[arg(long, value_name = "PATH.TO.KEY=VALUE")]
    pub set: Vec<String>,
    /// What the fork is called where runs are compared [default: its strategy]
    #[arg(long, value_name = "TEXT")]
    pub label: Option<String>,
    /// Where the run directory is made [default: beside that of the run]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Threads that compute; the result is the same with any number [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub workers: Option<u16>,
    /// Most mebibytes of results that are computed before they are needed; the result is the same with any
    /// number [default: half of the memory]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    pub memory_mb: Option<u64>,
    /// Print JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Show no progress and no summary, only warnings and errors
    #[arg(long, short)]
    pub quiet: bool,
}

/// Arguments of `sweep`.
#[derive(Clone, Debug, Args)]
pub struct SweepArgs {
    /// The scenario.
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// Runs at the same time [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub workers: Option<u16>,
    /// Most mebibytes of results that are computed before they are needed; the result is the same with any
    /// number [default: half of the memory]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    pub memory_mb: Option<u64>,
    /// What computes: flex (the processor), tch, wgpu, cuda, wgpu:1 (the second card), or a list with
    /// one worker for each entry, such as wgpu:0,wgpu:1,flex*2 [default: flex]
    #[arg(long, value_name = "LIST", value_parser = device_list)]
    pub device: Option<DeviceList>,
    /// Where the directory of the sweep is made, instead of the scenario's place
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Show no progress and no table, only warnings and errors
    #[arg(long, short)]
    pub quiet: bool,
}

/// Arguments of `compare`.
#[derive(Clone, Debug, Args)]
pub struct CompareArgs {
    /// Directories of runs or of sweeps
    #[arg(required = true)]
    pub dirs: Vec<PathBuf>,
    /// What they race for, such as accuracy=0.8 or loss=0.5 [default: the sweep's target]
    #[arg(long, value_name = "FIGURE=VALUE")]
    pub target: Option<Target>,
    /// Where the page is written [default: compare.html, of one sweep in its directory]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `check`.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// The scenario.
    #[command(flatten)]
    pub scenario: ScenarioArgs,
}

/// Arguments of `schema`.
#[derive(Clone, Debug, Args)]
pub struct SchemaArgs {
    /// Print JSON on one line
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `list`.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// What to show [default: everything]
    #[arg(value_enum)]
    pub what: Option<Listed>,
    /// Print JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Listed {
    /// The scenarios that come with Offbeat
    Scenarios,
    /// The parts of strategies, by seam
    Strategies,
    /// The networks
    Networks,
    /// The data sets
    Datasets,
}

/// How a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong usage or a wrong scenario, already told to the user: exit code 2.
    Wrong,
    /// The run failed, in words, with what to do on a line that begins with `help: `: exit code 1.
    Failed(String),
    /// The run was interrupted, in words: exit code 3.
    Interrupted(String),
}

/// Runs the command of this process.
pub fn main() -> ExitCode {
    let cli = match usage::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let quiet = match &cli.command {
        Command::Run(args) => args.quiet,
        Command::Resume(args) => args.quiet,
        Command::Sweep(args) => args.quiet,
        Command::Fork(args) => args.quiet,
        _ => false,
    };
    logging::start(quiet);
    let result = match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Resume(args) => resume::resume(&args),
        Command::Fork(args) => fork::run(&args),
        Command::Sweep(args) => sweep::sweep(&args),
        Command::Compare(args) => compare::compare(&args),
        Command::Check(args) => check::check(&args),
        Command::Explain(args) => explain::explain(&args),
        Command::Schema(SchemaArgs { json: false }) => print(&crate::schema::text()),
        Command::Schema(SchemaArgs { json: true }) => {
            print(&format!("{}\n", crate::schema::schema()))
        }
        Command::Init(args) => make::init(&args),
        Command::NewStrategy(args) => make::new_strategy(&args),
        Command::Data(args) => data::data(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Bench(args) => bench::bench(&args),
        Command::List(args) => list::list(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Wrong) => ExitCode::from(2),
        Err(Failure::Interrupted(message)) => {
            remark(&message);
            ExitCode::from(3)
        }
        Err(Failure::Failed(message)) => {
            complain(&message);
            ExitCode::from(1)
        }
    }
}

/// Prints to standard output. A reader that went away (`offbeat list | head`) is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Failed(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Whether messages on standard error may have colours.
pub(crate) fn colour() -> bool {
    use std::io::IsTerminal;
    std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

impl ScenarioArgs {
    /// What the command line says on top of the file.
    pub(crate) fn overrides(&self) -> crate::load::Overrides {
        crate::load::Overrides {
            set: self.set.clone(),
            seed: self.seed,
            data_dir: self.data_dir.clone(),
            allow_outside: self.allow_outside,
        }
    }
}
