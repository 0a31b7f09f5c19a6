//! Algorithms, data sets and networks by the names they have in papers.

/// Algorithms: names separated by blanks, and how they are written here.
const ALGORITHMS: &[(&str, &str)] = &[
    (
        "fedavg fedavgstrategy federatedaveraging",
        "FedAvg is `pace = { synchronous = { clients = 10 } }`, `weigh = [\"samples\"]` and \
         `combine = \"mean\"` in `[strategy]`; all three are the defaults",
    ),
    ("fedsgd", "FedSGD is FedAvg, which is the default, with `steps = 1` in `[training]`"),
    (
        "fedprox",
        "FedProx is FedAvg, which is the default, with `objective = { proximal_mu = 0.01 }` in \
         `[training]`",
    ),
    (
        "fedasync asyncfedavg",
        "FedAsync is `pace = { immediate = { concurrency = 10 } }`, \
         `weigh = [{ staleness = { polynomial = { a = 0.5 } } }]` and \
         `combine = { mix = { alpha = 0.6 } }` in `[strategy]`",
    ),
    (
        "fedbuff async asynchronous",
        "FedBuff is `pace = { buffered = { buffer = 5, concurrency = 10 } }`, `weigh = [\"fedbuff\"]` \
         and `combine = { mean = { by = \"count\" } }` in `[strategy]`",
    ),
    (
        "fedopt",
        "FedOpt is `combine = \"fedadam\"`, `\"fedyogi\"` or `\"fedadagrad\"` in `[strategy]`",
    ),
    ("adam serveradam", "Adam at the server is `combine = \"fedadam\"` in `[strategy]`"),
    ("yogi", "Yogi at the server is `combine = \"fedyogi\"` in `[strategy]`"),
    ("adagrad", "Adagrad at the server is `combine = \"fedadagrad\"` in `[strategy]`"),
    ("scaffold", "SCAFFOLD is `companion = \"scaffold\"` in `[strategy]`"),
    ("fednova", "FedNova is `combine = \"fednova\"` in `[strategy]`"),
    ("fedyogi", "FedYogi is `combine = \"fedyogi\"` in `[strategy]`"),
    ("fedadam", "FedAdam is `combine = \"fedadam\"` in `[strategy]`"),
    ("fedadagrad", "FedAdagrad is `combine = \"fedadagrad\"` in `[strategy]`"),
    ("fedavgm fedmomentum", "FedAvgM is `combine = \"fedavgm\"` in `[strategy]`"),
    ("fedmedian median", "the median is `combine = \"median\"` in `[strategy]`"),
    ("krum", "Krum is `combine = { krum = { byzantine = 2 } }` in `[strategy]`"),
    ("multikrum", "`combine = { multi-krum = { byzantine = 2, keep = 5 } }` in `[strategy]`"),
    ("bulyan", "Bulyan is `combine = { bulyan = { byzantine = 2 } }` in `[strategy]`"),
    ("trimmedmean fedtrimmedavg", "`combine = { trimmed-mean = { trim = 0.1 } }` in `[strategy]`"),
    ("oort", "Oort is `select = \"oort\"` in `[strategy]`"),
    ("tifl", "TiFL is `select = \"tifl\"` in `[strategy]`"),
    (
        "fedat",
        "FedAT is `pace = { tiers = { tiers = 5, clients = 4 } }` and `combine = \"fedat\"` in \
         `[strategy]`",
    ),
    ("fedbn", "FedBN is `travel = \"backbone\"` and `buffers = \"keep-local\"` in `[strategy]`"),
    (
        "fedper fedpav fedrep",
        "heads stay with their clients with `travel = \"backbone\"` in `[strategy]`",
    ),
    (
        "moon feddyn ditto qfedavg fedgen pfedme perfedavg fedala",
        "that algorithm does not come with Offbeat; `offbeat new-strategy NAME` writes a crate to \
         start one of your own",
    ),
];

