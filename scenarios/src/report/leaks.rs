//! What an eavesdropper found: figures, and originals beside reconstructions.

use super::comparison::Comparison;
use super::html::{escape, label, note, table};
use super::nan;
use super::stats::Estimate;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// One update that was attacked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LeakPoint {
    /// The version that the update started from.
    pub version: u64,
    /// Whose.
    pub client: u32,
    /// Name of the attack.
    pub attack: String,
    /// Distinct samples behind the update.
    pub samples: usize,
    /// Local steps behind it.
    pub steps: u64,
    /// Mean squared error, signal-to-noise ratio in decibels (`null` where the error is 0), structural similarity,
    /// share of right labels; shares of the reconstructions, and of the samples themselves, whose nearest test sample
    /// has the right label (`null` without any).
    #[serde(with = "nan::list")]
    pub figures: Vec<f64>,
    /// Channels, height and width of an image.
    pub shape: [usize; 3],
    /// The first samples, `0..=255`.
    pub originals: Vec<u8>,
    /// The reconstruction of each.
    pub found: Vec<u8>,
}

/// Names of the figures.
pub const FIGURES: [&str; 6] = [
    "leak_mse",
    "leak_psnr",
    "leak_ssim",
    "leak_labels",
    "leak_recognised",
    "leak_recognised_samples",
];

/// Images of an update on a page at most, by their pixels.
const PIXELS: usize = 8192;

/// Side of a shown image in pixels of the page.
const SIDE: usize = 64;

/// Means of [`FIGURES`] over the attacked updates; `None` without any, not finite where one is.
pub fn means(leaks: &[LeakPoint]) -> Option<[f64; 6]> {
    let mean = |figure: usize| {
        let all = leaks.iter().map(|leak| leak.figures.get(figure).copied().unwrap_or(f64::NAN));
        all.sum::<f64>() / leaks.len() as f64
    };
    (!leaks.is_empty()).then(|| [0, 1, 2, 3, 4, 5].map(mean))
}

/// What a run's tap found, in at most 80 columns; empty without one.
pub fn text(leaks: &[LeakPoint]) -> String {
    let mut out = String::new();
    for (place, leak) in leaks.iter().enumerate() {
        if place == 0 {
            out += &format!(
                "  {:<22} {:>7} {:>5} {:>9} {:>8} {:>6} {:>7} {:>5}\n",
                format!("overheard ({})", leak.attack),
                "samples",
                "steps",
                "mse",
                "psnr dB",
                "ssim",
                "labels",
                "known"
            );
        }
        let [mse, psnr, ssim, labels, known, _] = of(leak);
        out += &format!(
            "    {:<20} {:>7} {:>5} {:>9} {:>8} {ssim:>6.3} {:>7} {:>5}\n",
            format!("client {}, version {}", leak.client, leak.version),
            leak.samples,
            leak.steps,
            error(mse),
            decibels(psnr),
            percent(labels),
            percent(known)
        );
    }
    if leaks.iter().any(|leak| of(leak)[4].is_finite()) {
        let best = leaks.iter().map(|leak| of(leak)[5]).sum::<f64>() / leaks.len() as f64;
        out += &format!(
            "    known: nearest to a test sample of its label; of the samples themselves {}\n",
            percent(best)
        );
    }
    out
}

fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.0} %", 100.0 * share) } else { "–".into() }
}

fn of(leak: &LeakPoint) -> [f64; 6] {
    [0, 1, 2, 3, 4, 5].map(|at| leak.figures.get(at).copied().unwrap_or(f64::NAN))
}

/// Mean and interval; of two runs, whose interval says little, both.
fn spread(e: &Estimate, shown: impl Fn(f64) -> String) -> String {
    match (e.of_two(), e.half_width) {
        (Some((low, high)), _) => {
            let (low, high) = (shown(low), shown(high));
            if low == high { low } else { format!("{low} to {high}") }
        }
        (None, Some(half)) => format!("{} ± {}", shown(e.mean), shown(half)),
        (None, None) => shown(e.mean),
    }
}

/// A mean squared error: a very small one in powers of ten.
fn error(mse: f64) -> String {
    if mse > 0.0 && mse < 5e-5 { format!("{mse:.0e}") } else { format!("{mse:.5}") }
}

