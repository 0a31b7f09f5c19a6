//! Taking a snapshot of everything between two events.

use super::Driver;
use crate::caught::saved;
use crate::error::RunError;
use crate::message::Address;
use crate::recorder::SaveSink;
use crate::snapshot::{Driving, Occasion, Save, State};
use actix::dev::ToEnvelope;
use actix::{Actor, Addr, Handler};
use offbeat_kernel::Time;
use std::collections::BTreeMap;

impl Driver {
    /// Takes a snapshot when an actor asked for one, or the keeper says that it is time.
    pub(super) async fn snapshot_if_due(&mut self, next: Time) -> Result<(), RunError> {
        let now = self.driving.calendar.now();
        let Some(keeper) = &mut self.keeper else { return Ok(()) };
        let due = keeper.due(now, next);
        match std::mem::take(&mut self.snapshot_wanted) {
            true => self.snapshot(Occasion::Asked).await,
            false => match due {
                Some(occasion) => self.snapshot(occasion).await,
                None => Ok(()),
            },
        }
    }

    /// Takes a snapshot and has it kept, if there is a keeper.
    pub(super) async fn snapshot(&mut self, occasion: Occasion) -> Result<(), RunError> {
        if self.keeper.is_none() {
            return Ok(());
        }
        self.flush().await?;
        let sink = match self.recorder.send(SaveSink).await {
            Ok(position) => position.map_err(RunError::Sink)?,
            Err(_) => return Err(RunError::Sink("the recorder stopped".to_string())),
        };
        let state = self.state().await?;
        let snapshot = state.pack(sink, &mut self.known).map_err(RunError::Snapshot)?;
        if let Some(keeper) = &mut self.keeper {
            keeper.keep(snapshot, occasion);
        }
        Ok(())
    }

    async fn state(&self) -> Result<State, RunError> {
        // Every field by its name: one that is added and forgotten here does not compile.
        let Self {
            driving,
            server,
            strategist,
            network,
            evaluator,
            recorder: _,
            director,
            tap,
            fresh: _,
            switches: _,
            edges,
            clients,
            setup,
            subject: _,
            seed: _,
            stop: _,
            interrupt: _,
            book,
            tally,
            records: _,
            started: _,
            flushed: _,
            timing_only: _,
            traffic: _,
            snapshot_wanted: _,
            known: _,
            keeper: _,
        } = self;
        let mut tasks = BTreeMap::new();
        for (id, client) in clients {
            if let Some(task) = self.ask(client, Address::Client(*id)).await? {
                tasks.insert(*id, task);
            }
        }
        let mut of_edges = Vec::with_capacity(edges.len());
        for (id, edge) in (0u32..).zip(edges) {
            of_edges.push(self.ask(edge, Address::Edge(id)).await?);
        }
        Ok(State {
            driving: Driving { wall_seconds: self.wall_seconds(), ..driving.clone() },
            server: self.ask(server, Address::Server).await?,
            strategist: self.ask(strategist, Address::Strategist).await?,
            network: self.ask(network, Address::Network).await?,
            evaluator: self.ask(evaluator, Address::Evaluator).await?,
            director: match director {
                Some(director) => Some(self.ask(director, Address::Director).await?),
                None => None,
            },
            tap: match tap {
                Some(tap) => Some(self.ask(tap, Address::Network).await?),
                None => None,
            },
            edges: of_edges,
            clients: tasks,
            homes: setup.homes.borrow().clone(),
            book: saved("the book of promises", || book.state()).map_err(RunError::Snapshot)?,
            counts: tally.counts(),
        })
    }

    async fn ask<A, S>(&self, actor: &Addr<A>, address: Address) -> Result<S, RunError>
    where
        A: Actor + Handler<Save<S>>,
        A::Context: ToEnvelope<A, Save<S>>,
        S: Send + 'static,
    {
        let at = self.driving.calendar.now();
        match actor.send(Save::new()).await {
            Ok(state) => state.map_err(RunError::Snapshot),
            Err(_) => Err(RunError::ActorStopped { address, at }),
        }
    }

    /// Real time of the run so far in seconds, that of earlier processes included.
    pub(super) fn wall_seconds(&self) -> f64 {
        self.driving.wall_seconds + self.started.elapsed().as_secs_f64()
    }
}
