//! From entries of a timeline to what the director carries out.

use crate::population::Population;
use crate::spec::{Condition, SwitchPart, TimelineEntry};
use crate::validate::Surroundings;
use offbeat_actors::timeline::{Action, Entry, When, Who};
use offbeat_kernel::hardship::{self, Clients, Pick};
use offbeat_kernel::{Span, Time};
use offbeat_strategies::registry::{NewPart, Parts, Switch};
use std::ops::Range;
use std::rc::Rc;

/// Whom a happening means.
#[derive(Clone, Copy, Default)]
struct Scope<'a> {
    group: Option<&'a str>,
    count: Option<u32>,
    share: Option<f64>,
    ids: Option<&'a [u32]>,
    edges: Option<&'a [u32]>,
}

/// The scope of a section that names one.
macro_rules! scope {
    ($of:expr) => {
        Scope {
            group: $of.group.as_deref(),
            count: $of.count,
            share: $of.share,
            ids: $of.ids.as_deref(),
            edges: $of.edges.as_deref(),
        }
    };
}

/// Longest time that can be written, in minutes: as for runs.
pub(crate) const MOST_MINUTES: f64 = 6e7;

/// What is wrong with an entry: the key inside it, and a sentence.
pub(crate) type Wrong = (String, String);

/// What names in entries refer to.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// Names and ids of the groups.
    groups: Vec<(String, Range<u32>)>,
    clients: u32,
    /// How many edge servers there are: the participants after the clients.
    edges: u32,
    /// The strategy's parts, for switches.
    parts: Parts,
    /// What switches are held to that nobody could check before.
    around: Option<Rc<Surroundings>>,
}

impl Scene {
    /// The scene of a population with a strategy.
    pub(crate) fn new(population: &Population, parts: Parts) -> Self {
        let mut first = 0;
        let groups = population.groups().iter().map(|group| {
            let range = first..group.end;
            first = group.end;
            (group.name.clone(), range)
        });
        Self {
            groups: groups.collect(),
            clients: population.clients(),
            edges: 0,
            parts,
            around: None,
        }
    }

    /// The scene of groups with these names and first ids after them.
    pub(crate) fn of_groups(groups: &[(String, u32)], clients: u32, parts: Parts) -> Self {
        let mut first = 0;
        let groups = groups.iter().map(|(name, end)| {
            let range = first..(*end).max(first);
            first = range.end;
            (name.clone(), range)
        });
        Self { groups: groups.collect(), clients, edges: 0, parts, around: None }
    }

    /// The same scene with so many edge servers.
    pub(crate) fn with_edges(self, edges: u32) -> Self {
        Self { edges, ..self }
    }

    /// The same scene, whose switches are checked when they happen.
    pub(crate) fn among(self, around: Surroundings) -> Self {
        Self { around: Some(Rc::new(around)), ..self }
    }

