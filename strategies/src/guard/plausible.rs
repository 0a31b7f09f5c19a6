//! What every answer has to be: of the right shape, made of numbers, and small enough to calculate with.

use super::{Fault, Finding};
use crate::update::{Arrival, Update};

/// No coordinate may move, or be, further than this: its square still fits into an `f32`, and so do the
/// squares that server optimizers add up.
pub const ENORMOUS: f32 = 1e15;

/// Why an update is refused whatever the scenario says; `None` when nothing speaks against it.
pub fn plausible(update: &Update) -> Option<Finding> {
    let (got, want) = (update.params.len(), update.base.len());
    if got != want {
        let reason = format!("returned {got} parameters, expected {want}");
        return Some(Finding::refuse(Fault::Shape, reason));
    }
    scalars(update).or_else(|| parameters(update)).or_else(|| extras(update))
}

/// Why an answer is refused whatever the scenario says, as far as that is known before its values are.
pub(crate) fn plausible_arrival(arrival: &Arrival) -> Option<Finding> {
    let share = arrival.completeness;
    let wrong = || Finding::refuse(Fault::NotFinite, format!("reported a completeness of {share}"));
    (!share.is_finite()).then(wrong)
}

fn scalars(update: &Update) -> Option<Finding> {
    let own = [
        ("completeness", update.arrival.completeness),
        ("loss", update.loss),
        ("loss_squared", update.loss_squared),
    ];
    let named = update.scalars.iter().map(|(name, value)| (name.as_str(), *value));
    let (name, value) = own.into_iter().chain(named).find(|(_, value)| !value.is_finite())?;
    Some(Finding::refuse(Fault::NotFinite, format!("reported a {name} of {value}")))
}

fn parameters(update: &Update) -> Option<Finding> {
    let place = update.params.first_beyond(&update.base, ENORMOUS)?;
    let value = update.params.host()[place];
    let (fault, reason) = match value.is_finite() {
        true => (Fault::Norm, format!("parameter {place} is {value:e}, beyond {ENORMOUS:e}")),
        false => (Fault::NotFinite, format!("parameter {place} is {value}")),
    };
    Some(Finding::refuse(fault, reason))
}

/// Vectors beside the parameters: their shapes are judged by whoever reads them.
fn extras(update: &Update) -> Option<Finding> {
    update.extras.iter().find_map(|(name, vector)| {
        let values = vector.host();
        let worst = values.iter().find(|value| !value.is_finite() || value.abs() > ENORMOUS)?;
        let fault = if worst.is_finite() { Fault::Norm } else { Fault::NotFinite };
        Some(Finding::refuse(fault, format!("the vector {name} holds {worst:e}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::update;
    use offbeat_learning::Flat;

    fn fault(change: impl FnOnce(&mut Update)) -> Option<Fault> {
        let mut update = update(0, &[0.0, 1.0], &[0.5, 2.0]);
        change(&mut update);
        plausible(&update).map(|finding| finding.fault)
    }

    #[test]
    fn every_kind_by_hand() {
        assert_eq!(fault(|_| {}), None);
        assert_eq!(fault(|u| u.params = Flat::zeros(3)), Some(Fault::Shape));
        assert_eq!(fault(|u| u.params = Flat::new(vec![])), Some(Fault::Shape));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(fault(|u| u.params = Flat::new(vec![0.0, bad])), Some(Fault::NotFinite));
            let vector = || ("control".to_string(), Flat::new(vec![bad]));
            assert_eq!(fault(|u| u.extras.extend([vector()])), Some(Fault::NotFinite));
        }
        assert_eq!(fault(|u| u.params = Flat::new(vec![0.0, 2e15])), Some(Fault::Norm));
        assert_eq!(fault(|u| u.params = Flat::new(vec![0.0, 9e14])), None);
        assert_eq!(fault(|u| u.loss = f64::NAN), Some(Fault::NotFinite));
        assert_eq!(fault(|u| u.loss_squared = f64::INFINITY), Some(Fault::NotFinite));
        let named = |value: f64| move |u: &mut Update| u.scalars.extend([("d".into(), value)]);
        assert_eq!(fault(named(f64::NAN)), Some(Fault::NotFinite));
        assert_eq!(fault(named(1e300)), None);
    }
}
