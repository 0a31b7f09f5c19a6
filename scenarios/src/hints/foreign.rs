//! What other simulators and papers call things that have another name here.

/// A key, by the names it has elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Foreign {
    /// The key's path here.
    pub(super) path: &'static str,
    /// How it is written; `{}` stands for the value.
    line: &'static str,
    /// The value where what was written does not fit.
    usual: &'static str,
    /// Whether a value that was written for the other name has the same meaning.
    same: bool,
}

impl Foreign {
    /// The hint for somebody who wrote another name in `table`, with the value `written`.
    pub(super) fn hint(&self, table: &str, written: Option<&str>) -> String {
        let value = written.filter(|_| self.same).unwrap_or(self.usual);
        let line = self.line.replace("{}", value);
        let (home, _) = self.path.split_once('.').unwrap_or(("", self.path));
        let home = home.trim_end_matches("[]");
        match (self.path, table.split('.').next() == Some(home)) {
            ("", _) => line, // A sentence of its own.
            (path, true) => format!("that is `{path}` here: write `{line}`"),
            (path, false) => format!("that is `{path}` here: write `{line}` in `[{home}]`"),
        }
    }
}

const fn key(path: &'static str, line: &'static str, usual: &'static str, same: bool) -> Foreign {
    Foreign { path, line, usual, same }
}

/// Names elsewhere, separated by blanks, and what they are here. Names are in lower case with `_`.
const KEYS: &[(&str, Foreign)] = &[
    (
        "num_rounds n_rounds num_server_rounds server_rounds communication_rounds comm_rounds \
         global_rounds global_epochs max_rounds total_rounds",
        key("run.rounds", "rounds = {}", "50", true),
    ),
    ("random_seed rng_seed manual_seed", key("run.seed", "seed = {}", "1", true)),
    (
        "num_clients n_clients num_supernodes supernodes total_clients num_users num_parties \
         num_devices",
        key("population.clients", "clients = {}", "50", true),
    ),
    (
        "num_participants clients_per_round participants_per_round min_fit_clients \
         num_clients_per_round sampled_clients cohort_size total_worker",
        key(
            "strategy.pace.synchronous.clients",
            "pace = { synchronous = { clients = {} } }",
            "10",
            true,
        ),
    ),
    (
        "fraction_fit fraction_train proportion participation participation_rate sample_fraction \
         client_fraction sampling_rate frac",
        key(
            "",
            "a round has a number of clients, not a share: write \
             `pace = { synchronous = { clients = 10 } }` in `[strategy]`",
            "",
            false,
        ),
    ),
    (
        "local_epochs num_epochs n_epochs epoch local_ep client_epochs",
        key("training.epochs", "epochs = {}", "1", true),
    ),
    ("local_steps num_steps local_iterations", key("training.steps", "steps = {}", "10", true)),
    (
        "batch_size batchsize local_batch_size bs train_batch_size",
        key("training.batch", "batch = {}", "32", true),
    ),
    (
        "learning_rate lr client_lr local_lr eta",
        key("training.sgd.rate", "sgd = { rate = {} }", "0.1", true),
    ),
    (
        "mu prox_mu proximal_mu fedprox_mu proximal_term",
        key("training.objective.proximal_mu", "objective = { proximal_mu = {} }", "0.01", true),
    ),
    (
        "optimizer optim adam adamw",
        key(
            "",
            "clients train by stochastic gradient descent alone, with rates about a hundred times those of \
             Adam: write `sgd = { rate = 0.1, momentum = 0.9 }` in `[training]`; the server has \
             `combine = \"fedadam\"`",
            "",
            false,
        ),
    ),
    (
        "down_kbps kbps bandwidth_kbps",
        key(
            "population.link.custom.down_mbps",
            "down_mbps = { constant = 20.0 }` for `20000 kbit/s",
            "",
            false,
        ),
    ),
    (
        "up_kbps",
        key(
            "population.link.custom.up_mbps",
            "up_mbps = { constant = 5.0 }` for `5000 kbit/s",
            "",
            false,
        ),
    ),
    (
        "loss criterion",
        key("training.objective.loss", "objective = { loss = {} }", "\"cross-entropy\"", false),
    ),
    (
        "eval_every eval_interval evaluate_every test_interval test_every eval_freq evaluation_interval",
        key("evaluation.every_versions", "every_versions = {}", "1", true),
    ),
    ("metric metrics", key("evaluation.on", "on = [\"test\"]", "", false)),
    (
        "partitioner split distribution heterogeneity",
        key("data.partition", "partition = {}", "{ dirichlet = { alpha = 0.5 } }", true),
    ),
    (
        "concentration beta dirichlet_alpha alpha",
        key("data.partition", "partition = { dirichlet = { alpha = {} } }", "0.5", true),
    ),
    ("dataset_name data_set task", key("data.dataset", "dataset = {}", "\"digits\"", true)),
    ("data_path data_root root", key("data.dir", "dir = {}", "\"data\"", true)),
    (
        "test_fraction val_share test_size holdout",
        key("data.client_test_share", "client_test_share = {}", "0.2", true),
    ),
    (
        "architecture net backbone model_name arch",
        key("network.model", "model = {}", "\"cnn\"", false),
    ),
    (
        "sampler sample_mode client_selection selector client_sampler",
        key("strategy.select", "select = {}", "\"uniform\"", false),
    ),
    (
        "aggregator aggregation aggregation_method gradient_policy server_optimizer server_opt",
        key("strategy.combine", "combine = {}", "\"fedavgm\"", false),
    ),
    (
        "overcommitment over_commitment overselection",
        key(
            "strategy.pace.over-selection.factor",
            "pace = { over-selection = { clients = 10, factor = {} } }",
            "1.3",
            true,
        ),
    ),
    (
        "deadline round_timeout round_threshold timeout_seconds max_round_time",
        key(
            "strategy.pace.deadline.seconds",
            "pace = { deadline = { clients = 10, seconds = {} } }",
            "60",
            false,
        ),
    ),
    (
        "buffer_size async_buffer k_async",
        key(
            "strategy.pace.buffered.buffer",
            "pace = { buffered = { buffer = {}, concurrency = 20 } }",
            "5",
            true,
        ),
    ),
    (
        "num_malicious num_byzantine num_attackers f byzantine_clients",
        key(
            "strategy.combine.krum.byzantine",
            "combine = { krum = { byzantine = {} } }",
            "2",
            true,
        ),
    ),
    (
        "attack attacks malicious byzantine attackers",
        key(
            "",
            "hostile clients are `[[adversary]]` with `share = 0.2` and \
             `behaviour = { sign-flip = {} }`",
            "",
            false,
        ),
    ),
    (
        "bandwidth bandwidth_mbps throughput network_speed",
        key(
            "",
            "links are `link = \"mobile-4g\"` in `[population]`; \
             `offbeat explain population.link.custom` shows how to give numbers",
            "",
            false,
        ),
    ),
    (
        "dropout drop_rate dropout_rate failure_rate straggler_rate",
        key("population.completeness.drop_out", "completeness = { drop_out = {} }", "0.1", true),
    ),
    (
        "device gpu gpus cuda num_gpus use_gpu use_cuda client_resources",
        key(
            "",
            "what computes is chosen on the command line: `offbeat run FILE --device cuda`",
            "",
            false,
        ),
    ),
    (
        "num_workers workers n_jobs threads num_cpus",
        key(
            "",
            "threads are chosen on the command line: `offbeat run FILE --workers 8`",
            "",
            false,
        ),
    ),
    (
        "checkpoint checkpoints save_every",
        key("output.snapshot", "snapshot = { every_virtual_minutes = 10 }", "", false),
    ),
    ("log_dir out_dir output_dir save_dir", key("output.dir", "dir = {}", "\"runs\"", true)),
];

