//! What a scenario may write under `[strategy]`.

use offbeat_strategies::privacy::Privacy;
use offbeat_strategies::registry::{
    CombinePart, CompanionPart, GroupPart, GuardPart, PacePart, Parts, RefinePart, Registry, Seam,
    SelectPart, WeighPart, catalogue,
};
use offbeat_strategies::select::Uniform;
use serde::{Deserialize, Serialize};

fn parts(text: &str) -> Parts {
    toml::from_str(text).expect("a valid strategy")
}

#[test]
fn strings_tables_and_defaults() {
    assert_eq!(parts(""), Parts::default());
    let written = parts(
        r#"
        select = "by-samples"
        weigh = ["fedbuff", { staleness = { hinge = { b = 6 } } }]
        [pace.buffered]
        buffer = 7
        [combine.mean]
        by = "count"
        "#,
    );
    assert_eq!(written.select, SelectPart::BySamples);
    let PacePart::Buffered(buffered) = &written.pace else { panic!("{written:?}") };
    assert_eq!((buffered.buffer, buffered.concurrency), (7, 100));
    let hinge = offbeat_strategies::weigh::Staleness::Hinge { a: 10.0, b: 6.0 };
    assert_eq!(written.weigh[1], WeighPart::Staleness(hinge));
    assert!(written.check().is_empty() && written.validate().is_empty());
    written.build(&Registry::default()).expect("all parts are built in");
}

#[test]
fn unknown_keys_are_refused_by_name() {
    for (text, word) in [
        ("[pace.buffered]\nbufer = 3", "bufer"),
        ("[pace.bufferd]\nbuffer = 3", "bufferd"),
        ("slect = \"uniform\"", "slect"),
        ("[combine.krum]\nbyzantine = 1\nkeep = 2", "keep"),
        ("weigh = [{ staleness = { polynomial = { b = 1 } } }]", "b"),
    ] {
        let error = toml::from_str::<Parts>(text).expect_err(text).message().to_string();
        let named = error.split(['`', ' ', ',']).any(|found| found == word);
        assert!(named, "{text}: {error}");
    }
}

#[test]
fn settings_out_of_range_name_their_keys() {
    for (text, key) in [
        ("[pace.buffered]\nbuffer = 0", "strategy.pace.buffered.buffer is 0"),
        ("[pace.over-selection]\nfactor = 0.9", "strategy.pace.over-selection.factor is 0.9"),
        ("[pace.deadline]\nseconds = nan", "strategy.pace.deadline.seconds is NaN"),
        ("[pace.deadline]\nminimum = 11", "strategy.pace.deadline.minimum is 11"),
        ("[pace.fedcompass]\nmax_steps = 3", "strategy.pace.fedcompass.max_steps is 3"),
        (
            "weigh = [\"samples\", { staleness = { polynomial = { a = -1.0 } } }]",
            "strategy.weigh[1].staleness.polynomial.a is -1",
        ),
        ("[combine.trimmed-mean]\ntrim = 0.5", "strategy.combine.trimmed-mean.trim is 0.5"),
        ("[combine.fedadam]\nbeta2 = 1.0", "strategy.combine.fedadam.beta2 is 1"),
        ("[group.finch]\nsteps = 0", "strategy.group.finch.steps is 0"),
        ("[group.finch]\nmax_distance = 2.5", "strategy.group.finch.max_distance is 2.5"),
        (
            "[group.validity-index]\naccept_below = 0.0",
            "strategy.group.validity-index.accept_below is 0",
        ),
        ("[select.tifl]\ncredits = [1, 2]", "strategy.select.tifl.credits is a list of 2"),
    ] {
        let parts = parts(text);
        let found = parts.check();
        assert!(found.len() == 1 && found[0].starts_with(key), "{text}: {found:?}");
        let error = parts.build(&Registry::default()).expect_err(text);
        assert_eq!(error, found[0]);
    }
}

