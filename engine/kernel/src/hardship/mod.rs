//! The models of hardship: what devices, links and absences do to a federation.
//!
//! Nothing is stored per client. Whatever is true of a client is drawn on demand from
//! [`SeedTree::stream`](crate::SeedTree::stream) with the client's id, so that ten million registered
//! clients cost nothing until they are addressed, and adding one changes no other.
//!
//! [`HardshipSpec`] is all of it for one population group; [`ClientProfile`] is what it makes of a
//! client; [`Presence`] says when the client is there; [`FairLink`] is the one model that has a state,
//! because transfers that share a link depend on each other.

pub mod availability;
pub mod completeness;
pub mod delivery;
pub mod device;
pub mod distribution;
pub mod energy;
pub mod fair_link;
pub mod intervention;
pub mod link;
mod math;
pub mod profile;

pub use availability::{
    Availability, DeviceTrace, Diurnal, Interruption, Nightly, Outcome, Presence,
};
pub use completeness::{Completeness, PartialWork, TaskFate};
pub use delivery::{Delivery, Mishap};
pub use device::{Device, DeviceSpec, Scores, SpeedCorrelation};
pub use distribution::{Distribution, LognormalPart};
pub use energy::{Battery, EnergySpec};
pub use fair_link::FairLink;
pub use intervention::{
    Barrier, Change, Clients, Intervention, Interventions, Members, Pick, Transit,
};
pub use link::{Direction, Link, LinkParameters, LinkSpec};
pub use math::normal_quantile;
pub use profile::{ClientProfile, HardshipSpec, TaskLoad};
