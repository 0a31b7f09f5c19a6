//! What clients keep between tasks.

use crate::conditions::Battery;
use crate::promise::Book;
use crate::work::Private;
use offbeat_kernel::{ClientId, TaskId};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What clients keep between tasks. Only clients that keep something have an entry.
pub type Homes = Rc<RefCell<BTreeMap<ClientId, Home>>>;

/// What one client keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Home {
    /// What it has kept for certain.
    pub private: Private,
    /// A finished task whose private part has not been fetched yet.
    pub pending: Option<TaskId>,
    /// Its battery when it was last looked at, where energy matters.
    pub battery: Option<Battery>,
    /// The last task it began, where invitations can come twice.
    pub last: Option<TaskId>,
}

/// What a client keeps, with its last training settled. A training that failed changes nothing.
pub fn settle(homes: &Homes, book: &Book, client: ClientId) -> Private {
    let mut homes = homes.borrow_mut();
    let Some(home) = homes.get_mut(&client) else { return Private::default() };
    if let Some(task) = home.pending.take()
        && let Ok(private) = book.take_private(task)
    {
        home.private = private;
    }
    home.private.clone()
}