fn decibels(psnr: f64) -> String {
    if psnr.is_finite() { format!("{psnr:.1}") } else { "exact".into() }
}

/// The section's content.
pub(super) fn section(leaks: &[LeakPoint]) -> String {
    let head = [
        "update",
        "attack",
        "samples",
        "steps",
        "mean squared error",
        "PSNR, dB",
        "SSIM",
        "right labels",
        "recognised",
        "samples recognised",
    ];
    let row = |leak: &LeakPoint| {
        let [mse, psnr, ssim, labels, known, best] = of(leak);
        vec![
            format!("client {}, version {}", leak.client, leak.version),
            escape(&leak.attack),
            leak.samples.to_string(),
            leak.steps.to_string(),
            error(mse),
            decibels(psnr),
            format!("{ssim:.3}"),
            percent(labels),
            percent(known),
            percent(best),
        ]
    };
    let rows: Vec<_> = leaks.iter().map(row).collect();
    let mut out = table(&head.map(str::to_string), &rows);
    for leak in leaks {
        let title = format!("client {}, version {}", leak.client, leak.version);
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "<figure><figcaption>{title}: samples above, what the tap made of their update below</figcaption>\n{}</figure>\n",
            sheet(leak)
        );
    }
    out + note("Reconstructions stand below the sample that they are nearest to. PSNR and SSIM rise with similarity; an error of 0.01 is a success by the usual measure. Recognised: the nearest picture among the test samples has the same label, of faces the same person; beside it the same of the samples themselves, which is as much as a reconstruction can hope for.").as_str()
}

/// Samples above, reconstructions below, as one picture.
fn sheet(leak: &LeakPoint) -> String {
    let [channels, height, width] = leak.shape;
    let pixels = channels * height * width;
    if pixels == 0 || height * width > PIXELS {
        return String::new();
    }
    let count = (leak.originals.len() / pixels).min(PIXELS / (height * width));
    let (gap, scale) = (height as f64 / 8.0, SIDE as f64 / height as f64);
    let step = (width as f64 + gap, height as f64 + gap);
    let (wide, high) = (count as f64 * step.0, 2.0 * step.1);
    let mut out = format!(
        "<svg viewBox=\"0 0 {wide} {high}\" style=\"width:{:.0}px;max-width:100%\" shape-rendering=\"crispEdges\" role=\"img\" aria-label=\"{count} samples and their reconstructions\">\n",
        wide * scale
    );
    for (row, images) in [&leak.originals, &leak.found].into_iter().enumerate() {
        for (column, image) in images.chunks_exact(pixels).take(count).enumerate() {
            let corner = (column as f64 * step.0, row as f64 * step.1);
            picture(image, leak.shape, corner, &mut out);
        }
    }
    out + "</svg>\n"
}

/// Runs of equal pixels as rectangles.
fn picture(
    image: &[u8],
    [channels, height, width]: [usize; 3],
    corner: (f64, f64),
    out: &mut String,
) {
    let plane = height * width;
    let colour = |y: usize, x: usize| {
        [0, 1, 2].map(|c: usize| image[c.min(channels - 1) * plane + y * width + x])
    };
    for y in 0..height {
        let mut x = 0;
        while x < width {
            let [r, g, b] = colour(y, x);
            let end = (x..width).find(|at| colour(y, *at) != [r, g, b]).unwrap_or(width);
            let (left, top, wide) = (corner.0 + x as f64, corner.1 + y as f64, end - x);
            let _ = write!(
                out,
                "<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"1\" fill=\"#{r:02x}{g:02x}{b:02x}\"/>"
            );
            x = end;
        }
    }
    out.push('\n');
}

