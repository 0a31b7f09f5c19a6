//! What makes a domain look like itself: season, place, cameras, crops.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What stands behind the persons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Wall {
    /// Plaster with a soft gradient.
    Plain,
    /// Rows of bricks.
    Bricks,
    /// Upright panels with seams.
    Panels,
    /// Dark glass with reflections.
    Glass,
    /// Trees and hedges.
    Foliage,
    /// Shelves full of coloured goods.
    Shelves,
    /// Parked cars before a bright street.
    Street,
}

/// What they walk on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Floor {
    /// Even and bright, with a shine.
    Hall,
    /// Tiles with joints.
    Tiles,
    /// Grainy asphalt.
    Asphalt,
    /// A lawn.
    Grass,
    /// Broad painted stripes.
    Stripes,
}

/// How a domain looks. Shares are between 0 and 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Style {
    /// Walls that its cameras see; each camera has one.
    pub walls: Vec<Wall>,
    /// Floors; each camera has one.
    pub floors: Vec<Floor>,
    /// Hue of floors and plain walls, 0 to 1.
    pub ground_hue: f32,
    /// How coloured the ground is.
    pub ground_saturation: f32,
    /// Factors on red, green and blue of the light.
    pub light: [f32; 3],
    /// Brightness of the light; 1 is full.
    pub brightness: f32,
    /// How much the cameras of the domain differ in colour and gain.
    pub camera_spread: f32,
    /// Least and largest blur of a camera in pixels of a picture 64 high.
    pub blur: [f32; 2],
    /// Standard deviation of the sensor's noise.
    pub noise: f32,
    /// Least and largest elevation of a camera: 0 at eye level, 0.5 steep.
    pub elevation: [f32; 2],
    /// How badly persons are cut out: shift and scale of the crop.
    pub misalignment: f32,
    /// Share of persons seen from the front or the back, against the side.
    pub frontal: f32,
    /// Share of pictures with something before the person.
    pub occlusion: f32,
    /// Share of pictures with another person near.
    pub company: f32,
    /// Share of dark and grey clothes.
    pub dark: f32,
    /// Share of short sleeves.
    pub short_sleeves: f32,
    /// Share of shorts and skirts.
    pub bare_legs: f32,
    /// Shares of backpacks, shoulder bags and suitcases.
    pub bags: [f32; 3],
}

impl Default for Style {
    /// An overcast campus.
    fn default() -> Self {
        Self {
            walls: vec![Wall::Plain, Wall::Bricks],
            floors: vec![Floor::Asphalt, Floor::Tiles],
            ground_hue: 0.1,
            ground_saturation: 0.1,
            light: [1.0, 1.0, 1.0],
            brightness: 0.95,
            camera_spread: 0.5,
            blur: [0.3, 0.7],
            noise: 0.015,
            elevation: [0.0, 0.2],
            misalignment: 0.3,
            frontal: 0.7,
            occlusion: 0.1,
            company: 0.15,
            dark: 0.5,
            short_sleeves: 0.5,
            bare_legs: 0.3,
            bags: [0.25, 0.2, 0.02],
        }
    }
}