    /// An entry with its time or condition.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn entry(&self, entry: &TimelineEntry) -> Result<Entry, Vec<Wrong>> {
        let (when, actions) = (when(entry), self.actions(entry));
        match (when, actions) {
            (Ok(when), Ok(actions)) => Ok(Entry { when, actions }),
            (when, actions) => {
                Err(when.err().into_iter().chain(actions.err().into_iter().flatten()).collect())
            }
        }
    }

    /// What happens in an entry, in order.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn actions(&self, entry: &TimelineEntry) -> Result<Vec<Action>, Vec<Wrong>> {
        let mut found: Vec<Result<Action, Wrong>> = Vec::new();
        if let Some(p) = &entry.partition {
            let who = self.who("partition", scope!(p), p.for_minutes);
            let (name, transit) = (p.name.clone(), p.messages);
            found.push(who.map(|who| Action::Partition { name, who, transit }));
        }
        found.extend(entry.heal.clone().map(|name| Ok(Action::Heal(name))));
        type Make = fn(Who) -> Action;
        let plain: [(&str, &Option<crate::spec::Whom>, Make); 4] = [
            ("crash", &entry.crash, Action::Crash),
            ("restart", &entry.restart, Action::Restart),
            ("leave", &entry.leave, Action::Leave),
            ("join", &entry.join, Action::Join),
        ];
        for (key, whom, make) in plain {
            if let Some(w) = whom {
                let who = self.who(key, scope!(w), w.for_minutes);
                found.push(who.map(make));
            }
        }
        found.extend(entry.slow_down.as_ref().map(|slow| self.slow_down(slow)));
        found.extend(entry.change.as_ref().map(|change| {
            let of = Scope { group: change.group.as_deref(), ..Scope::default() };
            let who = self.who("change", of, None)?;
            let change = hardship::Change {
                device: change.device.clone(),
                link: change.link.clone(),
                availability: change.availability.clone(),
                completeness: change.completeness,
            };
            check_change(&change)?;
            Ok(Action::Change(who, Box::new(change)))
        }));
        found.extend(entry.drift.as_ref().map(|drift| {
            let of = Scope { group: drift.group.as_deref(), ..Scope::default() };
            let who = drift.group.as_ref().map(|_| self.who("drift", of, None)).transpose()?;
            Ok(Action::Drift(who, drift.label_rotation))
        }));
        found.extend(entry.crash_server.as_ref().map(|crash| {
            let lasts = crash.for_minutes.map(|m| span("crash_server.for_minutes", m));
            Ok(Action::CrashServer(lasts.transpose()?))
        }));
        found.extend(entry.restart_server.then_some(Ok(Action::RestartServer)));
        found.extend(entry.switch.as_ref().map(|switch| self.switch(switch)));
        found.extend(entry.snapshot.then_some(Ok(Action::Snapshot)));
        found.extend(entry.evaluate.then_some(Ok(Action::Evaluate)));
        found.extend(entry.timer.as_ref().map(|timer| {
            let after = span("timer.after_minutes", timer.after_minutes)?;
            Ok(Action::Timer { name: timer.name.clone(), after })
        }));
        found.extend(entry.stop.clone().map(|reason| Ok(Action::Stop(reason))));
        if found.is_empty() {
            found.push(wrong("", "nothing happens here"));
        }
        let (good, bad): (Vec<_>, Vec<_>) = found.into_iter().partition(Result::is_ok);
        match bad.is_empty() {
            true => Ok(good.into_iter().flatten().collect()),
            false => Err(bad.into_iter().filter_map(Result::err).collect()),
        }
    }

    fn slow_down(&self, slow: &crate::spec::SlowDown) -> Result<Action, Wrong> {
        let who = self.who("slow_down", scope!(slow), slow.for_minutes)?;
        for (key, factor) in [("work", slow.work), ("link", slow.link)] {
            if let Some(factor) = factor
                && !(factor > 0.0 && factor <= 1e9)
            {
                let message = format!("a factor of {factor}: must be above 0 and at most 1e9");
                return wrong(&format!("slow_down.{key}"), message);
            }
        }
        if slow.work.or(slow.link).is_none() {
            return wrong("slow_down", "neither `work` nor `link` says how much slower");
        }
        Ok(Action::SlowDown { who, work: slow.work, link: slow.link })
    }

    fn switch(&self, switch: &SwitchPart) -> Result<Action, Wrong> {
        if let Some(lacking) = self.around.as_ref().and_then(|around| around.lacks(switch)) {
            return Err(("switch".into(), lacking));
        }
        let new = match switch.clone() {
            SwitchPart::Select(part) => NewPart::Select(part),
            SwitchPart::Pace(part) => NewPart::Pace(part),
            SwitchPart::Group(part) => NewPart::Group(part),
            SwitchPart::Weigh(part) => NewPart::Weigh(part),
            SwitchPart::Combine(part) => NewPart::Combine(part),
        };
        let switch = Switch::new(&self.parts, new).map_err(|reason| ("switch".into(), reason))?;
        Ok(Action::Switch(Box::new(switch)))
    }

    fn who(&self, key: &str, scope: Scope<'_>, minutes: Option<f64>) -> Result<Who, Wrong> {
        let lasts = minutes.map(|m| span(&format!("{key}.for_minutes"), m)).transpose()?;
        let (clients, name) = match scope.edges {
            Some(edges) => self.edge_servers(key, scope, edges)?,
            None => self.of_clients(key, scope)?,
        };
        Ok(Who { clients, name, lasts })
    }

    /// Edge servers by their numbers.
    fn edge_servers(
        &self,
        key: &str,
        scope: Scope<'_>,
        edges: &[u32],
    ) -> Result<(Clients, String), Wrong> {
        let Scope { group, count, share, ids, edges: _ } = scope;
        if group.is_some() || count.is_some() || share.is_some() || ids.is_some() {
            let message =
                "`edges` means edge servers, the other keys mean clients: write two entries";
            return wrong(key, message);
        }
        if self.edges == 0 {
            let message = "there are no edge servers: `[topology.tree]` is missing";
            return wrong(&format!("{key}.edges"), message);
        }
        if let Some(edge) = edges.iter().find(|edge| **edge >= self.edges) {
            let last = self.edges - 1;
            let message = format!("there is no edge server {edge}: the last one is {last}");
            return wrong(&format!("{key}.edges"), message);
        }
        let pick = Pick::Ids(edges.iter().map(|edge| self.clients + edge).collect());
        let range = self.clients..self.clients + self.edges;
        let name = match edges {
            [edge] => format!("edge server {edge}"),
            _ => format!("{} edge servers", edges.len()),
        };
        Ok((Clients { range, pick }, name))
    }

    fn of_clients(&self, key: &str, scope: Scope<'_>) -> Result<(Clients, String), Wrong> {
        let Scope { group, count, share, ids, edges: _ } = scope;
        let (range, of) = match group {
            None => (0..self.clients, "clients".to_string()),
            Some(name) => {
                let found = self.groups.iter().find(|(own, _)| own == name && !own.is_empty());
                let Some((_, range)) = found else {
                    return wrong(&format!("{key}.group"), self.unknown(name));
                };
                (range.clone(), format!("clients of `{name}`"))
            }
        };
        let (pick, name) = match (count, share, ids) {
            (None, None, None) => (Pick::All, format!("all {of}")),
            (Some(count), None, None) => (Pick::Count(count), format!("{count} {of}")),
            (None, Some(share), None) if share > 0.0 && share <= 1.0 => {
                (Pick::Share(share), format!("{} % of {of}", share * 100.0))
            }
            (None, Some(share), None) => {
                let message = format!("a share of {share}: must be above 0 and at most 1");
                return wrong(&format!("{key}.share"), message);
            }
            (None, None, Some(ids)) => {
                if let Some(id) = ids.iter().find(|id| !range.contains(id)) {
                    let message = format!("client {id} is not among the {} {of}", range.len());
                    return wrong(&format!("{key}.ids"), message);
                }
                let name = match ids[..] {
                    [id] => format!("client {id}"),
                    _ => format!("{} named {of}", ids.len()),
                };
                (Pick::Ids(ids.to_vec()), name)
            }
            _ => return wrong(key, "only one of `count`, `share` and `ids` can say who"),
        };
        Ok((Clients { range, pick }, name))
    }

    fn unknown(&self, name: &str) -> String {
        let names: Vec<String> = (self.groups.iter())
            .filter(|(own, _)| !own.is_empty())
            .map(|(own, _)| format!("`{own}`"))
            .collect();
        match names.is_empty() {
            true => format!("no group is called `{name}`: no `[[population.group]]` has a name"),
            false => format!("no group is called `{name}`; there are {}", names.join(", ")),
        }
    }
}

