//! What there is: one line for every part.

use std::fmt;

/// One of the seams, without the objective, which is the clients'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seam {
    /// Whom to invite.
    Select,
    /// When to aggregate.
    Pace,
    /// Which updates are let in.
    Guard,
    /// Which updates belong together.
    Group,
    /// How much each counts.
    Weigh,
    /// How they are merged.
    Combine,
    /// What the server learns afterwards.
    Refine,
    /// The server's side of the objective.
    Companion,
    /// What protects the clients' data.
    Privacy,
}

impl fmt::Display for Seam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Select => "select",
            Self::Pace => "pace",
            Self::Guard => "guard",
            Self::Group => "group",
            Self::Weigh => "weigh",
            Self::Combine => "combine",
            Self::Refine => "refine",
            Self::Companion => "companion",
            Self::Privacy => "privacy",
        })
    }
}

/// One part in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which question it answers.
    pub seam: Seam,
    /// Its name in a scenario.
    pub name: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Where it comes from; empty for common knowledge.
    pub source: &'static str,
}

const fn entry(
    seam: Seam,
    name: &'static str,
    summary: &'static str,
    source: &'static str,
) -> Entry {
    Entry { seam, name, summary, source }
}

/// All built-in parts, by seam.
pub fn catalogue() -> &'static [Entry] {
    CATALOGUE
}

use Seam::{Combine, Companion, Group, Guard, Pace, Privacy, Refine, Select, Weigh};

