//! A validated scenario with every default resolved.

use crate::load::Overrides;
use crate::spec::{Assign, ScenarioFile, TopologySection, TreeSection};
use offbeat_learning::data::PartitionSpec;
use std::path::Path;

/// A scenario that can be run: valid, with a name, a seed and an end, and with every default filled
/// in. Written as TOML it is a scenario file that gives the same run.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    file: ScenarioFile,
    seed: u64,
}

impl Scenario {
    /// Fills in what is left open. Meant for files that [`crate::validate::check`] found valid.
    pub fn resolve(mut file: ScenarioFile, path: &Path, overrides: &Overrides) -> Self {
        let seed = overrides.seed.or(file.run.seed).unwrap_or_default();
        file.run.seed = Some(seed);
        file.run.versions = file.run.last_version();
        file.run.rounds = None;
        if file.name.is_empty() {
            file.name = path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default();
        }
        if file.training.epochs.is_none() && file.training.steps.is_none() {
            file.training.epochs = Some(1);
        }
        if file.evaluation.every_versions.is_none()
            && file.evaluation.every_virtual_minutes.is_none()
        {
            file.evaluation.every_versions = Some(1);
        }
        if let Some(dir) = &overrides.data_dir {
            file.data.dir.clone_from(dir);
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        settle_paths(&mut file, folder);
        Self { file, seed }
    }

    /// All sections, resolved.
    pub fn sections(&self) -> &ScenarioFile {
        &self.file
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// Root of all random numbers.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The scenario as TOML.
    ///
    /// # Errors
    /// When a value has no form in TOML.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(&self.file)
    }
}

/// Makes paths absolute, so that the resolved scenario means the same from anywhere: data and output
/// count from where the command is called, everything else from the scenario's folder.
fn settle_paths(file: &mut ScenarioFile, folder: &Path) {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    file.data.dir = absolute(&file.data.dir);
    file.output.dir = absolute(&file.output.dir);
    if let Some(weights) = &mut file.network.weights {
        *weights = absolute(&folder.join(&*weights));
    }
    if let Some(schedule) = &mut file.strategy.schedule_file {
        *schedule = absolute(&folder.join(&*schedule));
    }
    if let Some(script) = &mut file.script {
        script.file = absolute(&folder.join(&script.file));
    }
    let population = &mut file.population;
    let groups = population.group.iter_mut();
    let files = groups.flat_map(|group| [&mut group.speed_file, &mut group.availability_file]);
    let own = [&mut population.speed_file, &mut population.availability_file];
    for path in own.into_iter().chain(files).flatten() {
        *path = absolute(&folder.join(&*path));
    }
    if let TopologySection::Tree(TreeSection { assign: Assign::File { path }, .. }) =
        &mut file.topology
    {
        *path = absolute(&folder.join(&*path));
    }
    if let PartitionSpec::File(partition) = &mut file.data.partition {
        partition.path = absolute(&folder.join(&partition.path));
    }
}
