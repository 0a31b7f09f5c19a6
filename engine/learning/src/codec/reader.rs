//! Reading an encoding without ever reading past its end.

use crate::LearnError;

/// What is left of an encoding.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], LearnError> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            return Err(LearnError::Invalid(format!(
                "an encoded vector ends too early: {count} bytes were expected, {} are left",
                self.rest.len()
            )));
        };
        self.rest = rest;
        Ok(taken)
    }

    /// The next `count` numbers of four bytes.
    pub(super) fn floats(
        &mut self,
        count: usize,
    ) -> Result<impl Iterator<Item = f32> + use<'a>, LearnError> {
        let bytes = self.take(4 * count)?;
        let number = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        Ok(bytes.chunks_exact(4).map(number))
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), LearnError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(LearnError::Invalid(format!(
                "an encoded vector has {left} bytes too many: it belongs to another layout"
            ))),
        }
    }
}
