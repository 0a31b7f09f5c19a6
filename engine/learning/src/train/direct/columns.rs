//! The windows of a convolution as columns of a matrix ("im2col"), and back.

use super::kernel::simd;

/// The geometry of a convolution over one sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) out_height: usize,
    pub(super) out_width: usize,
}

/// Where one sample's columns lie in a matrix that holds those of several samples side by side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Its first column.
    pub(super) first: usize,
    /// Columns of the matrix.
    pub(super) line: usize,
}

impl Windows {
    /// Numbers in one window: rows of the column matrix.
    pub(super) fn window(&self) -> usize {
        self.channels * self.kernel * self.kernel
    }

    /// Number of windows: columns of the column matrix.
    pub(super) fn count(&self) -> usize {
        self.out_height * self.out_width
    }

    /// Numbers in one padded sample.
    pub(super) fn padded_len(&self) -> usize {
        self.channels * self.padded_plane()
    }

    fn padded_plane(&self) -> usize {
        (self.height + 2 * self.padding) * self.padded_width()
    }

    fn padded_width(&self) -> usize {
        self.width + 2 * self.padding
    }

    /// Writes the column matrix `[window, count]` of one sample to its place; `padded` is scratch.
    pub(super) fn spread(
        &self,
        sample: &[f32],
        padded: &mut [f32],
        columns: &mut [f32],
        place: Place,
    ) {
        simd!({
            padded.fill(0.0);
            self.each_sample_row(|sample_at, padded_at| {
                padded[padded_at..padded_at + self.width]
                    .copy_from_slice(&sample[sample_at..sample_at + self.width]);
            });
            if self.stride > 1 {
                self.each_window_row(place, |at, padded_at| {
                    let source = padded[padded_at..].iter().step_by(self.stride);
                    let row = &mut columns[at..at + self.out_width];
                    row.iter_mut().zip(source).for_each(|(out, value)| *out = *value);
                });
                return;
            }
            // A known width lets the compiler use vectors for such short rows.
            match self.out_width {
                32 => self.copy_rows::<32>(padded, columns, place),
                28 => self.copy_rows::<28>(padded, columns, place),
                16 => self.copy_rows::<16>(padded, columns, place),
                14 => self.copy_rows::<14>(padded, columns, place),
                8 => self.copy_rows::<8>(padded, columns, place),
                7 => self.copy_rows::<7>(padded, columns, place),
                width => self.each_window_row(place, |at, padded_at| {
                    columns[at..at + width].copy_from_slice(&padded[padded_at..padded_at + width]);
                }),
            }
        });
    }

    /// The transpose of [`Windows::spread`]: adds each number of `columns` to its place in the sample.
    /// Writes `sample`, or adds to it.
    pub(super) fn gather(
        &self,
        (columns, place): (&[f32], Place),
        padded: &mut [f32],
        sample: &mut [f32],
        add: bool,
    ) {
        simd!({
            padded.fill(0.0);
            if self.stride > 1 {
                self.each_window_row(place, |at, padded_at| {
                    let places = padded[padded_at..].iter_mut().step_by(self.stride);
                    let row = &columns[at..at + self.out_width];
                    places.zip(row).for_each(|(sum, value)| *sum += value);
                });
            } else {
                match self.out_width {
                    32 => self.add_rows::<32>(columns, padded, place),
                    28 => self.add_rows::<28>(columns, padded, place),
                    16 => self.add_rows::<16>(columns, padded, place),
                    14 => self.add_rows::<14>(columns, padded, place),
                    8 => self.add_rows::<8>(columns, padded, place),
                    7 => self.add_rows::<7>(columns, padded, place),
                    width => self.each_window_row(place, |at, padded_at| {
                        let sums = padded[padded_at..padded_at + width].iter_mut();
                        sums.zip(&columns[at..at + width]).for_each(|(sum, value)| *sum += value);
                    }),
                }
            }
            self.each_sample_row(|sample_at, padded_at| {
                let out = &mut sample[sample_at..sample_at + self.width];
                let sums = &padded[padded_at..padded_at + self.width];
                if add {
                    out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
                } else {
                    out.copy_from_slice(sums);
                }
            });
        });
    }

    #[inline(always)]
    fn copy_rows<const WIDTH: usize>(&self, padded: &[f32], columns: &mut [f32], place: Place) {
        self.each_window_row(place, |at, padded_at| {
            let source = padded[padded_at..].first_chunk::<WIDTH>();
            let out = columns[at..].first_chunk_mut::<WIDTH>();
            if let (Some(out), Some(source)) = (out, source) {
                *out = *source;
            }
        });
    }

