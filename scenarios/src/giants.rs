//! Scenarios that ask for more than any machine holds are refused before memory is taken.
//!
//! The estimate is made from the numbers as they were written, also from those that no type could hold.

use crate::diagnose::Problem;
use crate::document::{Document, Value};

/// Most clients: each costs a few bytes even when it is never addressed.
pub(crate) const MOST_CLIENTS: f64 = 1e8;

/// Bytes that all clients and their parts of the data may take.
const MOST_FOR_CLIENTS: f64 = 8.0 * GIB;

/// Bytes that data may take that are made up.
const MOST_FOR_DATA: f64 = 4.0 * GIB;

/// Bytes of the table of how many samples of each label each part of the data has.
const MOST_FOR_LABELS: f64 = 4.0 * GIB;

/// Bytes that one copy of the parameters may take.
const MOST_FOR_MODEL: f64 = 4e9;

/// Bytes of a client: what the simulated world and the books of the server keep of it.
const CLIENT: f64 = 24.0;

/// Bytes of a part of the data: two lists of samples with their counts.
const PART: f64 = 240.0;

const GIB: f64 = (1u64 << 30) as f64;

/// Something that takes memory: what it is, its bytes, the limit, and the key that asks for it.
struct Piece {
    what: &'static str,
    bytes: f64,
    most: f64,
    key: String,
    help: &'static str,
}

/// What `document` asks for that is too large, each with the estimate of all.
pub(crate) fn check(document: &Document) -> Vec<Problem> {
    let pieces = pieces(document);
    let all: Vec<String> = (pieces.iter().filter(|piece| piece.bytes > 0.0))
        .map(|piece| format!("{} {}", piece.what, size(piece.bytes)))
        .collect();
    let told = |piece: &Piece| {
        let message = format!("this would take {} of memory", size(piece.bytes));
        let label = format!("{}: at most {}", piece.what, size(piece.most));
        Problem::new("too_large", message)
            .at(document.place(&piece.key), label)
            .help(format!("{} (estimate: {})", piece.help, all.join(", ")))
            .about(&piece.key)
    };
    pieces.iter().filter(|piece| piece.bytes > piece.most).map(told).collect()
}

fn number(document: &Document, key: &str) -> Option<f64> {
    match document.find(key)?.value {
        Value::Integer(number) => Some(number as f64),
        _ => None,
    }
}

fn pieces(document: &Document) -> Vec<Piece> {
    let at = |key: &str| number(document, key);
    let clients = at("population.clients").unwrap_or(0.0);
    let parts = at("data.parts").unwrap_or(clients);
    let most = if clients > MOST_CLIENTS { MOST_CLIENTS * CLIENT } else { MOST_FOR_CLIENTS };
    let mut found = vec![Piece {
        what: "clients",
        bytes: clients * CLIENT + parts * PART,
        most,
        key: "population.clients".into(),
        help: "lower `clients`; many clients can share their data with `parts = 1000` in `[data]`",
    }];
    let (key, set) = set(document);
    found.push(Piece {
        what: "data",
        bytes: set.numbers * 4.0,
        most: MOST_FOR_DATA,
        key: key.clone(),
        help: "ask for fewer samples, classes or inputs",
    });
    found.push(Piece {
        what: "labels by client",
        bytes: set.classes * parts * 8.0,
        most: MOST_FOR_LABELS,
        key: format!("{key}.classes"),
        help: "lower `classes`, or split the data into fewer `parts` in `[data]`",
    });
    for kind in ["iid", "dirichlet", "label-mix"] {
        let key = format!("data.partition.{kind}.samples");
        found.push(Piece {
            what: "samples of clients",
            bytes: at(&key).unwrap_or(0.0) * parts * 4.0,
            most: MOST_FOR_DATA,
            key,
            help: "lower `samples`, the number that each client draws",
        });
    }
    found.push(Piece {
        what: "a model",
        bytes: parameters(document, &set) * 4.0,
        most: MOST_FOR_MODEL,
        key: "network.model".into(),
        help: "make its layers smaller",
    });
    found
}

