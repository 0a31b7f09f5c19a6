//! A face on a picture: layers from behind to before, each a distance to the edge of a shape and a colour.

use super::face::{Look, Rgb};
use crate::reid::Size;

/// How a head is held, and its expression.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// Turn to the right, up and sideways, in radians.
    pub(super) yaw: f32,
    pub(super) pitch: f32,
    pub(super) roll: f32,
    pub(super) zoom: f32,
    /// Shift in half heights of the picture, right and down.
    pub(super) shift: [f32; 2],
    /// Corners of the mouth: up above 0.
    pub(super) smile: f32,
    pub(super) mouth_open: f32,
    /// 1 for as open as usual.
    pub(super) eyes_open: f32,
}

/// Light and background.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    /// Where the light comes from, of length 1.
    pub(super) light: [f32; 3],
    pub(super) ambient: f32,
    pub(super) background: Rgb,
}

/// Half the height of a face in half heights of the picture.
const REACH: f32 = 0.74;

/// Points in each direction of a pixel that are looked at.
const FINE: usize = 2;

/// Pixels row by row, colours mostly in [0, 1].
pub(super) fn paint(look: &Look, head: &Head, scene: &Scene, size: Size) -> Vec<Rgb> {
    let (height, width) = (size.height as usize, size.width as usize);
    let half = height as f32 / 2.0;
    let unit = 1.0 / (half * REACH * head.zoom);
    let edge = unit / FINE as f32;
    let (sin, cos) = head.roll.sin_cos();
    let mut pixels = Vec::with_capacity(width * height);
    for place in 0..width * height {
        let mut sum = [0.0f32; 3];
        for point in 0..FINE * FINE {
            let fine = |whole: usize, part: usize| whole as f32 + (part as f32 + 0.5) / FINE as f32;
            let (column, row) =
                (fine(place % width, point % FINE), fine(place / width, point / FINE));
            let u = (column - width as f32 / 2.0 - head.shift[0] * half) * unit;
            let v = (row - half - head.shift[1] * half) * unit - 0.08;
            let at = (cos * u + sin * v, cos * v - sin * u);
            let colour = Canvas { edge, look, head, scene }.colour(at);
            (0..3).for_each(|c| sum[c] += colour[c]);
        }
        pixels.push(sum.map(|colour| colour / (FINE * FINE) as f32));
    }
    pixels
}

struct Canvas<'a> {
    /// Width of soft edges, in half heights of the face.
    edge: f32,
    look: &'a Look,
    head: &'a Head,
    scene: &'a Scene,
}

