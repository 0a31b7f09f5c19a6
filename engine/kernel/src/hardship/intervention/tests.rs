use super::*;

fn fresh() -> Interventions {
    Interventions::new(SeedTree::new(4), 100)
}

fn all(pick: Pick) -> Clients {
    Clients { range: 0..100, pick }
}

fn barred(state: &Interventions) -> usize {
    (0..100).filter(|id| state.barrier(ClientId(*id)).is_some()).count()
}

#[test]
fn a_share_of_those_to_whom_it_can_happen_is_exact() {
    let mut state = fresh();
    let gone = state.choose(&all(Pick::Share(0.3)), &Intervention::Leave);
    assert_eq!(gone.len(), 30);
    state.apply(gone.clone(), Intervention::Leave);
    let more = state.choose(&all(Pick::Share(0.5)), &Intervention::Leave);
    assert_eq!(more.len(), 35, "half of the 70 that are left");
    assert!((0..100).all(|id| !(gone.holds(ClientId(id)) && more.holds(ClientId(id)))));
    state.apply(more, Intervention::Leave);
    let back = state.choose(&all(Pick::Count(10)), &Intervention::Join);
    state.apply(back.clone(), Intervention::Join);
    assert_eq!((back.len(), barred(&state)), (10, 55));
    let too_many = state.choose(&all(Pick::Count(1000)), &Intervention::Join);
    assert_eq!(too_many.len(), 55);
}

#[test]
fn cuts_are_healed_by_name_and_the_worse_one_decides() {
    let mut state = fresh();
    let cut = |name: &str, transit| Intervention::Cut { name: name.into(), transit };
    state.apply(Members::Range(10..20), cut("a", Transit::Wait));
    state.apply(Members::Listed(vec![15, 40]), cut("b", Transit::Lost));
    let at = |state: &Interventions, id| state.barrier(ClientId(id));
    assert_eq!(at(&state, 12), Some(Barrier::Cut(Transit::Wait)));
    assert_eq!(at(&state, 15), Some(Barrier::Cut(Transit::Lost)));
    assert!(state.heal("b") && !state.heal("b"));
    assert_eq!(at(&state, 15), Some(Barrier::Cut(Transit::Wait)));
    assert_eq!(at(&state, 40), None);
}

#[test]
fn the_latest_word_counts_and_earlier_ones_are_forgotten() {
    let mut state = fresh();
    for turn in 0..1000 {
        let what = if turn % 2 == 0 { Intervention::Crash } else { Intervention::Restart };
        state.apply(Members::Range(0..50), what);
        state.apply(Members::Range(0..10), Intervention::SlowWork(f64::from(turn)));
    }
    assert!(state.standing.len() < 5, "{}", state.standing.len());
    assert_eq!((barred(&state), state.work_factor(ClientId(3))), (0, 999.0));
    assert_eq!(state.work_factor(ClientId(11)), 1.0);
    state.apply(Members::Range(0..50), Intervention::Crash);
    state.apply(Members::Range(5..10), Intervention::Leave);
    assert_eq!(state.barrier(ClientId(7)), Some(Barrier::Left));
    assert_eq!(state.barrier(ClientId(4)), Some(Barrier::Crashed));
}

#[test]
fn labels_turn_for_whom_it_is_said() {
    let mut state = fresh();
    state.turn_labels(Some(0..10), 2);
    state.turn_labels(None, 3);
    let turn = |client: Option<u32>| state.label_turn(client.map(ClientId));
    assert_eq!((turn(Some(4)), turn(Some(10)), turn(None)), (5, 3, 3));
}

#[test]
fn the_list_survives_its_encoding() {
    let mut state = fresh();
    let some = state.choose(&all(Pick::Share(0.2)), &Intervention::Crash);
    state.apply(some, Intervention::Crash);
    let change = Change { link: Some(LinkSpec::Wifi), ..Change::default() };
    state.change(0..5, change);
    let bytes = crate::codec::encode(&state).expect("plain data");
    let back: Interventions = crate::codec::decode(&bytes).expect("what was encoded");
    assert_eq!(state, back);
}
