//! What was drawn for clients lately. A client's device and link follow from the seed, so that nothing needs to
//! be stored of them; but they are asked for several times in each task, and a draw is not free.

use offbeat_kernel::ClientId;
use std::cell::RefCell;

/// Clients that are remembered at most; each has one place, which another may take.
const PLACES: usize = 1024;

/// Values of some clients, each a function of the client alone until [`Lately::forget`].
#[derive(Clone, Debug)]
pub(crate) struct Lately<T>(RefCell<Vec<Option<(ClientId, T)>>>);

impl<T: Copy> Lately<T> {
    /// The value of `client`: what is remembered, or what `draw` gives.
    pub(crate) fn of(&self, client: ClientId, draw: impl FnOnce() -> T) -> T {
        let place = client.index() % PLACES;
        let known = self.0.borrow().get(place).copied().flatten();
        if let Some((_, value)) = known.filter(|(of, _)| *of == client) {
            return value;
        }
        let value = draw();
        let mut places = self.0.borrow_mut();
        places.resize(PLACES, None);
        places[place] = Some((client, value));
        value
    }

    /// From now on other values are drawn.
    pub(crate) fn forget(&self) {
        self.0.borrow_mut().clear();
    }
}

impl<T> Default for Lately<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_until_told_to_forget() {
        let lately = Lately::default();
        let (one, other) = (ClientId(3), ClientId(3 + PLACES as u32));
        assert_eq!(lately.of(one, || 1), 1);
        assert_eq!(lately.of(one, || 2), 1, "remembered");
        assert_eq!(lately.of(other, || 3), 3, "another client in the same place");
        assert_eq!(lately.of(one, || 4), 4);
        lately.forget();
        assert_eq!(lately.of(one, || 5), 5);
    }
}