impl Canvas<'_> {
    /// The colour at a point of the head's plane, half heights of the face from its middle.
    fn colour(&self, at: (f32, f32)) -> Rgb {
        let look = self.look;
        let bright = self.brightness(at);
        let lit = |colour: Rgb| colour.map(|c| c * bright);
        let mut colour = self.scene.background;
        // Shoulders and neck.
        let cloth = [0.35 + 0.3 * look.iris[2], 0.4, 0.35 + 0.4 * look.hair[0]];
        self.over(&mut colour, ellipse(at, (0.0, 1.75), 1.25, 0.62), lit(cloth));
        let neck = block(at, (0.0, 1.1), 0.55 * look.width, 0.4);
        self.over(&mut colour, neck, lit(look.skin.map(|c| 0.82 * c)));
        self.hair_behind(at, &mut colour, lit(look.hair.map(|c| 0.85 * c)));
        for side in [-1.0, 1.0] {
            let ear = ellipse(at, (side * (look.width + 0.02), 0.0), look.ears, 0.2);
            self.over(&mut colour, ear, lit(look.skin.map(|c| 0.92 * c)));
        }
        let face = self.outline(at);
        self.over(&mut colour, face, lit(look.skin));
        // What lies on the face turns with it, and stays on it.
        if face < 0.02 {
            self.features(self.turned(at), &mut colour, bright);
        }
        self.hair_before(at, &mut colour, lit(look.hair));
        colour
    }

    fn over(&self, below: &mut Rgb, distance: f32, colour: Rgb) {
        let cover = (0.5 - distance / self.edge).clamp(0.0, 1.0);
        (0..3).for_each(|c| below[c] += cover * (colour[c] - below[c]));
    }

    /// Paints through: `strength` of the colour at most.
    fn tint(&self, below: &mut Rgb, distance: f32, colour: Rgb, strength: f32) {
        let soft = self.edge.max(0.06);
        let cover = strength * (0.5 - distance / soft).clamp(0.0, 1.0);
        (0..3).for_each(|c| below[c] += cover * (colour[c] - below[c]));
    }

    /// Light on a head that is an ellipsoid.
    fn brightness(&self, at: (f32, f32)) -> f32 {
        let (x, y) = (at.0 / (self.look.width + 0.12), at.1 / 1.25);
        let depth = (1.0 - x * x - y * y).max(0.04).sqrt();
        let norm = (x * x + y * y + depth * depth).sqrt();
        let [lx, ly, lz] = self.scene.light;
        let facing = ((x * lx + y * ly + depth * lz) / norm).max(0.0);
        self.scene.ambient + (1.2 - self.scene.ambient) * facing
    }

    /// Coordinates on the face, which features of a turned head have moved over.
    fn turned(&self, at: (f32, f32)) -> (f32, f32) {
        let (yaw, pitch) = (self.head.yaw, self.head.pitch);
        let x = (at.0 - 0.55 * yaw.sin()) / yaw.cos().max(0.5);
        let y = (at.1 + 0.45 * pitch.sin()) / pitch.cos().max(0.5);
        (x, y)
    }

    fn outline(&self, at: (f32, f32)) -> f32 {
        let look = self.look;
        // Above the middle a plain ellipse, below it narrows towards the chin.
        let down = at.1.max(0.0);
        let width = look.width * (1.0 - (1.0 - look.chin) * 0.55 * down * down);
        ellipse(at, (0.0, 0.0), width, 1.0)
    }

    fn hair_behind(&self, at: (f32, f32), colour: &mut Rgb, hair: Rgb) {
        let look = self.look;
        let cap = ellipse(at, (0.0, -0.2), look.width + 0.13, 0.82 + look.crown);
        let end = at.1 - look.sides;
        let fall = block(at, (0.0, look.sides - 0.6), look.width + 0.12, 0.6);
        self.over(colour, cap.max(end), hair);
        if look.sides > 0.1 {
            self.over(colour, fall, hair);
        }
    }

    fn hair_before(&self, at: (f32, f32), colour: &mut Rgb, hair: Rgb) {
        let look = self.look;
        let cap = ellipse(at, (0.0, -0.2), look.width + 0.10, 0.80 + look.crown);
        let x = at.0 / look.width;
        let line = look.fringe + look.parting * x + 0.35 * x * x;
        self.over(colour, cap.max(at.1 - line), hair);
    }

    fn features(&self, at: (f32, f32), colour: &mut Rgb, bright: f32) {
        let (look, lit) = (self.look, |colour: Rgb| colour.map(|c| c * bright));
        if look.beard > 0.0 {
            let jaw = (0.34 - at.1).max(-(ellipse(at, (0.0, 0.38), look.mouth * 0.75, 0.10)));
            self.tint(colour, jaw, lit(look.hair), look.beard.min(1.0));
        }
        self.nose(at, colour, lit(look.skin.map(|c| 0.70 * c)));
        self.mouth(at, colour, lit(look.lips), lit([0.25, 0.08, 0.08]));
        for side in [-1.0, 1.0] {
            self.eye(side, at, colour, bright);
        }
        if look.glasses > 0.0 {
            let rim = |side: f32| {
                let centre = (side * look.eyes_apart, look.eyes_at + 0.02);
                ellipse(at, centre, 0.215, 0.18).abs() - look.glasses
            };
            let bridge = block(at, (0.0, look.eyes_at), look.eyes_apart - 0.2, look.glasses);
            let frame = rim(-1.0).min(rim(1.0)).min(bridge);
            self.over(colour, frame, lit([0.12, 0.10, 0.10]));
        }
    }

    fn nose(&self, at: (f32, f32), colour: &mut Rgb, shadow: Rgb) {
        let look = self.look;
        let tip = look.eyes_at + look.nose;
        self.tint(colour, ellipse(at, (0.0, tip + 0.03), look.nose_width, 0.045), shadow, 0.9);
        // The side of the nose away from the light lies in its shadow.
        let side = if self.scene.light[0] > 0.0 { -1.0 } else { 1.0 };
        let along = ((at.1 - look.eyes_at) / look.nose).clamp(0.0, 1.0);
        let ridge = side * look.nose_width * (0.35 + 0.5 * along);
        let off = (at.0 - ridge).abs() - 0.035;
        let ends = (look.eyes_at - at.1).max(at.1 - tip);
        self.tint(colour, off.max(ends), shadow, 0.55);
    }

    fn mouth(&self, at: (f32, f32), colour: &mut Rgb, lips: Rgb, inside: Rgb) {
        let look = self.look;
        let x = at.0 / look.mouth;
        let bend = look.mouth_at + 0.06 * self.head.smile * (0.4 - x * x);
        let around = (at.0, at.1 - bend);
        let height = look.mouth_height + 0.5 * self.head.mouth_open;
        self.over(colour, ellipse(around, (0.0, 0.0), look.mouth, height), lips);
        let gap = 0.012 + self.head.mouth_open;
        self.over(colour, ellipse(around, (0.0, 0.0), 0.86 * look.mouth, gap), inside);
    }

    fn eye(&self, side: f32, at: (f32, f32), colour: &mut Rgb, bright: f32) {
        let look = self.look;
        let lit = |colour: Rgb| colour.map(|c| c * bright.min(1.1));
        let (x, y) = (at.0 - side * look.eyes_apart, at.1 - look.eyes_at);
        let tilted = (x, y + look.slant * side * x);
        let height = look.eye * 0.62 * self.head.eyes_open.clamp(0.25, 1.4);
        let white = ellipse(tilted, (0.0, 0.0), look.eye * 1.25, height);
        self.tint(colour, white - 0.03, lit(look.skin.map(|c| 0.6 * c)), 0.6);
        self.over(colour, white, lit([0.93, 0.92, 0.90]));
        let iris = ellipse(tilted, (0.0, 0.0), look.eye * 0.58, look.eye * 0.58);
        self.over(colour, iris.max(white), lit(look.iris));
        let pupil = ellipse(tilted, (0.0, 0.0), look.eye * 0.26, look.eye * 0.26);
        self.over(colour, pupil.max(white), [0.04; 3]);
        let slope = y + look.brow_at - look.brow_slope * side * x;
        let brow = block((x, slope), (0.0, 0.0), look.eye * 1.5, look.brow);
        self.over(colour, brow, lit(look.hair.map(|c| 0.75 * c)));
    }
}

/// Distance to an ellipse, near its edge; negative inside.
fn ellipse(at: (f32, f32), centre: (f32, f32), rx: f32, ry: f32) -> f32 {
    let (u, v) = ((at.0 - centre.0) / rx, (at.1 - centre.1) / ry);
    ((u * u + v * v).sqrt() - 1.0) * rx.min(ry)
}

/// Distance to a rectangle with round corners; negative inside.
fn block(at: (f32, f32), centre: (f32, f32), hx: f32, hy: f32) -> f32 {
    let corner = 0.4 * hx.min(hy).max(0.0);
    let u = (at.0 - centre.0).abs() - hx + corner;
    let v = (at.1 - centre.1).abs() - hy + corner;
    (u.max(0.0).powi(2) + v.max(0.0).powi(2)).sqrt() + u.max(v).min(0.0) - corner
}
