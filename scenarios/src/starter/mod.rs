//! Files to start from: a commented scenario, and a crate with a strategy part.
//!
//! The part's source is also compiled and tested by the examples, so that it cannot fall behind.

use std::path::{Path, PathBuf};

/// A commented scenario that runs in seconds.
pub const SCENARIO: &str = include_str!("scenario.toml");

/// The part that a new crate begins with.
const PART: &str = include_str!("../../../examples/new_strategy/part.rs");

/// What runs a scenario with it.
const MAIN: &str = include_str!("../../../examples/new_strategy/main.rs");

/// The scenario that uses it.
const USES: &str = include_str!("../../../examples/new_strategy/scenario.toml");

/// What the part of the templates is called.
const NAME: &str = "near-the-median";

/// A crate to be written.
#[derive(Clone, Debug)]
pub struct Crate {
    name: String,
    offbeat: PathBuf,
}

impl Crate {
    /// A crate `name` that depends on Offbeat's source in `offbeat`.
    ///
    /// # Errors
    /// When the name cannot be a crate's, or the source is not there.
    pub fn new(name: &str, offbeat: &Path) -> Result<Self, String> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let first = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
        if !first || !name.chars().all(good) || name.ends_with('-') || name.len() > 60 {
            return Err(format!(
                "`{name}` cannot be the name of a part\nhelp: small letters, digits and `-`, such as near-the-median"
            ));
        }
        if !offbeat.join("scenarios/Cargo.toml").is_file() {
            return Err(format!(
                "`{}` is not the source of Offbeat\nhelp: give its folder with `--offbeat DIR`",
                offbeat.display()
            ));
        }
        let offbeat = offbeat.canonicalize().unwrap_or_else(|_| offbeat.to_path_buf());
        Ok(Self { name: name.into(), offbeat })
    }

    /// Its files, by their path in its folder.
    pub fn files(&self) -> Vec<(&'static str, String)> {
        let named = |text: &str| text.replace(NAME, &self.name);
        vec![
            ("Cargo.toml", self.manifest()),
            ("src/main.rs", named(MAIN)),
            ("src/part.rs", named(PART)),
            ("src/scenario.toml", named(USES)),
        ]
    }

    fn manifest(&self) -> String {
        let path = |folder: &str| self.offbeat.join(folder).display().to_string();
        format!(
            "[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
             [dependencies]\noffbeat = {{ path = {:?} }}\noffbeat-learning = {{ path = {:?} }}\n\
             offbeat-strategies = {{ path = {:?} }}\n\n\
             # A workspace of its own, wherever it stands.\n[workspace]\n",
            self.name,
            path("scenarios"),
            path("engine/learning"),
            path("strategies")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Overrides, load_text};

    #[test]
    fn the_starter_is_valid_without_a_warning() {
        let loaded = load_text(Path::new("scenario.toml"), SCENARIO, &Overrides::default());
        let loaded = loaded.expect("valid");
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    }

    #[test]
    fn the_crate_has_its_name_everywhere() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let files = Crate::new("my-part", &root).expect("a good name").files();
        assert!(files.iter().all(|(_, text)| !text.contains(NAME)));
        assert!(files.iter().filter(|(_, text)| text.contains("my-part")).count() >= 3);
        for wrong in ["", "My", "1a", "a_b", "a-", "../x"] {
            assert!(Crate::new(wrong, &root).is_err(), "{wrong}");
        }
        assert!(Crate::new("a", Path::new("/none")).is_err());
    }
}
