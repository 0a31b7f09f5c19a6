//! FedGC (Niu and Deng, AAAI 2022): class embeddings at the server, and one correction step across clients at
//! every aggregation.
//!
//! | tensor | its client | the server | other clients |
//! |---|---|---|---|
//! | body of the network | yes | yes | yes |
//! | class embeddings of a client (its head) | yes | **yes** | never |
//! | pictures and labels | yes | no | no |
//!
//! The server is trusted with all embeddings: they say much about faces (images can be synthesised from them), and
//! a sum that hides them from it would rule the correction out. There is no noise and no differential privacy.

mod regulariser;

pub use regulariser::{Heads, Regulariser};

use crate::resources::Resources;
use crate::seams::{Companion, View, state_in_bytes};
use crate::update::Update;
use offbeat_kernel::ClientId;
use offbeat_kernel::codec::CodecError;
use offbeat_learning::Flat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Name under which class embeddings travel: to their client whole, back as the change that training made.
pub const EMBEDDINGS: &str = "embeddings";

/// How strongly the server corrects.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FedGcSettings {
    /// Weight lambda of the regulariser: the step is lambda times the clients' learning rate; 0 corrects nothing.
    #[schemars(range(min = 0.0, max = 1e6))]
    pub strength: f64,
    /// Scale of cosines, as the clients' margin loss has it. Left out: plain inner products, for linear heads.
    pub scale: Option<f64>,
}

impl Default for FedGcSettings {
    fn default() -> Self {
        Self { strength: 1.0, scale: None }
    }
}

/// The embeddings that a server begins with; plain data of the run, no state.
#[derive(Clone, Debug, Default)]
pub struct FirstHeads {
    /// Of each client `classes x width` weights, row-major, then biases if there are any; and its classes.
    pub heads: Vec<(Flat, usize)>,
    /// Length of an embedding.
    pub width: usize,
    /// Learning rate of the clients.
    pub rate: f64,
}

/// The server's side of FedGC.
///
/// The server draws the embeddings of every client and sends them with each invitation. A client returns the change
/// that its training made to what it was sent, and the server adds it to the embeddings as they are by then: what it
/// corrected meanwhile is not overwritten. Every head that was merged at least once takes part in the correction,
/// as in the paper all stored heads do, whether its client took part in this aggregation or not.
#[derive(Clone, Debug)]
pub struct FedGc {
    settings: FedGcSettings,
    first: Arc<FirstHeads>,
    state: State,
}

/// What changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    /// The embeddings of every client that was merged.
    held: BTreeMap<ClientId, Flat>,
}

impl State {
    state_in_bytes!();
}

impl FedGc {
    /// The part with these settings.
    ///
    /// # Errors
    /// In words, when there are no class embeddings.
    pub fn new(settings: FedGcSettings, resources: &Resources) -> Result<Self, String> {
        let first = resources.heads.clone().ok_or(
            "strategy.companion `fedgc` keeps the heads of clients with classes of their own, and there are none; \
             take a data set of faces or persons",
        )?;
        Ok(Self { settings, first, state: State::default() })
    }

    /// The embeddings of a client as they are now, if it was ever merged.
    pub fn embeddings(&self, client: ClientId) -> Option<&Flat> {
        self.state.held.get(&client)
    }

    fn head(&self, client: ClientId) -> Option<Flat> {
        let held = self.embeddings(client);
        let first = || self.first.heads.get(client.index()).map(|(head, _)| head);
        held.or_else(first).cloned()
    }

    /// One step down the regulariser over all heads.
    fn correct(&mut self) {
        let step = self.settings.strength * self.first.rate;
        if step == 0.0 || self.state.held.len() < 2 {
            return;
        }
        let numbers: Vec<_> = self.state.held.values().map(Flat::host).collect();
        let classes = self.state.held.keys().map(|client| self.first.heads[client.index()].1);
        let each = numbers.iter().map(|head| head.as_slice()).zip(classes);
        let heads = Heads::new(each, self.first.width);
        let regulariser = Regulariser { scale: self.settings.scale };
        let gradient = regulariser.gradient(&heads);
        for (held, gradient) in self.state.held.values_mut().zip(heads.apart(&gradient)) {
            // Biases, behind the weights, are no embeddings.
            let mut whole = gradient.to_vec();
            whole.resize(held.len(), 0.0);
            held.add_scaled(-step as f32, &Flat::new(whole));
        }
    }
}

impl Companion for FedGc {
    fn outfit(&mut self, client: ClientId, _: &Flat) -> BTreeMap<String, Flat> {
        self.head(client).map(|head| (EMBEDDINGS.to_string(), head)).into_iter().collect()
    }

    fn absorb(&mut self, update: &Update, _: &View<'_>) {
        let client = update.arrival.client;
        let (Some(change), Some(mut head)) = (update.extras.get(EMBEDDINGS), self.head(client))
        else {
            return;
        };
        if change.len() != head.len() {
            return;
        }
        head.add_scaled(1.0, change);
        self.state.held.insert(client, head);
    }

    fn merged(&mut self, _: &View<'_>) {
        self.correct();
    }

    fn save(&self) -> Result<Vec<u8>, CodecError> {
        // Every field by its name: one that is added and forgotten here does not compile.
        let Self { settings: _, first: _, state } = self;
        state.save()
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        self.state.restore(bytes)
    }
}

#[cfg(test)]
mod tests;
