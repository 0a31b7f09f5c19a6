//! What a script can ask: the state of the federation, the clients, random numbers.

use offbeat_actors::hooks::{ClientCounts, SharedBoard};
use offbeat_kernel::{ClientId, Purpose, SeedTree};
use rand::RngExt;
use rhai::{Dynamic, Engine, INT};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Whose random numbers these are: the hooks', or those of a part of the strategy.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Voice {
    /// What happens when.
    #[default]
    Hooks,
    /// Whom to invite.
    Select,
    /// How much an update counts.
    Weigh,
}

impl Voice {
    /// The number of its stream.
    fn stream(self) -> u64 {
        match self {
            Self::Hooks => u64::MAX,
            Self::Select => u64::MAX - 1,
            Self::Weigh => u64::MAX - 2,
        }
    }
}

/// What a script and its host share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared {
    /// The state of the federation.
    pub(crate) board: SharedBoard,
    /// Random numbers drawn so far.
    pub(super) drawn: Arc<AtomicU64>,
    voice: Voice,
    seeds: Option<SeedTree>,
    clients: Arc<Vec<Fixed>>,
}

/// What does not change about a client.
#[derive(Clone, Debug)]
pub(crate) struct Fixed {
    /// Samples it registered with.
    pub(crate) samples: u64,
    /// Seconds from invitation to answer under undisturbed conditions.
    pub(crate) seconds: f64,
    /// The name of its group.
    pub(crate) group: Arc<str>,
}

impl Shared {
    pub(crate) fn new(seeds: SeedTree, clients: Vec<Fixed>) -> Self {
        Self { seeds: Some(seeds), clients: Arc::new(clients), ..Self::default() }
    }

    /// The same for another part of the script, with random numbers of its own.
    pub(crate) fn speaking_for(&self, voice: Voice) -> Self {
        Self { voice, drawn: Arc::default(), ..self.clone() }
    }

    fn random(&self) -> f64 {
        let counter = self.drawn.fetch_add(1, Ordering::Relaxed);
        let seeds = self.seeds.unwrap_or_else(|| SeedTree::new(0));
        seeds.stream(Purpose::Custom, self.voice.stream(), counter).random()
    }

    fn counts(&self, client: INT) -> ClientCounts {
        let id = ClientId(u32::try_from(client).unwrap_or(u32::MAX));
        self.board.lock().clients.get(&id).copied().unwrap_or_default()
    }

    fn fixed(&self, client: INT) -> Option<&Fixed> {
        self.clients.get(usize::try_from(client).ok()?)
    }
}

/// Registers the functions.
pub(super) fn register(engine: &mut Engine, shared: &Shared) {
    macro_rules! ask {
        ($name:literal, |$s:ident $(, $arg:ident : $type:ty)?| $body:expr) => {{
            let $s = shared.clone();
            engine.register_fn($name, move |$($arg: $type)?| $body);
        }};
    }
    ask!("minutes", |s| s.board.lock().now.seconds() / 60.0);
    ask!("version", |s| s.board.lock().version.0 as INT);
    ask!("updates", |s| s.board.lock().updates as INT);
    ask!("accuracy", |s| figure(s.board.lock().figures.map(|figures| figures.0)));
    ask!("loss", |s| figure(s.board.lock().figures.map(|figures| figures.1)));
    ask!("clients", |s| s.clients.len() as INT);
    ask!("samples", |s, client: INT| s.fixed(client).map_or(0, |own| own.samples as INT));
    ask!("expected_seconds", |s, client: INT| s.fixed(client).map_or(0.0, |own| own.seconds));
    ask!("group", |s, client: INT| {
        s.fixed(client).map_or_else(String::new, |own| own.group.to_string())
    });
    ask!("invited", |s, client: INT| s.counts(client).invited as INT);
    ask!("arrived", |s, client: INT| s.counts(client).arrived as INT);
    ask!("merged", |s, client: INT| s.counts(client).merged as INT);
    ask!("lost", |s, client: INT| s.counts(client).lost as INT);
    ask!("random", |s| s.random());
    ask!("random_below", |s, end: INT| (s.random() * end.max(0) as f64) as INT);
}

fn figure(value: Option<f64>) -> Dynamic {
    value.map_or(Dynamic::UNIT, Dynamic::from_float)
}