    #[inline(always)]
    fn add_rows<const WIDTH: usize>(&self, columns: &[f32], padded: &mut [f32], place: Place) {
        self.each_window_row(place, |at, padded_at| {
            let source = columns[at..].first_chunk::<WIDTH>();
            let sums = padded[padded_at..].first_chunk_mut::<WIDTH>();
            if let (Some(sums), Some(source)) = (sums, source) {
                for i in 0..WIDTH {
                    sums[i] += source[i];
                }
            }
        });
    }

    /// Calls `f(place in columns, place in padded)` for each row of windows, in order of the columns.
    #[inline(always)]
    fn each_window_row(&self, place: Place, mut f: impl FnMut(usize, usize)) {
        let (line, step) = (self.padded_width(), self.stride * self.padded_width());
        let (mut at, others) = (place.first, place.line - self.count());
        for channel in 0..self.channels {
            for y in 0..self.kernel {
                for x in 0..self.kernel {
                    let mut padded_at = channel * self.padded_plane() + y * line + x;
                    for _ in 0..self.out_height {
                        f(at, padded_at);
                        at += self.out_width;
                        padded_at += step;
                    }
                    at += others;
                }
            }
        }
    }

    /// Calls `f(place in sample, place in padded)` for each row of the sample.
    #[inline(always)]
    fn each_sample_row(&self, mut f: impl FnMut(usize, usize)) {
        let mut at = 0;
        for channel in 0..self.channels {
            for y in 0..self.height {
                let line = (y + self.padding) * self.padded_width() + self.padding;
                f(at, channel * self.padded_plane() + line);
                at += self.width;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(
        height: usize,
        width: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
    ) -> Windows {
        let size = |length: usize| (length + 2 * padding - kernel) / stride + 1;
        let (out_height, out_width) = (size(height), size(width));
        Windows { channels: 2, height, width, kernel, stride, padding, out_height, out_width }
    }

    /// `<spread(x), y> = <x, gather(y)>` for integers is exact, and spread is checked place by place.
    #[test]
    fn spread_is_right_and_gather_is_its_transpose() {
        for (height, width) in [(5, 6), (9, 7), (14, 14), (28, 28), (8, 8), (32, 16), (7, 7)] {
            for (kernel, stride, padding) in [(3, 1, 1), (5, 1, 2), (3, 2, 1), (1, 2, 0), (2, 3, 0)]
            {
                let w = windows(height, width, kernel, stride, padding);
                let x: Vec<f32> = (0..2 * height * width).map(|i| (i % 13) as f32 - 5.0).collect();
                let mut padded = vec![0.0; w.padded_len()];
                let mut columns = vec![f32::NAN; w.window() * w.count()];
                let alone = Place { first: 0, line: w.count() };
                w.spread(&x, &mut padded, &mut columns, alone);
                for (i, value) in columns.iter().enumerate() {
                    let (row, column) = (i / w.count(), i % w.count());
                    let (channel, tap) = (row / (kernel * kernel), row % (kernel * kernel));
                    let y = (column / w.out_width * stride + tap / kernel).checked_sub(padding);
                    let left = (column % w.out_width * stride + tap % kernel).checked_sub(padding);
                    let inside = y.zip(left).filter(|(y, left)| *y < height && *left < width);
                    let expected =
                        inside.map_or(0.0, |(y, left)| x[(channel * height + y) * width + left]);
                    assert_eq!(*value, expected);
                }
                let y: Vec<f32> = (0..columns.len()).map(|i| (i % 7) as f32 - 3.0).collect();
                let mut back = vec![1.0; x.len()];
                w.gather((&y, alone), &mut padded, &mut back, true);
                let mut written = vec![f32::NAN; x.len()];
                w.gather((&y, alone), &mut padded, &mut written, false);
                assert!(back.iter().zip(&written).all(|(a, b)| *a == b + 1.0));
                // Beside another sample's columns.
                let second = Place { first: w.count(), line: 2 * w.count() };
                let mut both = vec![f32::NAN; 2 * columns.len()];
                w.spread(&x, &mut padded, &mut both, second);
                let rows = both.chunks(second.line).zip(columns.chunks(w.count()));
                for (both, own) in rows {
                    assert!(both[..w.count()].iter().all(|value| value.is_nan()));
                    assert_eq!(both[w.count()..], *own);
                }
                let mut from_both = vec![f32::NAN; x.len()];
                w.spread(&x, &mut padded, &mut both, Place { first: 0, ..second });
                let mut alone_again = vec![f32::NAN; x.len()];
                w.gather((&both, second), &mut padded, &mut from_both, false);
                w.gather((&columns, alone), &mut padded, &mut alone_again, false);
                assert_eq!(from_both, alone_again);
                let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
                assert_eq!(dot(&columns, &y), dot(&x, &written));
            }
        }
    }
}