/// The time or condition of an entry.
fn when(entry: &TimelineEntry) -> Result<When, Wrong> {
    let repeat = entry.repeat;
    match (entry.at_minutes, entry.every_minutes, entry.when) {
        (None, None, None) => wrong("", "needs `at_minutes`, `every_minutes` or `when`"),
        (at, every, None) if !repeat => {
            let every = every.map(|minutes| span("every_minutes", minutes)).transpose()?;
            let first = match (at, every) {
                (Some(0.0), _) => Span::ZERO,
                (Some(at), _) => span("at_minutes", at)?,
                (None, every) => every.unwrap_or(Span::ZERO),
            };
            Ok(When::At(Time::ZERO + first, every))
        }
        (_, _, None) => wrong("repeat", "`repeat` goes with `when`; use `every_minutes` for times"),
        (None, None, Some(condition)) => match condition {
            Condition::Version(0) | Condition::Updates(0) => wrong("when", "counts begin at 1"),
            Condition::Version(count) => Ok(When::Version { count, repeat }),
            Condition::Updates(count) => Ok(When::Updates { count, repeat }),
            Condition::Accuracy(least) if (0.0..=1.0).contains(&least) => {
                Ok(When::Accuracy { least, repeat })
            }
            Condition::Accuracy(_) => wrong("when", "an accuracy lies between 0 and 1"),
            Condition::Loss(most) => Ok(When::Loss { most, repeat }),
        },
        _ => wrong("when", "an entry has a time or a condition, not both"),
    }
}

fn check_change(change: &hardship::Change) -> Result<(), Wrong> {
    let checks = [
        ("device", change.device.as_ref().map(|spec| spec.validate())),
        ("link", change.link.as_ref().map(|spec| spec.validate())),
        ("availability", change.availability.as_ref().map(|spec| spec.validate())),
        ("completeness", change.completeness.as_ref().map(|spec| spec.validate())),
    ];
    if checks.iter().all(|(_, found)| found.is_none()) {
        return wrong("change", "neither `device`, `link`, `availability` nor `completeness`");
    }
    for (key, found) in checks {
        if let Some(Err(reason)) = found {
            return wrong(&format!("change.{key}"), reason);
        }
    }
    Ok(())
}

fn span(key: &str, minutes: f64) -> Result<Span, Wrong> {
    match minutes > 0.0 && minutes <= MOST_MINUTES {
        true => Ok(Span::of_work(minutes * 60.0)),
        false => {
            wrong(key, format!("{minutes} minutes: must be above 0 and at most {MOST_MINUTES}"))
        }
    }
}

fn wrong<T>(key: &str, message: impl Into<String>) -> Result<T, Wrong> {
    Err((key.to_string(), message.into()))
}
