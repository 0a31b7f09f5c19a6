//! What a face looks like, whoever looks at it.

use offbeat_kernel::Stream;
use rand::RngExt;
use rand_distr::StandardNormal;

/// A colour, red first, usually in [0, 1].
pub(super) type Rgb = [f32; 3];

/// Number of traits of a face.
const TRAITS: usize = 26;

/// A face as traits, each about -2 to 2; faces are compared and mixed by them, and painted by what they mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Face([f32; TRAITS]);

/// What the traits mean, in units of half the height of a face; `y` grows downwards from its middle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) skin: Rgb,
    pub(super) hair: Rgb,
    pub(super) iris: Rgb,
    pub(super) lips: Rgb,
    /// Half the width of the face, and how narrow the chin is.
    pub(super) width: f32,
    pub(super) chin: f32,
    /// How far the hair rises above the head, where it ends at the sides and on the forehead.
    pub(super) crown: f32,
    pub(super) sides: f32,
    pub(super) fringe: f32,
    /// Side to which the fringe falls.
    pub(super) parting: f32,
    pub(super) eyes_apart: f32,
    pub(super) eyes_at: f32,
    pub(super) eye: f32,
    pub(super) slant: f32,
    /// Thickness, height above the eyes and slope of the brows.
    pub(super) brow: f32,
    pub(super) brow_at: f32,
    pub(super) brow_slope: f32,
    pub(super) nose: f32,
    pub(super) nose_width: f32,
    pub(super) mouth: f32,
    pub(super) mouth_at: f32,
    pub(super) mouth_height: f32,
    /// 0 for none.
    pub(super) beard: f32,
    /// Thickness of the rims of glasses; 0 for none.
    pub(super) glasses: f32,
    pub(super) ears: f32,
}

impl Face {
    /// A face among all faces.
    pub(super) fn draw(stream: &mut Stream) -> Self {
        Self(std::array::from_fn(|_| {
            let trait_: f32 = stream.sample(StandardNormal);
            trait_.clamp(-2.2, 2.2)
        }))
    }

    /// A share `kinship` of the way towards another face.
    pub(super) fn towards(self, other: &Face, kinship: f32) -> Self {
        Self(std::array::from_fn(|at| {
            // Square roots keep the spread of all traits together as it was.
            kinship.sqrt() * other.0[at] + (1.0 - kinship).sqrt() * self.0[at]
        }))
    }

    pub(super) fn look(&self) -> Look {
        let t = &self.0;
        let around = |place: usize, mean: f32, spread: f32| mean + spread * t[place];
        // Tones run from dark to light along one trait, and from rose to olive along another.
        let tone = logistic(0.9 * t[0]);
        let skin = [
            0.38 + 0.52 * tone,
            0.25 + 0.50 * tone + 0.02 * t[1],
            0.18 + 0.46 * tone - 0.03 * t[1],
        ];
        let light = logistic(1.1 * t[2] - 0.7);
        let red = logistic(1.3 * t[3]);
        let hair = [0.08 + 0.72 * light + 0.12 * red, 0.06 + 0.62 * light, 0.05 + 0.38 * light];
        let blue = logistic(1.5 * t[4] - 0.5);
        let iris = [0.30 - 0.18 * blue, 0.20 + 0.22 * blue, 0.10 + 0.50 * blue];
        let lips = [skin[0] * 0.86 + 0.06, skin[1] * (0.60 + 0.06 * t[5]), skin[2] * 0.66];
        Look {
            skin,
            hair,
            iris,
            lips,
            width: around(6, 0.72, 0.055),
            chin: around(7, 0.62, 0.12).clamp(0.3, 0.95),
            crown: around(8, 0.20, 0.08).clamp(0.02, 0.45),
            sides: around(9, 0.15, 0.45),
            fringe: around(10, -0.58, 0.13).clamp(-0.95, -0.45),
            parting: around(11, 0.0, 0.12),
            eyes_apart: around(12, 0.30, 0.032),
            eyes_at: around(13, -0.14, 0.045),
            eye: around(14, 0.105, 0.018).clamp(0.06, 0.16),
            slant: around(15, 0.0, 0.09),
            brow: around(16, 0.050, 0.018).clamp(0.015, 0.1),
            brow_at: around(17, 0.20, 0.028),
            brow_slope: around(18, 0.0, 0.14),
            nose: around(19, 0.34, 0.055),
            nose_width: around(20, 0.12, 0.024).clamp(0.06, 0.2),
            mouth: around(21, 0.24, 0.04).clamp(0.12, 0.36),
            mouth_at: around(22, 0.50, 0.04),
            mouth_height: around(23, 0.062, 0.018).clamp(0.025, 0.11),
            beard: if t[24] > 0.65 { 0.45 + 0.25 * t[24] } else { 0.0 },
            glasses: if t[25] > 0.75 { 0.018 + 0.014 * t[25] } else { 0.0 },
            ears: 0.12 + 0.02 * t[6] - 0.015 * t[8],
        }
    }
}

fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
