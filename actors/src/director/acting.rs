//! What each action of a timeline or a script does.

use super::{Director, Ring};
use crate::effect::Effect;
use crate::message::{Address, Command, Message};
use crate::record::Record;
use crate::timeline::{Action, Who};
use offbeat_kernel::Time;
use offbeat_kernel::hardship::{Clients, Intervention, Members, Pick, Transit};
use offbeat_strategies::signal::{LossReason, Signal};

impl Director {
    /// Carries out one action.
    pub(super) fn act(&mut self, action: Action, now: Time, effects: &mut Vec<Effect>) {
        if !matches!(action, Action::Timer { .. }) {
            effects.push(Effect::Record(Record::Happening { at: now, what: action.in_words() }));
        }
        match action {
            Action::Partition { name, who, transit } => {
                let what = Intervention::Cut { name: name.clone(), transit };
                self.strike(&who, what, Some(LossReason::CutOff), now, effects);
                self.undo(&who, now, |_| Action::Heal(name), effects);
            }
            Action::Heal(name) => {
                self.interventions.borrow_mut().heal(&name);
                self.give_back(now, effects);
            }
            Action::Crash(who) => {
                let members =
                    self.strike(&who, Intervention::Crash, Some(LossReason::Crashed), now, effects);
                self.undo(&who, now, |who| Action::Restart(these(who, &members)), effects);
            }
            Action::Restart(who) => {
                self.strike(&who, Intervention::Restart, None, now, effects);
                self.give_back(now, effects);
            }
            Action::Leave(who) => {
                let members =
                    self.strike(&who, Intervention::Leave, Some(LossReason::Left), now, effects);
                self.undo(&who, now, |who| Action::Join(these(who, &members)), effects);
            }
            Action::Join(who) => {
                let members = self.strike(&who, Intervention::Join, None, now, effects);
                self.undo(&who, now, |who| Action::Leave(these(who, &members)), effects);
                self.give_back(now, effects);
            }
            Action::SlowDown { who, work, link } => self.slow_down(&who, work, link, now, effects),
            Action::Change(who, change) => {
                self.interventions.borrow_mut().change(who.clients.range, *change);
                self.give_back(now, effects);
            }
            Action::Drift(who, by) => {
                let range = who.map(|who| who.clients.range);
                self.interventions.borrow_mut().turn_labels(range, by);
            }
            Action::CrashServer(lasts) => {
                command(Command::Crash, now, effects);
                if let Some(lasts) = lasts {
                    let undo = Ring::Undo(Box::new(Action::RestartServer));
                    self.ring(now + lasts, undo, effects);
                }
            }
            Action::RestartServer => command(Command::Restart, now, effects),
            Action::Switch(switch) => {
                let message = Message::Command(Command::Switch(switch));
                effects.push(Effect::now(now, Address::Strategist, message));
            }
            Action::Snapshot => effects.push(Effect::Snapshot),
            Action::Evaluate => {
                let message = Message::Command(Command::Evaluate);
                effects.push(Effect::now(now, Address::Server, message));
            }
            Action::Stop(reason) => effects.push(Effect::Stop(reason)),
            Action::Timer { name, after } => self.ring(now + after, Ring::Timer(name), effects),
        }
        self.look_ahead();
    }

    fn slow_down(
        &mut self,
        who: &Who,
        work: Option<f64>,
        link: Option<f64>,
        now: Time,
        effects: &mut Vec<Effect>,
    ) {
        // Both factors are for the same clients.
        let members =
            self.interventions.borrow_mut().choose(&who.clients, &Intervention::SlowWork(1.0));
        let mut state = self.interventions.borrow_mut();
        let kinds = [work.map(Intervention::SlowWork), link.map(Intervention::SlowLink)];
        for what in kinds.into_iter().flatten() {
            state.apply(members.clone(), what);
        }
        drop(state);
        let normal = |factor: Option<f64>| factor.map(|_| 1.0);
        let undone = |who: &Who| Action::SlowDown {
            who: these(who, &members),
            work: normal(work),
            link: normal(link),
        };
        self.undo(who, now, undone, effects);
    }

    /// Lets an intervention happen. With a `reason`, what the clients do now is lost.
    fn strike(
        &mut self,
        who: &Who,
        what: Intervention,
        reason: Option<LossReason>,
        now: Time,
        effects: &mut Vec<Effect>,
    ) -> Members {
        let mut state = self.interventions.borrow_mut();
        let members = state.choose(&who.clients, &what);
        let waits = matches!(what, Intervention::Cut { transit: Transit::Wait, .. });
        state.apply(members.clone(), what);
        if let Some(reason) = reason {
            if !waits {
                effects.push(Effect::Interrupt { members: members.clone(), reason });
            }
            effects.push(disturb(now));
        }
        members
    }

    /// What was cut may go on, and who was away may be invited.
    fn give_back(&self, now: Time, effects: &mut Vec<Effect>) {
        effects.push(disturb(now));
        let vacancy = Message::Signal(Signal::Vacancy);
        effects.push(Effect::now(now, Address::Strategist, vacancy));
    }

    /// Has an action undone when its time is over.
    fn undo(
        &mut self,
        who: &Who,
        now: Time,
        action: impl FnOnce(&Who) -> Action,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(lasts) = who.lasts {
            self.ring(now + lasts, Ring::Undo(Box::new(action(who))), effects);
        }
    }
}

/// Has the network look again at what it carries.
fn disturb(now: Time) -> Effect {
    Effect::now(now, Address::Network, Message::Disturbed)
}

/// A command for the server and the strategist.
fn command(command: Command, now: Time, effects: &mut Vec<Effect>) {
    let to = [Address::Server, Address::Strategist];
    for to in to {
        effects.push(Effect::now(now, to, Message::Command(command.clone())));
    }
}

/// The clients that were chosen, for ever.
fn these(who: &Who, members: &Members) -> Who {
    let pick = match members {
        Members::Range(_) => Pick::All,
        Members::Listed(ids) => Pick::Ids(ids.clone()),
    };
    let clients = Clients { pick, ..who.clients.clone() };
    Who { clients, name: who.name.clone(), lasts: None }
}
