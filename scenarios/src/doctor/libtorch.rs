//! Where LibTorch is, and how to get one that fits.

use serde::Serialize;
use std::path::PathBuf;

/// The version that this release is built against.
pub const WANTED: &str = "2.9.0";

/// How to get it.
pub(super) const RECIPE: &str = "  scenarios/libtorch.sh libtorch
  export LIBTORCH=$PWD/libtorch LD_LIBRARY_PATH=$PWD/libtorch/lib
  cargo build --release --features tch
";

/// What was found of LibTorch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LibTorch {
    /// Whether this build uses it.
    pub built_in: bool,
    /// The folder with `lib/libtorch_cpu.so` or the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Its version, where the folder says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The version that fits.
    pub wanted: &'static str,
}

/// Looks where `LIBTORCH` and the loader's search path say, and where installations usually are.
pub fn find() -> LibTorch {
    let named = std::env::var_os("LIBTORCH").map(PathBuf::from);
    let loader = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let loaded = std::env::split_paths(&loader)
        .filter_map(|lib| lib.parent().map(PathBuf::from))
        .collect::<Vec<_>>();
    let usual = ["/opt/libtorch", "/usr/local/libtorch", "/usr/local", "/usr"].map(PathBuf::from);
    look(named.into_iter().chain(loaded).chain(usual))
}

fn look(folders: impl Iterator<Item = PathBuf>) -> LibTorch {
    let names = ["libtorch_cpu.so", "libtorch_cpu.dylib", "torch_cpu.lib"];
    let mut folders = folders;
    let folder = folders.find(|folder| names.iter().any(|n| folder.join("lib").join(n).exists()));
    let version = folder.as_ref().and_then(|folder| {
        let text = std::fs::read_to_string(folder.join("build-version")).ok()?;
        text.lines().next().map(|line| line.trim().to_string())
    });
    LibTorch { built_in: cfg!(feature = "tch"), folder, version, wanted: WANTED }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_recognised_by_its_library() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (empty, full) = (dir.path().join("empty"), dir.path().join("full"));
        std::fs::create_dir_all(full.join("lib")).expect("writable");
        std::fs::write(full.join("lib/libtorch_cpu.so"), "").expect("writable");
        std::fs::write(full.join("build-version"), "2.9.0+cpu\n").expect("writable");
        let found = look([empty.clone(), full.clone()].into_iter());
        assert_eq!((found.folder, found.version), (Some(full), Some("2.9.0+cpu".into())));
        assert_eq!(look([empty].into_iter()).folder, None);
    }
}
