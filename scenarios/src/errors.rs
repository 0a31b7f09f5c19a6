//! What each code of a [`crate::Problem`] means, why it is a problem, and how to mend it.

use serde::Serialize;

/// A kind of problem, explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The code, such as `unknown_key`.
    pub code: &'static str,
    /// What is wrong, in general.
    pub meaning: &'static str,
    /// Why Offbeat does not go on.
    pub why: &'static str,
    /// What to do.
    pub mend: &'static str,
    /// Before and after.
    pub example: &'static str,
}

const fn code(
    code: &'static str,
    meaning: &'static str,
    why: &'static str,
    mend: &'static str,
    example: &'static str,
) -> Explained {
    Explained { code, meaning, why, mend, example }
}

/// All codes.
pub const CODES: [Explained; 19] = [
    code(
        "syntax",
        "The text is not TOML.",
        "Nothing can be read after the place that is not TOML, so nothing else is checked.",
        "Look at the underlined place: a missing quote, a missing bracket, or a key without a value.",
        "wrong:  model = softmax\nright:  model = \"softmax\"",
    ),
    code(
        "unknown_key",
        "The table has no such key.",
        "A key that is not read would be a setting that silently does nothing.",
        "Take the name that is suggested, or see the keys of the table with `offbeat explain TABLE`.",
        "wrong:  [training]\n        batchsize = 16\nright:  [training]\n        batch = 16",
    ),
    code(
        "missing_key",
        "A key or section is missing that has no sensible value of its own.",
        "Nobody but you can say what it should be.",
        "Add the key to the table that is named.",
        "wrong:  [data]\n        dataset = \"digits\"\nright:  [data]\n        dataset = \"digits\"\n        partition = \"iid\"",
    ),
    code(
        "wrong_type",
        "The value is of another kind than the key takes.",
        "A text is never taken for a number, nor a number for a list: that would hide slips.",
        "Write the kind of value that is expected; numbers and `true` stand without quotes.",
        "wrong:  batch = \"16\"\nright:  batch = 16",
    ),
    code(
        "out_of_range",
        "The number is outside what the key takes.",
        "Beyond the range the run could not mean anything, or would not fit into a machine.",
        "Choose a value in the range that is shown under the line.",
        "wrong:  clients = 0\nright:  clients = 100",
    ),
    code(
        "unknown_name",
        "The choice has no such name.",
        "Strategies, data sets, networks and models of hardship are chosen by name.",
        "Take the name that is suggested; `offbeat list` shows all names with a line on each.",
        "wrong:  pace = \"syncronous\"\nright:  pace = \"synchronous\"",
    ),
    code(
        "value",
        "The value cannot work, for the reason that is given.",
        "It is of the right kind and size, but the thing it describes cannot be built or run.",
        "Follow the help line; `offbeat explain KEY` tells what the key takes.",
        "wrong:  momentum = 1.0\nright:  momentum = 0.9",
    ),
    code(
        "conflict",
        "Two keys contradict each other.",
        "Either alone would be fine; together it is unclear which one is meant.",
        "Both places are shown: keep one, or change one so that they agree.",
        "wrong:  rounds = 50\n        versions = 100\nright:  rounds = 50",
    ),
    code(
        "unlikely",
        "Legal, but surely not meant (a warning: the run goes on).",
        "It does nothing, or makes the run depend on something odd.",
        "Read the line; if it is meant, leave it as it is.",
        "odd:    nesterov = true        with momentum = 0\nbetter: nesterov = true, momentum = 0.9",
    ),
    code(
        "impossible",
        "What is asked for can never happen in this population.",
        "The run would wait, or lose task after task, and learn nothing.",
        "Read the line: it names what nobody has, or what nobody can do in time.",
        "wrong: memory_bytes = { constant = 8.0 }\nright: memory_bytes = { constant = 8e9 }",
    ),
    code(
        "set",
        "A `--set` argument is not a path and a value.",
        "It could not be laid over the scenario.",
        "Write keys joined by dots, `=`, and the value as in the file.",
        "wrong:  --set training.batch 16\nright:  --set training.batch=16",
    ),
    code(
        "missing_file",
        "A file is not where the scenario says.",
        "The run needs what is in it.",
        "Check the path: data sets are looked for in `data.dir` or `--data-dir`, everything else \
         beside the file that names it.",
        "wrong:  weights = \"model.safetensors\"     with the file in models/\nright:  weights = \"models/model.safetensors\"",
    ),
    code(
        "unreadable_file",
        "A file is there but cannot be read.",
        "It may belong to somebody else, be a folder, or not be text.",
        "Check its permissions; scenarios and traces are text in UTF-8.",
        "mend:   chmod u+r speeds.txt",
    ),
    code(
        "malformed_data",
        "A data file is not in the form that is expected.",
        "Guessing would train on something else than you think.",
        "The message names the line or the byte; compare it with the format on the page of the data set.",
        "wrong:  age,label          (a column is missing in line 7)\nright:  every line has as many cells as the first",
    ),
    code(
        "outside",
        "The scenario names a file outside its own folder and the data folder.",
        "A scenario from somebody else must not read whatever it likes.",
        "Keep the file beside the scenario or below it; or give `--allow-outside` if you trust it.",
        "wrong:  include = [\"../../parts.toml\"]\nright:  include = [\"parts.toml\"]",
    ),
    code(
        "circle",
        "Files build on each other in a circle.",
        "Each would lie over the other, without a first one.",
        "Remove one reference of the circle; put what both need into a third file.",
        "wrong:  a.toml: extends = \"b.toml\"     b.toml: extends = \"a.toml\"\nright:  both:   include = [\"common.toml\"]",
    ),
    code(
        "script",
        "The script cannot be used.",
        "A function that is not understood, or that nothing calls, would let the run do something else.",
        "Look at the underlined place; the functions that are called are `on_start()`, `on_update(u)`, \
         `on_version(v)`, `on_evaluation(e)`, `on_timer(name)`, `select(want, free)`, `weigh(u)`.",
        "wrong:  fn on_updates(u) { }\nright:  fn on_update(u) { }",
    ),
    code(
        "too_large",
        "The scenario asks for more than a machine can hold.",
        "It is refused before memory is taken; the message has the estimate.",
        "Lower the number that is shown; for huge populations split the data into fewer `data.parts`.",
        "wrong:  clients = 1000000000000\nright:  clients = 1000000 and parts = 1000",
    ),
    code(
        "device",
        "What should compute is not there.",
        "The build or the machine has no such device.",
        "Use `--device flex`, the processor, or build with the device's feature; `offbeat doctor` lists what is there.",
        "wrong:  --device cuda      in a build without it\nright:  cargo build --release --features cuda",
    ),
];

/// The explanation of `code`.
pub fn find(code: &str) -> Option<&'static Explained> {
    CODES.iter().find(|known| known.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The codes that the sources of this crate give to problems.
    fn given(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("sources").flatten() {
            let path = entry.path();
            if path.is_dir() {
                given(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let text = std::fs::read_to_string(&path).expect("text");
                for part in text.split("Problem::new(").skip(1) {
                    let part = part.trim_start();
                    let code = part.strip_prefix('"').and_then(|rest| rest.split('"').next());
                    found.extend(code.map(String::from));
                }
            }
        }
    }

    #[test]
    fn every_code_is_explained_and_every_explanation_is_needed() {
        let mut found = Vec::new();
        given(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        let named = |code: &str| code.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        found.retain(|code| named(code));
        for code in &found {
            assert!(find(code).is_some(), "`{code}` has no explanation");
        }
        assert!(found.len() > 20, "{found:?}");
    }
}
