//! Parts of strategies that a script answers for: `select(want, free)` and `weigh(u)`.
//!
//! The slow path: each call crosses into the script, and `select` is given a list of all clients that are
//! free. Either part has a state `this` of its own, and a stream of random numbers of its own.

use super::caller::Caller;
use super::host::{map, whole};
use offbeat_kernel::codec::CodecError;
use offbeat_kernel::{ClientId, Stream};
use offbeat_learning::Flat;
use offbeat_strategies::seams::{Select, View, Weigh};
use offbeat_strategies::update::{Arrival, Update};
use rhai::{Array, Dynamic, INT};
use std::collections::BTreeSet;

/// A script in the place of a part.
#[derive(Debug)]
pub(super) struct Part {
    caller: Caller,
    /// What went wrong first, until it is asked for.
    fault: Option<String>,
}

impl Part {
    pub(super) fn new(caller: Caller) -> Self {
        Self { caller, fault: None }
    }

    /// The answer to one call, or nothing after something went wrong.
    fn ask<T>(
        &mut self,
        function: &str,
        arguments: Vec<Dynamic>,
        understand: impl FnOnce(Dynamic) -> Result<T, String>,
    ) -> Option<T> {
        if self.fault.is_some() {
            return None;
        }
        let name = &self.caller.name;
        let wrong = format!("{name}: what `{function}` answers: ");
        let answer = self.caller.call(function, arguments);
        let found = answer
            .and_then(|answer| understand(answer).map_err(|reason| format!("{wrong}{reason}")));
        found.map_err(|reason| self.fault = Some(reason)).ok()
    }

    fn weight(&mut self, arrival: &Arrival, view: &View<'_>) -> f64 {
        let update = map([
            ("task", whole(arrival.task.0)),
            ("client", whole(arrival.client.0.into())),
            ("samples", whole(arrival.samples)),
            ("base", whole(arrival.base_version.0)),
            ("staleness", whole(view.version.since(arrival.base_version))),
            ("completeness", Dynamic::from_float(arrival.completeness)),
            ("tag", whole(arrival.tag)),
            ("invited_minutes", Dynamic::from_float(arrival.invited.seconds() / 60.0)),
            ("arrived_minutes", Dynamic::from_float(arrival.arrived.seconds() / 60.0)),
        ]);
        self.ask("weigh", vec![update], weight).unwrap_or(0.0)
    }
}

/// A weight is a number that is not negative.
fn weight(answer: Dynamic) -> Result<f64, String> {
    let number = answer.as_float().or_else(|_| answer.as_int().map(|whole| whole as f64));
    match number {
        Ok(weight) if weight.is_finite() && weight >= 0.0 => Ok(weight),
        Ok(weight) => Err(format!("{weight} is no weight: it must be a number of at least 0")),
        Err(kind) => Err(format!("a {kind} is no weight: it must be a number of at least 0")),
    }
}

/// A choice is a list of at most `want` clients that are free, none twice.
fn choice(answer: Dynamic, want: usize, free: &[ClientId]) -> Result<Vec<ClientId>, String> {
    let kind = answer.type_name();
    let Ok(list) = answer.into_array() else {
        return Err(format!("a {kind} is no list of clients"));
    };
    if list.len() > want {
        return Err(format!("{} clients, but only {want} are wanted", list.len()));
    }
    let mut seen = BTreeSet::new();
    list.iter()
        .map(|entry| {
            let number = entry.as_int().map_err(|kind| format!("a {kind} is no client"))?;
            let client = u32::try_from(number).ok().map(ClientId);
            let client = client.filter(|client| free.binary_search(client).is_ok());
            match client {
                Some(client) if seen.insert(client) => Ok(client),
                Some(_) => Err(format!("client {number} is named twice")),
                None => Err(format!("client {number} is not among those that are free")),
            }
        })
        .collect()
}

macro_rules! state_of_the_script {
    () => {
        fn fault(&mut self) -> Option<String> {
            self.fault.take()
        }

        fn save(&self) -> Result<Vec<u8>, CodecError> {
            // Every field by its name: one that is added and forgotten here does not compile.
            let Self { caller, fault: _ } = self;
            caller.save().map_err(CodecError::Refused)
        }

        fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
            self.caller.restore(bytes).map_err(CodecError::Refused)
        }
    };
}

impl Select for Part {
    fn select(&mut self, want: usize, view: &View<'_>, _: &mut Stream) -> Vec<ClientId> {
        let free = view.all_free();
        let list: Array = free.iter().map(|client| Dynamic::from_int(client.0.into())).collect();
        let wanted = Dynamic::from_int(INT::try_from(want).unwrap_or(INT::MAX));
        let arguments = vec![wanted, Dynamic::from_array(list)];
        self.ask("select", arguments, |answer| choice(answer, want, &free)).unwrap_or_default()
    }

    state_of_the_script!();
}

impl Weigh for Part {
    fn weigh(&mut self, updates: &[Update], _: &Flat, view: &View<'_>) -> Vec<f64> {
        updates.iter().map(|update| self.weight(&update.arrival, view)).collect()
    }

    fn weigh_arrivals(&mut self, arrivals: &[Arrival], view: &View<'_>) -> Option<Vec<f64>> {
        Some(arrivals.iter().map(|arrival| self.weight(arrival, view)).collect())
    }

    state_of_the_script!();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(answer: &str, want: usize) -> Result<Vec<u32>, String> {
        let answer = rhai::Engine::new().eval::<Dynamic>(answer).expect("a value");
        let free = [0, 2, 5].map(ClientId);
        choice(answer, want, &free).map(|found| found.into_iter().map(|id| id.0).collect())
    }

    #[test]
    fn only_free_clients_are_chosen_and_each_once() {
        assert_eq!(chosen("[5, 0]", 2), Ok(vec![5, 0]));
        for (answer, reason) in [
            ("[0, 2, 5]", "only 2 are wanted"),
            ("[1]", "not among those that are free"),
            ("[-1]", "not among those that are free"),
            ("[2, 2]", "named twice"),
            ("[2.0]", "is no client"),
            ("7", "no list of clients"),
        ] {
            let found = chosen(answer, 2).expect_err(answer);
            assert!(found.contains(reason), "{answer}: {found}");
        }
    }

    #[test]
    fn weights_are_numbers_that_are_not_negative() {
        assert_eq!(weight(Dynamic::from_int(3)), Ok(3.0));
        assert_eq!(weight(Dynamic::from_float(0.5)), Ok(0.5));
        for wrong in [Dynamic::from_float(-1.0), Dynamic::from_float(f64::NAN), Dynamic::UNIT] {
            assert!(weight(wrong).is_err());
        }
    }
}
