//! Loops over whole arrays, compiled for the widest vectors that the processor has.

/// Runs `work`; use [`simd!`], which makes sure that `work` becomes part of the code for each processor.
#[inline]
pub(crate) fn widest<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// Computes an expression with the widest vectors that this processor has. Results are the same bits with any:
/// nothing is reordered or fused.
///
/// The attribute is what it stands on: without it a larger piece of work stays a function of its own, which is
/// compiled for the oldest processor.
macro_rules! simd {
    ($($work:tt)*) => {
        $crate::wide::widest(#[inline(always)] || $($work)*)
    };
}

pub(crate) use simd;
