//! The first half of a version: clients are chosen and invited, and asked again later when too few are
//! free.

use super::{Composed, Context, place};
use crate::registry::Seam;
use crate::seams::Flight;
use crate::signal::{Assignment, Invitation, Order};
use offbeat_kernel::{ClientId, Purpose, Span, TaskId, Time};
use offbeat_learning::Flat;
use std::collections::BTreeMap;

/// The token of the timer that asks again for free clients.
pub(super) const RETRY: u64 = u64::MAX;

/// How long to wait before asking again, when the population is too large to ask each client when
/// it comes back.
const RETRY_AFTER: Span = Span::from_micros(60_000_000);

/// Populations up to this size are asked client by client when somebody comes back, however many are at
/// work; larger ones only when nobody is.
const ASK_EACH: u32 = 10_000;

/// So many draws by chance may find nobody, one after the other, before it is tried again later.
const EMPTY_DRAWS: u32 = 100;

impl Composed {
    /// Invites up to `want` clients of the selector's choice.
    pub(super) fn invite_any(&mut self, want: usize, assignment: Assignment, cx: &Context<'_>) {
        for _ in 0..EMPTY_DRAWS {
            if !self.release_open_draw(cx) {
                return;
            }
            let mut stream = cx.seeds.stream(Purpose::Selection, 0, self.selections);
            self.selections += 1;
            let view = Self::view((self.version, &self.ledger, &self.busy), cx);
            place::enter(Seam::Select);
            let chance = self.seams.select.chance_of_each(want, &view);
            let chosen = self.seams.select.select(want, &view, &mut stream);
            if chance.is_some() && chosen.is_empty() && view.all_free().is_empty() {
                break;
            }
            if let (Some(protection), Some(chance)) = (&mut self.seams.protection, chance) {
                protection.drew(chance);
            }
            let found = chosen.len();
            chosen.into_iter().for_each(|client| self.invite(client, assignment, cx));
            if chance.is_none() {
                self.short |= found < want;
            }
            if chance.is_none() || found > 0 {
                return;
            }
        }
        self.short = true;
    }

    /// Invites those of `clients` who are free. A pace that found nobody to name names nobody: that
    /// counts as too few.
    pub(super) fn invite_these(
        &mut self,
        clients: Vec<ClientId>,
        assignment: Assignment,
        cx: &Context<'_>,
    ) {
        let wanted = clients.len().max(1);
        let mut found = 0;
        for client in clients {
            if Self::view((self.version, &self.ledger, &self.busy), cx).free(client) {
                self.invite(client, assignment, cx);
                found += 1;
            }
        }
        self.short |= found < wanted;
    }

    fn invite(&mut self, client: ClientId, assignment: Assignment, cx: &Context<'_>) {
        if !self.may_ask(client) {
            return;
        }
        let group = self.group_of.get(&client).copied().unwrap_or(0);
        let model = self.models.get(&group).unwrap_or(&self.models[&0]).clone();
        place::enter(Seam::Companion);
        let companion = self.seams.companion.as_mut();
        let extras = companion.map(|part| part.outfit(client, &model)).unwrap_or_default();
        self.send((client, assignment), model, extras, cx);
    }

    /// Sends an invitation.
    pub(super) fn send(
        &mut self,
        (client, assignment): (ClientId, Assignment),
        model: Flat,
        extras: BTreeMap<String, Flat>,
        cx: &Context<'_>,
    ) {
        let task = TaskId(self.next_task);
        self.next_task += 1;
        let record = self.ledger.entry(client);
        record.invited += 1;
        record.last_invited = cx.now;
        self.busy.insert(client);
        self.bases.insert(task, model.clone());
        let flight = Flight { client, version: self.version, invited: cx.now, assignment };
        self.flights.insert(task, flight);
        let version = self.version;
        let invitation = Invitation { task, client, version, model, extras, assignment };
        self.orders.push(Order::Invite(Box::new(invitation)));
    }

    /// Fewer clients were free than wanted: ask again when somebody may have come back. When nobody ever
    /// will and nothing else is under way, the run is over.
    /// Asked when all wishes are carried out, since a later one may have found somebody.
    pub(super) fn ask_again_later(&mut self, cx: &Context<'_>) {
        if !std::mem::take(&mut self.short) || self.retry_at.is_some() {
            return;
        }
        let at = if cx.roster.count() <= ASK_EACH || self.flights.is_empty() {
            next_return(cx)
        } else {
            cx.now + RETRY_AFTER
        };
        if at < Time::NEVER {
            self.retry_at = Some(at);
            self.orders.push(Order::Timer { at, token: RETRY });
        } else if self.flights.is_empty()
            && (self.arrived.is_empty() || self.bells.is_empty())
            && !cx.roster.may_bring_back()
        {
            let reason = match self.arrived.len() {
                0 => "no client could be invited, and none will come back".to_string(),
                n => format!(
                    "no client could be invited, and none will come back; {n} updates wait in vain"
                ),
            };
            self.orders.push(Order::Finish(reason));
        }
    }
}

/// When the first of the clients that are away may be back. Looks at every client.
fn next_return(cx: &Context<'_>) -> Time {
    (0..cx.roster.count())
        .map(ClientId)
        .filter(|client| !cx.roster.present(*client, cx.now))
        .map(|client| cx.roster.next_change(client, cx.now))
        .min()
        .unwrap_or(Time::NEVER)
}
