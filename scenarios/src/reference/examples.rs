//! The scenarios that show how keys are written.

/// Name and text of each: the library, the cookbook, and a few that use the rest of the language.
pub const EXAMPLES: &[(&str, &str)] = &[
    ("quickstart", include_str!("../../library/quickstart.toml")),
    ("stragglers", include_str!("../../library/stragglers.toml")),
    ("diurnal", include_str!("../../library/diurnal.toml")),
    ("hospitals", include_str!("../../library/hospitals.toml")),
    ("slow-classes", include_str!("../../library/slow-classes.toml")),
    ("delays", include_str!("../../library/delays.toml")),
    ("fashion-mnist", include_str!("../../library/fashion-mnist.toml")),
    ("fedreid", include_str!("../../library/fedreid.toml")),
    ("fedreid-study", include_str!("../../library/fedreid-study.toml")),
    ("partition", include_str!("../../library/partition.toml")),
    ("outage", include_str!("../../library/outage.toml")),
    ("script-hooks", include_str!("../../library/script-hooks.toml")),
    ("edges", include_str!("../../library/edges.toml")),
    ("base", include_str!("../../cookbook/base.toml")),
    ("groups", include_str!("../../cookbook/groups.toml")),
    ("extend", include_str!("../../cookbook/extend.toml")),
    ("parts", include_str!("../../cookbook/parts.toml")),
    ("nights", include_str!("../../cookbook/nights.toml")),
    ("deadline", include_str!("../../cookbook/deadline.toml")),
    ("hostile", include_str!("../../cookbook/hostile.toml")),
    ("sweep", include_str!("../../cookbook/sweep.toml")),
];
