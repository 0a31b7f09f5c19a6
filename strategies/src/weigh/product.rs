//! Several rules multiplied.

use crate::seams::{View, Weigh};
use crate::update::{Arrival, Update};
use offbeat_kernel::codec::{self, CodecError};
use offbeat_learning::Flat;

/// The product of the weights of all rules; 1 without rules. Known at arrival when all of them are.
#[derive(Debug, Default)]
pub struct Product(pub Vec<Box<dyn Weigh>>);

fn multiply(product: &mut [f64], factors: &[f64]) {
    product.iter_mut().zip(factors).for_each(|(product, factor)| *product *= factor);
}

impl Weigh for Product {
    fn weigh(&mut self, updates: &[Update], model: &Flat, view: &View<'_>) -> Vec<f64> {
        let mut product = vec![1.0; updates.len()];
        for rule in &mut self.0 {
            multiply(&mut product, &rule.weigh(updates, model, view));
        }
        product
    }

    fn weigh_arrivals(&mut self, arrivals: &[Arrival], view: &View<'_>) -> Option<Vec<f64>> {
        let mut product = vec![1.0; arrivals.len()];
        for rule in &mut self.0 {
            multiply(&mut product, &rule.weigh_arrivals(arrivals, view)?);
        }
        Some(product)
    }

    fn fault(&mut self) -> Option<String> {
        self.0.iter_mut().find_map(|rule| rule.fault())
    }

    fn save(&self) -> Result<Vec<u8>, CodecError> {
        let states: Vec<Vec<u8>> =
            self.0.iter().map(|rule| rule.save()).collect::<Result<_, _>>()?;
        codec::encode(&states)
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        let states: Vec<Vec<u8>> = codec::decode(bytes)?;
        self.0.iter_mut().zip(states).try_for_each(|(rule, state)| rule.restore(&state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, arrival, update};
    use crate::weigh::{FedBuff, Refl, Samples};
    use offbeat_kernel::Version;

    #[test]
    fn multiplies_and_needs_values_when_one_does() {
        let mut world = World::new(2);
        world.version = Version(3);
        let arrivals = [arrival(0, 8, 0), arrival(1, 2, 3)];
        let mut product = Product(vec![Box::new(Samples), Box::new(FedBuff)]);
        assert_eq!(product.weigh_arrivals(&arrivals, &world.view()), Some(vec![4.0, 2.0]));
        product.0.push(Box::new(Refl::default()));
        assert_eq!(product.weigh_arrivals(&arrivals, &world.view()), None);
        let updates = [update(0, &[0.0], &[1.0])];
        assert_eq!(product.weigh(&updates, &Flat::zeros(1), &world.view()), [0.5 * 0.65 / 4.0]);
        let empty = Product::default().weigh_arrivals(&arrivals, &world.view());
        assert_eq!(empty, Some(vec![1.0, 1.0]));
    }
}