/// Keys that are meant in some tables only.
const LOCAL: &[(&str, &str, Foreign)] = &[
    (
        "timeline",
        "fail kill failure stop_clients die",
        key("timeline[].crash", "crash = {}", "{ count = 5 }", true),
    ),
    (
        "timeline",
        "disconnect cut offline blackout outage",
        key("timeline[].partition", "partition = {}", "{ count = 5 }", true),
    ),
    ("timeline", "reconnect", key("timeline[].heal", "heal = {}", "\"NAME\"", false)),
    (
        "timeline",
        "time at minute at_seconds at_hours",
        key("timeline[].at_minutes", "at_minutes = {}", "10", false),
    ),
    (
        "strategy",
        "clients",
        key(
            "strategy.pace.synchronous.clients",
            "pace = { synchronous = { clients = {} } }",
            "10",
            true,
        ),
    ),
    (
        "strategy.pace",
        "num_participants clients_per_round min_fit_clients num_clients",
        key("", "that is `clients` here: write `clients = {}`", "10", true),
    ),
    (
        "strategy.pace",
        "deadline timeout timeout_seconds",
        key("", "that is `seconds` here: write `seconds = {}`", "60", true),
    ),
    (
        "strategy",
        "staleness staleness_function",
        key(
            "strategy.weigh",
            "weigh = [\"samples\", { staleness = { polynomial = { a = 0.5 } } }]",
            "",
            false,
        ),
    ),
    (
        "",
        "federation federated server_app fl experiment",
        key(
            "",
            "there is no such section: `rounds` and `seed` are in `[run]`, `clients` in `[population]`, how clients train in `[training]`, how updates are merged in `[strategy]`",
            "",
            false,
        ),
    ),
];

/// What `name`, written in `table`, is called here.
pub(super) fn find(name: &str, table: &str) -> Option<&'static Foreign> {
    let name = name.to_lowercase().replace('-', "_");
    let has = |names: &str| names.split_whitespace().any(|known| known == name);
    let inside = |home: &str| match home {
        "" => table.is_empty(),
        home => table == home || table.strip_prefix(home).is_some_and(|rest| rest.starts_with('.')),
    };
    // The closest table wins: `strategy.pace` before `strategy`.
    let local = LOCAL.iter().filter(|(home, names, _)| inside(home) && has(names));
    let local = local.max_by_key(|(home, ..)| home.len()).map(|(.., found)| found);
    local.or_else(|| KEYS.iter().find(|(names, _)| has(names)).map(|(_, found)| found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Reference;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_stands_for_a_key_of_the_language() {
        let reference = Reference::new();
        let all = KEYS.iter().map(|(_, key)| key).chain(LOCAL.iter().map(|(.., key)| key));
        for key in all.filter(|key| !key.path.is_empty()) {
            assert!(reference.find(key.path).is_some(), "`{}`", key.path);
        }
    }

    #[test]
    fn no_name_is_listed_twice() {
        let mut seen = BTreeSet::new();
        for name in KEYS.iter().flat_map(|(names, _)| names.split_whitespace()) {
            assert!(seen.insert(name), "`{name}`");
        }
    }

    #[test]
    fn the_nearest_table_decides() {
        let hint = |name, table| find(name, table).map(|key| key.hint(table, Some("7")));
        let round = hint("num_participants", "strategy.pace.over-selection").expect("known");
        assert_eq!(round, "that is `clients` here: write `clients = 7`");
        let rounds = hint("num-rounds", "strategy").expect("known");
        assert_eq!(rounds, "that is `run.rounds` here: write `rounds = 7` in `[run]`");
        assert!(find("zzz", "run").is_none());
    }
}
