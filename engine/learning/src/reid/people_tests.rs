use super::*;
use crate::reid::NineDomains;
use crate::reid::Size;
use offbeat_kernel::{Purpose, SeedTree};
use std::collections::BTreeSet;

fn sets(domains: &[&str]) -> Sets {
    let spec = NineDomains {
        scale: 0.01,
        size: Size { height: 32, width: 16 },
        domains: domains.iter().map(|name| (*name).to_string()).collect(),
        ..NineDomains::default()
    };
    spec.load(SeedTree::new(5), true).expect("small domains")
}

fn people(sets: Sets, architecture: Architecture, clients: u32) -> People {
    let mut stream = SeedTree::new(5).stream(Purpose::Partition, 0, 0);
    People::new(sets, architecture, clients, &mut stream).expect("they can be split")
}

#[test]
fn data_sets_are_clients_with_label_spaces_of_their_own() {
    let sets = sets(&["viper-like", "market1501-like"]);
    let persons: Vec<usize> = sets.domains.iter().map(|set| set.train.persons().len()).collect();
    let people = people(sets.clone(), Architecture::Datasets, 2);
    assert_eq!(people.clients.iter().map(|c| c.classes).collect::<Vec<_>>(), persons);
    for (place, client) in people.clients.iter().enumerate() {
        let (shard, set) = (client.shard(), &sets.domains[place]);
        assert_eq!((client.name.as_str(), &client.domains[..]), (set.name.as_str(), &[place][..]));
        assert_eq!((shard.len(), shard.data.classes), (set.train.len(), persons[place]));
        let labels: BTreeSet<u32> = shard.data.labels.iter().copied().collect();
        assert_eq!(labels, (0..persons[place] as u32).collect());
        let mut expected = Vec::new();
        sets.colours.push(&set.train, 3, &mut expected);
        assert_eq!(shard.features(3), expected);
    }
    assert_eq!(people.trials.len(), 2);
    assert_eq!((people.report.clients, people.report.classes), (2, persons.iter().sum()));
    assert_eq!(people.report.unassigned, 0);
}

#[test]
fn cameras_and_identities_are_clients_too() {
    let cameras = people(sets(&["dukemtmc-like"]), Architecture::Cameras, 0);
    assert_eq!(cameras.clients.len(), 8);
    assert_eq!(cameras.clients[7].name, "dukemtmc-like c8");
    let all: usize = cameras.clients.iter().map(ClientPictures::len).sum();
    assert_eq!(all, sets(&["dukemtmc-like"]).domains[0].train.len());
    let dealt = people(sets(&["dukemtmc-like"]), Architecture::Identities, 3);
    let classes: Vec<usize> = dealt.clients.iter().map(|client| client.classes).collect();
    assert_eq!(classes, [2, 2, 2], "8 persons dealt to 3, the rest is left out");
    let one = people(sets(&["viper-like", "3dpes-like"]), Architecture::Identities, 1);
    assert_eq!((one.clients.len(), &one.clients[0].domains[..]), (1, &[0, 1][..]));
    assert_eq!(one.clients[0].classes, one.report.classes);
}

#[test]
fn the_public_pictures_carry_no_labels() {
    let people = people(sets(&["viper-like"]), Architecture::Datasets, 1);
    let public = people.public.expect("asked for");
    assert!(!public.is_empty() && public.data.labels.iter().all(|label| *label == 0));
}

#[test]
fn colours_and_names_are_checked() {
    let mut odd = sets(&["viper-like"]);
    odd.colours.std[1] = 0.0;
    let mut stream = SeedTree::new(5).stream(Purpose::Partition, 0, 0);
    let error = People::new(odd, Architecture::Datasets, 1, &mut stream).expect_err("no deviation");
    assert!(error.to_string().contains("above 0"), "{error}");
    for domains in [vec!["viper".to_string()], vec!["viper-like".to_string(); 2]] {
        let spec = NineDomains { domains, ..NineDomains::default() };
        let error = spec.load(SeedTree::new(1), false).expect_err("a wrong name").to_string();
        assert!(error.contains("viper"), "{error}");
    }
}