/// Names of values: the beginning of the key's path, names, and what to write.
const VALUES: &[(&str, &str, &str)] = &[
    (
        "data.partition",
        "noniid labelskew lda dirichletpartitioner dir latentdirichlet heterogeneous",
        "label skew is `partition = { dirichlet = { alpha = 0.5 } }`: the smaller `alpha`, the more \
         clients differ",
    ),
    (
        "data.partition",
        "uniform random homogeneous iidpartitioner even",
        "that is `partition = \"iid\"`",
    ),
    (
        "data.partition",
        "shard pathologicalpartitioner classes labels",
        "a few labels a client are `partition = { pathological = { labels = 2 } }`",
    ),
    (
        "data.partition",
        "byuser user writer byclient realistic naturalid",
        "owners that the data name are `partition = \"natural\"`",
    ),
    (
        "data.dataset",
        "femnist shakespeare sent140 celeba reddit emnist openimage googlespeech",
        "that data set does not come with Offbeat. Data of your own are read from CSV or IDX files: \
         `dataset = { csv = { train = \"train.csv\" } }`; `\"digits\"` needs no files",
    ),
    ("data.dataset", "cifar", "write `dataset = { cifar10 = { dir = \"cifar-10-batches-bin\" } }`"),
    (
        "network.model",
        "resnet18 resnet34 resnet50 resnet20 resnet8",
        "small pictures take `model = { resnet = { depth = 8 } }` or `depth = 20`; ResNet-18 and \
         ResNet-50 are for persons: `model = { reid = { backbone = \"resnet-50\" } }`",
    ),
    (
        "network.model",
        "linear logistic lr logisticregression logreg",
        "logistic regression is `model = \"softmax\"`",
    ),
    (
        "network.model",
        "lenet simplecnn convnet lenet5",
        "a small convolutional network is `model = \"cnn\"`",
    ),
    ("network.model", "dnn fc dense perceptron", "write `model = { mlp = { hidden = [64] } }`"),
    (
        "population.availability",
        "mcf lazy yesno periodic dynamic random",
        "coming and going is `availability = { markov = { mean_on_minutes = 30.0, mean_off_minutes = \
         60.0 } }`",
    ),
    (
        "population.link",
        "lte cellular 4g mobile 5g",
        "phones in a mobile network are `link = \"mobile-4g\"`",
    ),
    ("population.link", "ethernet lan cable broadband", "fixed lines are `link = \"fibre\"`"),
    (
        "adversary",
        "byzantine malicious poison poisoning untargeted",
        "an attacker that pushes away from the goal is `behaviour = { sign-flip = {} }`, one with \
         wrong labels `behaviour = { label-flip = {} }`",
    ),
    (
        "adversary",
        "backdoor",
        "a backdoor is `behaviour = { model-replacement = { target = 0, poisoned = 0.5 } }`",
    ),
    ("adversary", "gaussian random", "write `behaviour = { noise = { sigma = 0.5 } }`"),
    ("strategy.select", "random randomsampler", "that is `select = \"uniform\"`"),
    (
        "topology",
        "ring mesh gossip decentralized p2p peertopeer",
        "federations without a server are not simulated: there is a star, and a tree with edge \
         servers, `topology = { tree = { edges = 4 } }`",
    ),
    ("topology", "hierarchical edge hfl", "write `topology = { tree = { edges = 4 } }`"),
    (
        "timeline",
        "accuracy loss version round updates time",
        "a condition has the value inside: `when = { accuracy = 0.7 }`, `{ loss = 0.5 }`, \
         `{ version = 10 }` or `{ updates = 100 }`",
    ),
];

/// Letters and digits of a name, in lower case.
fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How the algorithm `name` is written here.
pub(super) fn find(name: &str) -> Option<String> {
    let name = bare(name);
    let has = |names: &str| names.split_whitespace().any(|known| known == name);
    ALGORITHMS
        .iter()
        .find(|(names, _)| has(names))
        .map(|(_, hint)| hint.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// What to write at `path` for a value that is called `name` elsewhere.
pub(super) fn find_in(name: &str, path: &str) -> Option<String> {
    // `accuracy >= 0.7` is about accuracy.
    let first = bare(name.split_whitespace().next().unwrap_or_default());
    let whole = bare(name);
    let has = |names: &str| names.split_whitespace().any(|known| known == whole || known == first);
    let value = VALUES.iter().find(|(home, names, _)| path.starts_with(home) && has(names));
    let value = value.map(|(.., hint)| hint.split_whitespace().collect::<Vec<_>>().join(" "));
    value.or_else(|| find(name).filter(|_| path.starts_with("strategy")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_written() {
        assert!(find("FedAvg").is_some_and(|hint| hint.contains("synchronous")));
        assert_eq!(find("fed-yogi"), find("FedYogi"));
        assert!(find_in("non-iid", "data.partition").is_some_and(|hint| hint.contains("alpha")));
        assert!(find_in("accuracy >= 0.7", "timeline.0.when").is_some());
        assert!(find_in("non-iid", "network.model").is_none());
        assert!(find("zzz").is_none());
    }
}
