//! A model tried on the persons of a domain.
//!
//! Features as the benchmark's scripts take them: those of a picture and of its mirror image are added and
//! scaled to length 1 (Zhuang et al., TOMM 2022, and the code of its authors).

use super::colours::Colours;
use super::evaluate::{Features, Retrieval, RetrievalOptions, retrieve};
use super::images::{Pictures, ReIdSet};
use super::similarity::unit_rows;
use crate::data::{Dataset, Shard};
use crate::faces::FaceFigures;
use crate::{Flat, LearnError, Trainer};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Pictures that are numbers at a time.
const TOGETHER: usize = 256;

/// The retrieval task of one domain.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The domain.
    pub name: String,
    /// Whether a client learns from this domain.
    pub seen: bool,
    /// What is searched for.
    pub query: Pictures,
    /// What is searched.
    pub gallery: Pictures,
    colours: Colours,
    faces: bool,
}

/// What a trial comes to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// How well persons were found again.
    pub retrieval: Retrieval,
    /// How well faces were told apart, where the pictures are faces.
    pub faces: Option<FaceFigures>,
}

impl Trial {
    /// The task of `set`.
    pub fn new(set: ReIdSet, seen: bool, colours: Colours) -> Self {
        let ReIdSet { name, query, gallery, .. } = set;
        Self { name, seen, query, gallery, colours, faces: false }
    }

    /// The same for faces: verification and open-set identification are measured as well.
    pub fn of_faces(self) -> Self {
        Self { faces: true, ..self }
    }

    /// Tries the model with these parameters, all of them, in the layout of the trainer's network. Memory
    /// beyond the pictures: the features of all of them, and 256 pictures as numbers.
    ///
    /// # Errors
    /// As [`Trainer::features`], [`retrieve`] and [`FaceFigures::new`].
    pub fn run(
        &self,
        trainer: &dyn Trainer,
        params: &Flat,
        options: RetrievalOptions,
    ) -> Result<Found, LearnError> {
        let query = features(trainer, params, &self.query, self.colours)?;
        let gallery = features(trainer, params, &self.gallery, self.colours)?;
        let (query, gallery) =
            (as_features(&query, &self.query), as_features(&gallery, &self.gallery));
        let faces = self.faces.then(|| FaceFigures::new(query, gallery)).transpose()?;
        Ok(Found { retrieval: retrieve(query, gallery, options)?, faces })
    }

    /// What the pixels themselves find, without any model: the least that learning has to beat.
    ///
    /// # Errors
    /// As [`retrieve`].
    pub fn raw_pixels(&self, options: RetrievalOptions) -> Result<Retrieval, LearnError> {
        let numbers = |pictures: &Pictures| {
            let mut all = Vec::with_capacity(pictures.len() * pictures.size().bytes());
            (0..pictures.len()).for_each(|index| self.colours.push(pictures, index, &mut all));
            unit_rows(&all, pictures.size().bytes())
        };
        let (query, gallery) = (numbers(&self.query), numbers(&self.gallery));
        retrieve(as_features(&query, &self.query), as_features(&gallery, &self.gallery), options)
    }
}

fn as_features<'a>(values: &'a [f32], pictures: &'a Pictures) -> Features<'a> {
    let dims = values.len() / pictures.len().max(1);
    Features { values, dims, marks: pictures.marks() }
}

/// Features of all pictures, row-major, of length 1.
fn features(
    trainer: &dyn Trainer,
    params: &Flat,
    pictures: &Pictures,
    colours: Colours,
) -> Result<Vec<f32>, LearnError> {
    let size = pictures.size();
    let mut all = Vec::new();
    for start in (0..pictures.len()).step_by(TOGETHER) {
        let rows = start..(start + TOGETHER).min(pictures.len());
        let count = rows.len();
        let mut numbers = Vec::with_capacity(count * size.bytes());
        rows.for_each(|index| colours.push(pictures, index, &mut numbers));
        let shard = Shard::whole(Arc::new(Dataset {
            features: numbers,
            shape: vec![3, size.height as usize, size.width as usize],
            labels: vec![0; count],
            classes: 1,
            groups: None,
        }));
        let mut sum = trainer.features(params, &shard, 0..count, false)?;
        let mirrored = trainer.features(params, &shard, 0..count, true)?;
        sum.iter_mut().zip(mirrored).for_each(|(a, b)| *a += b);
        all.append(&mut sum);
    }
    let dims = all.len() / pictures.len().max(1);
    Ok(unit_rows(&all, dims))
}