#[test]
fn meaningless_pairs_are_refused_with_a_reason() {
    for (text, a, b) in [
        ("combine = \"fedat\"", "combine = fedat", "pace = synchronous"),
        ("combine = \"safa\"", "combine = safa", "pace = synchronous"),
        (
            "[pace.buffered]\n[select.schedule]\nrounds = [[1]]",
            "select = schedule",
            "pace = buffered",
        ),
        ("[pace.tiers]\n[select.oort]", "select = oort", "pace = tiers"),
        ("group = \"by-tag\"", "group = by-tag", "pace = synchronous"),
        ("[group.finch]\n[pace.immediate]", "group = finch", "pace = immediate"),
        (
            "combine = \"safa\"\n[pace.safa]\n[group.validity-index]",
            "group = validity-index",
            "combine = safa",
        ),
        (
            "weigh = [{ cosine-distance = {} }]\n[combine.mix]",
            "weigh = cosine-distance",
            "combine = mix",
        ),
        ("[combine.mix]", "weigh = samples", "combine = mix"),
        ("[combine.mean]\nby = \"count\"", "weigh = samples", "combine = mean"),
        ("combine = \"median\"\nweigh = [\"fedbuff\"]", "weigh = fedbuff", "combine = median"),
        (
            "combine = \"median\"\ncompanion = \"scaffold\"",
            "companion = scaffold",
            "combine = median",
        ),
    ] {
        let parts = parts(text);
        let found = parts.validate();
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        let pair = (format!("strategy.{a}"), format!("strategy.{b}"));
        assert_eq!((&found[0].a, &found[0].b), (&pair.0, &pair.1));
        assert!(parts.build(&Registry::default()).is_err());
    }
    let fine = parts("combine = \"fedat\"\n[pace.tiers]");
    assert!(fine.validate().is_empty());
    fine.build(&Registry::default()).expect("tiers know how many they are");
}

#[test]
fn a_registered_part_is_built_by_name() {
    let text = "[select.custom]\nname = \"mine\"\nnumbers = { share = 0.5 }";
    let error = parts(text).build(&Registry::default()).expect_err("nothing is registered");
    assert!(error.contains("`mine`") && error.contains("register"), "{error}");
    let mut registry = Registry::default();
    registry.select.add("mine", |numbers| match numbers.get("share") {
        Some(share) if *share <= 1.0 => Ok(Box::new(Uniform)),
        _ => Err("numbers.share must be at most 1".into()),
    });
    parts(text).build(&registry).expect("it is registered");
    let error = parts(&text.replace("0.5", "2")).build(&registry).expect_err("out of range");
    assert!(error.contains("numbers.share"), "{error}");
}

#[derive(Debug, Serialize, Deserialize)]
struct One<T> {
    part: T,
}

/// Every name of the catalogue can be written, and comes back from what it was read to.
fn readable<T: Serialize + for<'a> Deserialize<'a>>(name: &str) -> bool {
    let settings = match name {
        "krum" | "bulyan" => "byzantine = 1",
        "multi-krum" => "byzantine = 1, keep = 2",
        "staleness" => "polynomial = {}",
        "norm" => "most = 1.0",
        "central" | "local" => "clip_norm = 1.0, noise_multiplier = 1.0",
        _ => "",
    };
    let forms = [format!("part = \"{name}\""), format!("part = {{ {name} = {{ {settings} }} }}")];
    forms.iter().filter_map(|text| toml::from_str::<One<T>>(text).ok()).any(|one| {
        let written = toml::to_string(&one).expect("what was read can be written");
        written.contains(name)
    })
}

#[test]
fn the_catalogue_lists_what_can_be_written() {
    for entry in catalogue() {
        let known = match entry.seam {
            Seam::Select => readable::<SelectPart>(entry.name),
            Seam::Pace => readable::<PacePart>(entry.name),
            Seam::Guard => readable::<GuardPart>(entry.name),
            Seam::Group => readable::<GroupPart>(entry.name),
            Seam::Weigh => readable::<WeighPart>(entry.name),
            Seam::Combine => readable::<CombinePart>(entry.name),
            Seam::Refine => readable::<RefinePart>(entry.name),
            Seam::Companion => readable::<CompanionPart>(entry.name),
            Seam::Privacy => readable::<Privacy>(entry.name),
        };
        assert!(known, "{} {} cannot be read", entry.seam, entry.name);
    }
    // What serde offers for a name that does not exist is the list of all names.
    let listed = |seam, message: String| {
        for name in message.split('`').skip(3).step_by(2).filter(|name| *name != "custom") {
            let there = catalogue().iter().any(|entry| entry.seam == seam && entry.name == name);
            assert!(there, "{seam} {name} is missing in the catalogue");
        }
    };
    let error = |result: Result<(), toml::de::Error>| {
        result.expect_err("no such part").message().to_string()
    };
    let text = "part = \"nothing\"";
    listed(Seam::Select, error(toml::from_str::<One<SelectPart>>(text).map(drop)));
    listed(Seam::Pace, error(toml::from_str::<One<PacePart>>(text).map(drop)));
    listed(Seam::Guard, error(toml::from_str::<One<GuardPart>>(text).map(drop)));
    listed(Seam::Group, error(toml::from_str::<One<GroupPart>>(text).map(drop)));
    listed(Seam::Weigh, error(toml::from_str::<One<WeighPart>>(text).map(drop)));
    listed(Seam::Combine, error(toml::from_str::<One<CombinePart>>(text).map(drop)));
}