/// Labels side by side in at most 80 columns; empty where nobody listened.
pub(super) fn comparison(comparison: &Comparison) -> String {
    let rows: Vec<_> =
        comparison.rows.iter().filter(|row| row.leaks.iter().any(Option::is_some)).collect();
    if rows.is_empty() {
        return String::new();
    }
    let width = rows.iter().map(|row| row.label.chars().count()).max().unwrap_or(0).clamp(8, 30);
    let line = |label: &str, cells: [String; 5]| {
        let label: String = label.chars().take(width).collect();
        let [mse, psnr, ssim, labels, known] = cells;
        format!("{label:<width$} {mse:>17}  {psnr:>7}  {ssim:>5}  {labels:>6} {known:>6}\n")
    };
    let mut out = String::from("What a tap found in updates\n");
    out += &line(
        comparison.what.one(),
        ["mse", "psnr dB", "ssim", "labels", "known"].map(str::to_string),
    );
    for row in &rows {
        let at = |figure: usize| row.leaks.get(figure).copied().flatten();
        let shown =
            |e: Option<Estimate>, f: &dyn Fn(f64) -> String| e.map_or("–".into(), |e| f(e.mean));
        let cells = [
            at(0).map_or("–".into(), |e| spread(&e, error)),
            shown(at(1), &decibels),
            shown(at(2), &|v| format!("{v:.3}")),
            shown(at(3), &percent),
            shown(at(4), &percent),
        ];
        out += &line(&row.label, cells);
    }
    if rows.iter().flat_map(|row| &row.leaks).flatten().any(|e| e.of_two().is_some()) {
        out += "x to y: of two runs, the lower and the higher.\n";
    }
    out
}

/// The same as a table of a page.
pub(super) fn comparison_table(comparison: &Comparison) -> String {
    let head = [
        comparison.what.one(),
        "mean squared error",
        "PSNR, dB",
        "SSIM",
        "right labels, %",
        "recognised, %",
        "samples recognised, %",
    ];
    let rows = comparison.rows.iter().filter(|row| row.leaks.iter().any(Option::is_some));
    let cells = rows.map(|row| {
        let cell = |at: usize, shown: fn(f64) -> String| {
            let found = row.leaks.get(at).copied().flatten();
            found.map_or("–".to_string(), |e| spread(&e, shown))
        };
        let hundred = |v: f64| format!("{:.0}", 100.0 * v);
        vec![
            label(&row.label),
            cell(0, error),
            cell(1, |v| format!("{v:.1}")),
            cell(2, |v| format!("{v:.3}")),
            cell(3, hundred),
            cell(4, hundred),
            cell(5, hundred),
        ]
    });
    let rows: Vec<_> = cells.collect();
    match rows.is_empty() {
        true => String::new(),
        false => {
            table(&head.map(str::to_string), &rows)
                + note("Means over runs ± half of the 95 % interval; of two runs, the lower and the higher.").as_str()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{RunData, run_page, table};

    fn leak(mse: f64) -> LeakPoint {
        LeakPoint {
            version: 2,
            client: 7,
            attack: "dlg".into(),
            samples: 2,
            steps: 1,
            figures: vec![mse, -10.0 * mse.log10(), 0.9, 0.5, 0.25, 0.75],
            shape: [1, 2, 2],
            originals: vec![0, 0, 255, 128, 255, 255, 255, 255],
            found: vec![1, 2, 254, 128, 200, 200, 200, 200],
        }
    }

    #[test]
    fn pages_show_samples_above_reconstructions() {
        let run = RunData { leaks: vec![leak(0.01)], ..RunData::default() };
        let page = run_page(&run);
        assert!(page.contains("client 7, version 2") && page.contains("20.0"));
        // Runs of equal pixels are one rectangle: 1 + 2 and 1 + 1 above, 2 + 2 and 1 + 1 below.
        let sheet = sheet(&run.leaks[0]);
        assert_eq!(sheet.matches("<rect").count(), 3 + 2 + 4 + 2);
        assert!(sheet.contains("x=\"2.25\" y=\"2.25\" width=\"2\""));
        assert!(!run_page(&RunData::default()).contains("overheard"));
    }

    #[test]
    fn texts_fit_and_say_what_was_found() {
        let text = super::text(&[leak(0.01), leak(0.0)]);
        assert!(text.contains("0.01000") && text.contains("exact"), "{text}");
        assert!(text.contains(" 25 %\n") && text.contains("themselves 75 %"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let run = |label: &str, mse| RunData {
            label: label.into(),
            leaks: vec![leak(mse)],
            ..RunData::default()
        };
        let found = Comparison::new(&[run("one", 0.01), run("one", 0.03), run("two", 0.5)], None);
        let text = table::text(&found, false);
        assert!(text.contains("0.01000 to 0.03000") && text.contains("0.50000"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert_eq!(error(2.4e-10), "2e-10");
        assert_eq!(means(&[leak(0.01), leak(0.03)]).expect("two")[0], 0.02);
    }
}