/// The size of a data set, as far as the scenario tells it.
#[derive(Default)]
struct Set {
    numbers: f64,
    inputs: f64,
    classes: f64,
}

/// The data set's key and size.
fn set(document: &Document) -> (String, Set) {
    let inside = |name: &str| {
        let key = format!("data.dataset.{name}");
        document.find(&key).is_some().then_some(key)
    };
    let at = |key: &str, name: &str, usual: f64| {
        number(document, &format!("{key}.{name}")).unwrap_or(usual)
    };
    if let Some(key) = inside("synthetic") {
        let (classes, inputs) = (at(&key, "classes", 10.0), at(&key, "inputs", 64.0));
        let rows = at(&key, "train", 0.0) + at(&key, "test", 0.0) + classes;
        return (key, Set { numbers: rows * inputs, inputs, classes });
    }
    if let Some(key) = inside("synthetic-clients") {
        let (classes, inputs) = (at(&key, "classes", 10.0), at(&key, "inputs", 60.0));
        let owners = at(&key, "clients", 0.0);
        // Each owner has a model of its own, and at least one sample.
        return (key, Set { numbers: owners * (classes + 1.0) * inputs, inputs, classes });
    }
    match inside("csv") {
        Some(key) => {
            let classes = at(&key, "classes", 0.0);
            (key, Set { classes, ..Set::default() })
        }
        None => ("data.dataset".into(), Set::default()),
    }
}

/// Parameters of a network whose layers are written as numbers.
fn parameters(document: &Document, set: &Set) -> f64 {
    let key = "network.model.mlp.hidden";
    let Some(Value::List(nodes)) = document.find(key).map(|node| &node.value) else {
        return 0.0; // The data, which are counted, decide how large it is.
    };
    let mut before = set.inputs.max(1.0);
    let mut sum = 0.0;
    let widths = (0..nodes.len()).map(|index| number(document, &format!("{key}.{index}")));
    for width in widths.flatten().chain([set.classes.max(1.0)]) {
        sum += (before + 1.0) * width;
        before = width;
    }
    sum
}

/// Bytes in words.
fn size(bytes: f64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let power = if bytes < 1.0 { 0.0 } else { (bytes.log2() / 10.0).floor() };
    let power = power.min((UNITS.len() - 1) as f64);
    let value = bytes / 1024f64.powf(power);
    let digits = usize::from(value < 10.0 && power > 0.0);
    format!("{value:.digits$} {}", UNITS[power as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        let document = Document::parse("f.toml", text, &[], &mut problems);
        check(&document)
    }

    #[test]
    fn sizes_are_in_words() {
        let sizes = [0.0, 1000.0, 2048.0, 3e9, 1e15, 1e30].map(size);
        assert_eq!(sizes[..4], ["0 B", "1000 B", "2.0 KiB", "2.8 GiB"]);
        assert!(sizes[4].ends_with("TiB") && sizes[5].ends_with("EiB"));
    }

    #[test]
    fn what_fits_is_let_through() {
        assert!(found("[population]\nclients = 1_000_000\n[data]\nparts = 1000\n").is_empty());
        assert!(found("[network.model.mlp]\nhidden = [4096, 4096]\n").is_empty());
    }

    #[test]
    fn each_giant_is_named() {
        let text = "[population]\nclients = 1_000_000_000_000\n[data.dataset.synthetic]\n\
                    classes = 1_000_000_000\ntrain = 5\ntest = 5\n[network.model.mlp]\n\
                    hidden = [1000000, 1000000]\n";
        let keys: Vec<String> = found(text).iter().map(|p| p.path().to_string()).collect();
        assert_eq!(
            keys,
            [
                "population.clients",
                "data.dataset.synthetic",
                "data.dataset.synthetic.classes",
                "network.model",
            ]
        );
        let csv = "[population]\nclients = 20\n[data.dataset.csv]\nclasses = 1_000_000_000\n";
        assert_eq!(found(csv).len(), 1);
    }
}
