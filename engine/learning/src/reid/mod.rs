//! Person re-identification: pictures of persons, the retrieval task and its figures, a generator of
//! synthetic domains, and the folder layout of the public benchmarks.

pub mod clients;
pub mod colours;
pub mod cosine;
pub mod evaluate;
pub mod folder;
mod font;
mod images;
pub mod people;
pub mod sheet;
pub mod similarity;
pub mod spec;
pub mod synth;
pub mod trial;

pub use colours::Colours;
pub use cosine::{COSINE_DISTANCE, cosine_distance, moved};
pub use evaluate::{Distance, Features, Retrieval, RetrievalOptions, Unmatched, retrieve};
pub use images::{Mark, Pictures, ReIdSet, Size, Who};
pub use people::{Architecture, ClientPictures, People, Sets};
pub use spec::{NineDomains, PersonFolders};
pub use trial::{Found, Trial};
