//! A site: where its light comes from, how its camera stands and sees, and how a moment there looks.

use super::face::{Face, Rgb};
use super::paint::{Head, Scene, paint};
use crate::reid::Size;
use offbeat_kernel::Stream;
use rand::RngExt;
use rand_distr::StandardNormal;

/// What all pictures of a site have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    /// Direction of the light as seen from the face: right, down, towards the camera.
    light: [f32; 3],
    ambient: f32,
    /// Factors on the colours.
    tint: Rgb,
    contrast: f32,
    background: Rgb,
    /// Turn of heads to the right and up, in radians.
    yaw: f32,
    pitch: f32,
    zoom: f32,
    noise: f32,
}

fn normal(stream: &mut Stream) -> f32 {
    let value: f32 = stream.sample(StandardNormal);
    value.clamp(-2.5, 2.5)
}

impl Site {
    /// A site that differs from an ordinary one as `difference` says.
    pub(super) fn draw(difference: f32, stream: &mut Stream) -> Self {
        let mut by = |spread: f32| difference * spread * normal(stream);
        let grey = 0.55 + by(0.15);
        Self {
            light: [by(0.7), -0.5 + by(0.4), 1.0],
            ambient: (0.45 + by(0.09)).clamp(0.15, 0.8),
            tint: [1.0 + by(0.09), 1.0 + by(0.03), 1.0 + by(0.11)],
            contrast: (1.0 + by(0.12)).clamp(0.5, 1.6),
            background: [grey + by(0.1), grey + by(0.08), grey + by(0.12)],
            yaw: by(0.22),
            pitch: by(0.16),
            zoom: (1.0 + by(0.05)).clamp(0.75, 1.25),
            noise: 0.02 * (1.0 + by(0.4)).clamp(0.2, 3.0),
        }
    }

    /// One moment: `height x width x 3` bytes. `variety` says how far moments differ.
    pub(super) fn picture(
        &self,
        face: &Face,
        variety: f32,
        size: Size,
        stream: &mut Stream,
    ) -> Vec<u8> {
        let mut by = |spread: f32| variety * spread * normal(stream);
        let head = Head {
            yaw: self.yaw + by(0.20),
            pitch: self.pitch + by(0.12),
            roll: by(0.07),
            zoom: self.zoom * (1.0 + by(0.04)),
            shift: [by(0.05), by(0.05)],
            smile: by(0.5),
            mouth_open: by(0.05).max(0.0),
            eyes_open: 1.0 + by(0.16),
        };
        let bright = 1.0 + by(0.07);
        let light = [self.light[0] + by(0.25), self.light[1] + by(0.2), self.light[2]];
        let shade = [by(0.03), by(0.03), by(0.03)];
        let scene = Scene {
            light: unit(light),
            ambient: self.ambient,
            background: std::array::from_fn(|c| (self.background[c] + shade[c]).clamp(0.05, 0.95)),
        };
        let grain = self.noise * variety.max(0.2);
        let mut bytes = Vec::with_capacity(size.bytes());
        for pixel in paint(&face.look(), &head, &scene, size) {
            for (colour, tint) in pixel.into_iter().zip(self.tint) {
                let seen = (colour * bright * tint - 0.5) * self.contrast + 0.5;
                let seen = seen + grain * normal(stream);
                bytes.push((255.0 * seen.clamp(0.0, 1.0)).round() as u8);
            }
        }
        bytes
    }
}

fn unit(v: [f32; 3]) -> [f32; 3] {
    let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
    v.map(|x| x / norm)
}