const CATALOGUE: &[Entry] = &[
    entry(Select, "uniform", "every free client with the same probability", "McMahan et al. 2017"),
    entry(
        Select,
        "poisson",
        "each client independently of the others",
        "McMahan et al. 2018 (DP-FedAvg)",
    ),
    entry(Select, "all", "the free clients with the lowest ids", ""),
    entry(Select, "by-samples", "probability proportional to samples", "Li et al. 2020"),
    entry(Select, "schedule", "a fixed list of clients for every round", ""),
    entry(Select, "power-of-choice", "the largest losses among candidates", "Cho et al. 2022"),
    entry(Select, "oort", "statistical times system utility, with exploration", "Lai et al. 2021"),
    entry(
        Select,
        "tiers",
        "one latency tier at a time, drawn uniformly",
        "Chai et al. 2020 (TiFL, vanilla)",
    ),
    entry(
        Select,
        "tifl",
        "latency tiers with credits, favouring those that learn badly",
        "Chai et al. 2020",
    ),
    entry(Select, "refl", "those first that will be there the least", "Abdelmoniem et al. 2023"),
    entry(Select, "pisces", "data quality, discounted by expected staleness", "Jiang et al. 2022"),
    entry(Select, "script", "a function of the scenario's script; the slow path", ""),
    entry(Pace, "synchronous", "rounds that wait for everybody", "McMahan et al. 2017"),
    entry(
        Pace,
        "over-selection",
        "invite more than needed, take the first",
        "Bonawitz et al. 2019",
    ),
    entry(
        Pace,
        "deadline",
        "rounds with a deadline; late updates dropped or kept",
        "Nishio and Yonetani 2019",
    ),
    entry(Pace, "buffered", "aggregate whenever a buffer is full", "Nguyen et al. 2022 (FedBuff)"),
    entry(Pace, "immediate", "merge every update at once", "Xie et al. 2019 (FedAsync)"),
    entry(
        Pace,
        "tiers",
        "synchronous inside a latency tier, asynchronous across",
        "Chai et al. 2021 (FedAT)",
    ),
    entry(Pace, "safa", "semi-asynchronous rounds with lag tolerance", "Wu et al. 2021"),
    entry(
        Pace,
        "port",
        "a buffer with a bound on staleness; stragglers are urged",
        "Su and Li 2022",
    ),
    entry(
        Pace,
        "fedboost",
        "rounds in which clients judge each other's models before they are merged",
        "Ren et al. 2023 (FedBoosting)",
    ),
    entry(
        Pace,
        "fediod",
        "no model travels: a student learns from private teachers on made pictures",
        "Gong et al. 2024 (FedIOD)",
    ),
    entry(
        Pace,
        "fedcompass",
        "local steps assigned so that groups arrive together",
        "Li et al. 2024",
    ),
    entry(
        Pace,
        "pisces",
        "as often as keeps the slowest client from getting stale",
        "Jiang et al. 2022",
    ),
    entry(Guard, "norm", "changes above a norm are clipped or refused", "Sun et al. 2019"),
    entry(Guard, "relative-norm", "the same, relative to the running median of norms", ""),
    entry(Guard, "scalars", "refuses changed sample counts and figures outside their range", ""),
    entry(
        Guard,
        "relative-scalars",
        "clips or refuses reported figures that are far from those of other clients",
        "Hampel 1974 (median absolute deviation)",
    ),
    entry(Group, "one", "one model for all", ""),
    entry(Group, "by-tag", "a model for every tier", ""),
    entry(Group, "by-client", "a model for every client: nothing is shared", "standalone training"),
    entry(
        Group,
        "finch",
        "nearest neighbours, by change or by features, share a model",
        "Sarfraz et al. 2019; Zhuang et al. 2022 (FedReID)",
    ),
    entry(
        Group,
        "validity-index",
        "as many models as a spanning tree shows groups, or one",
        "Xie et al. 2020 (DCVI)",
    ),
    entry(
        Group,
        "k-means",
        "k-means on directions; as many models as asked for, or as the validity index finds",
        "Dhillon and Modha 2001; Xie et al. 2020",
    ),
    entry(Weigh, "samples", "by the number of samples", "McMahan et al. 2017"),
    entry(
        Weigh,
        "relative-samples",
        "by samples against the mean of the aggregation's",
        "Xie et al. 2023 (FederatedScope)",
    ),
    entry(Weigh, "uniform", "all the same", ""),
    entry(
        Weigh,
        "staleness",
        "a discount by staleness: constant, polynomial, hinge, exponential, threshold",
        "Xie et al. 2019; Chen et al. 2020 (TWAFL); FLSim",
    ),
    entry(Weigh, "fedbuff", "1 / sqrt(1 + staleness)", "Nguyen et al. 2022"),
    entry(Weigh, "flsim", "samples and staleness against averages that are told", "FLSim"),
    entry(Weigh, "pisces", "a discount by the client's latest staleness", "Jiang et al. 2022"),
    entry(Weigh, "refl", "boosts stale updates that say something new", "Abdelmoniem et al. 2023"),
    entry(Weigh, "port", "similarity to the server's own way, and staleness", "Su and Li 2022"),
    entry(Weigh, "completeness", "by the share of the planned work that was done", ""),
    entry(
        Weigh,
        "cosine-distance",
        "by how far training moved the client's answers",
        "Zhuang et al. 2022 (FedReID)",
    ),
    entry(
        Weigh,
        "fedboost",
        "by training losses and the losses that other clients find",
        "Ren et al. 2023 (FedBoosting)",
    ),
    entry(Weigh, "script", "a function of the scenario's script; the slow path", ""),
    entry(
        Combine,
        "mean",
        "the weighted mean of the changes",
        "McMahan et al. 2017; Nguyen et al. 2022",
    ),
    entry(
        Combine,
        "mix",
        "the model moves towards each update in turn",
        "Xie et al. 2019 (FedAsync)",
    ),
    entry(Combine, "fedavgm", "server momentum", "Hsu et al. 2019"),
    entry(Combine, "fedadagrad", "Adagrad at the server", "Reddi et al. 2021"),
    entry(Combine, "fedadam", "Adam at the server", "Reddi et al. 2021"),
    entry(Combine, "fedyogi", "Yogi at the server", "Reddi et al. 2021"),
    entry(Combine, "fedat", "slow latency tiers count more", "Chai et al. 2021"),
    entry(Combine, "safa", "the mean over a cache of all clients' models", "Wu et al. 2021"),
    entry(Combine, "mifa", "the mean over the latest changes of all clients", "Gu et al. 2021"),
    entry(Combine, "ca2fl", "cached update calibration", "Wang et al. 2024"),
    entry(Combine, "fadas", "AMSGrad at the server, adapted to delays", "Wang et al. 2024"),
    entry(Combine, "fednova", "changes normalised by local steps", "Wang et al. 2020"),
    entry(Combine, "median", "the median of every coordinate", "Yin et al. 2018"),
    entry(
        Combine,
        "trimmed-mean",
        "the mean of every coordinate without its extremes",
        "Yin et al. 2018",
    ),
    entry(Combine, "krum", "the change that is nearest to the others", "Blanchard et al. 2017"),
    entry(
        Combine,
        "multi-krum",
        "the mean of the changes nearest to the others",
        "Blanchard et al. 2017",
    ),
    entry(
        Combine,
        "bulyan",
        "Krum's choice, then the mean around the median of every coordinate",
        "El Mhamdi et al. 2018",
    ),
    entry(
        Combine,
        "fltrust",
        "as far as changes point where the server's own samples point",
        "Cao et al. 2021",
    ),
    entry(Refine, "none", "nothing is learnt after merging", ""),
    entry(
        Refine,
        "distillation",
        "the server's model learns the mean features of the clients' models",
        "Zhuang et al. 2022 (FedReID)",
    ),
    entry(Companion, "none", "nothing travels beside the model", ""),
    entry(
        Companion,
        "scaffold",
        "control variates against client drift",
        "Karimireddy et al. 2020",
    ),
    entry(
        Companion,
        "fedgc",
        "class embeddings at the server, corrected across clients",
        "Niu and Deng 2022",
    ),
    entry(
        Companion,
        "privacy-face",
        "differentially private clusters of class centres, for others to keep away from",
        "Meng et al. 2022 (PrivacyFace)",
    ),
    entry(
        Privacy,
        "central",
        "the server adds noise to the sum of clipped changes",
        "McMahan et al. 2018 (DP-FedAvg); Andrew et al. 2021 (adaptive clipping)",
    ),
    entry(
        Privacy,
        "local",
        "clients clip their changes and add noise before they send them",
        "Kasiviswanathan et al. 2011",
    ),
    entry(
        Privacy,
        "secure",
        "pairwise masks: the server learns the sum of the updates alone",
        "Bonawitz et al. 2017",
    ),
    entry(
        Privacy,
        "paillier",
        "models and updates travel encrypted: the server adds up what it cannot read",
        "Paillier 1999; Ren et al. 2023 (FedBoosting)",
    ),
];
