//! What a part lacks that a script switches to. Which those are nobody knows before, so that it is told at the switch.

use super::{Checks, strategy};
use crate::diagnose::Problem;
use crate::document::Document;
use crate::spec::{ScenarioFile, SwitchPart};
use offbeat_strategies::registry::WeighPart;

/// The scenario around a script's switches.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    file: ScenarioFile,
    document: Document,
    /// Clients measure how far training moved their answers.
    measured: bool,
}

impl Surroundings {
    /// Those of a run of `file`, in which clients measure distances or do not.
    pub(crate) fn new(file: &ScenarioFile, document: &Document, measured: bool) -> Self {
        Self { file: file.clone(), document: document.clone(), measured }
    }

    /// What the new part lacks that the written ones do not lack, and what to do; nothing when all is there.
    pub(crate) fn lacks(&self, switch: &SwitchPart) -> Option<String> {
        let asks = |part: &WeighPart| matches!(part, WeighPart::CosineDistance(_));
        if !self.measured && matches!(switch, SwitchPart::Weigh(parts) if parts.iter().any(asks)) {
            let reason = "clients measure no cosine distances: they do so from the beginning of the run, where the \
                          strategy, the timeline or the script's text says `cosine-distance`; write the name out in \
                          the script, if only in a comment";
            return Some(reason.into());
        }
        let strategy = self.file.strategy.switched(switch);
        let known = self.problems(&self.file);
        let new = self.problems(&ScenarioFile { strategy, ..self.file.clone() });
        let is_known = |new: &Problem| known.iter().any(|old| old.message() == new.message());
        let lacking = new.iter().find(|problem| !problem.is_warning() && !is_known(problem))?;
        Some(match lacking.help_text() {
            Some(help) => format!("{}; {help}", lacking.message()),
            None => lacking.message().to_string(),
        })
    }

    fn problems(&self, file: &ScenarioFile) -> Vec<Problem> {
        let mut checks = Checks { document: &self.document, problems: Vec::new(), switched: true };
        strategy::whole(file, &mut checks);
        checks.problems
    }
}
