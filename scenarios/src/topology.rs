//! From `[topology]` to edge servers with their clients.

use crate::diagnose::Problem;
use crate::document::Document;
use crate::files;
use crate::prepare::Prepared;
use crate::spec::{Assign, ScenarioFile, TreeSection};
use offbeat_actors::{Topology, Tree};
use offbeat_kernel::ClientId;
use std::path::Path;
use std::rc::Rc;

/// Who is connected to whom.
///
/// # Errors
/// When an edge server would have no clients, or the file that lists them cannot be used.
pub fn topology(
    sections: &ScenarioFile,
    prepared: &Prepared,
    document: &Document,
) -> Result<Topology, Problem> {
    let Some(tree) = sections.topology.tree() else { return Ok(Topology::Star) };
    let at = |problem: Problem| {
        let path = "topology.tree.assign";
        problem.at(document.place(path), "asked for here").about(path)
    };
    let edge_of = edge_of(tree, prepared).map_err(at)?;
    if let Some(edge) = (0..tree.edges).find(|edge| !edge_of.contains(edge)) {
        let message = format!("edge server {edge} of {} has no clients", tree.edges);
        let help = "lower `edges`, or assign clients to each of them";
        return Err(at(Problem::new("value", message).help(help)));
    }
    let tree = Tree::new(edge_of, tree.rules())
        .map_err(|error| at(Problem::new("value", error.to_string())))?;
    Ok(Topology::Tree(Rc::new(tree)))
}

/// The edge server of each client.
fn edge_of(tree: &TreeSection, prepared: &Prepared) -> Result<Vec<u32>, Problem> {
    let population = &prepared.population;
    let (edges, clients) = (tree.edges, population.clients());
    let all = 0..clients;
    Ok(match &tree.assign {
        Assign::Blocks => all
            .map(|client| (u64::from(client) * u64::from(edges) / u64::from(clients)) as u32)
            .collect(),
        Assign::InTurn => all.map(|client| client % edges).collect(),
        Assign::ByGroup => {
            let last = edges.saturating_sub(1);
            all.map(|client| (population.group_of(ClientId(client)) as u32).min(last)).collect()
        }
        Assign::ByDomain => by_domain(edges, prepared)?,
        Assign::File { path } => listed(path, edges, clients)?,
    })
}

/// The first domain of each client.
fn by_domain(edges: u32, prepared: &Prepared) -> Result<Vec<u32>, Problem> {
    let Some(people) = &prepared.people else {
        let message = "only data of persons have domains";
        return Err(Problem::new("value", message).help("write `assign = \"blocks\"`"));
    };
    let domain = |domains: &Vec<usize>| domains.first().map_or(0, |domain| *domain as u32);
    let edge_of: Vec<u32> = people.clients.iter().map(|own| domain(&own.domains)).collect();
    let needed = edge_of.iter().max().map_or(0, |last| last + 1);
    if needed != edges {
        let message = format!(
            "the clients' data are of {needed} domains, but there are {edges} edge servers"
        );
        return Err(Problem::new("value", message).help(format!("write `edges = {needed}`")));
    }
    Ok(edge_of)
}

fn listed(path: &Path, edges: u32, clients: u32) -> Result<Vec<u32>, Problem> {
    let help = "the file has the number of an edge server for each client, one a line";
    let text =
        std::fs::read_to_string(path).map_err(|error| files::unreadable(path, &error, help))?;
    let wrong = |message: String| {
        Problem::new("malformed_data", format!("{}: {message}", path.display())).help(help)
    };
    let mut edge_of = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.parse().ok().filter(|edge| *edge < edges) {
            Some(edge) => edge_of.push(edge),
            None => {
                let (line_number, last) = (index + 1, edges.saturating_sub(1));
                return Err(wrong(format!(
                    "line {line_number}: `{line}` is no edge server; they count from 0 to {last}"
                )));
            }
        }
    }
    if edge_of.len() != clients as usize {
        return Err(wrong(format!("{} clients are listed, there are {clients}", edge_of.len())));
    }
    Ok(edge_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_list_an_edge_server_for_each_client() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("edges.txt");
        std::fs::write(&path, "# cameras\n0\n1\n\n0\n").expect("writable");
        assert_eq!(listed(&path, 2, 3).expect("valid"), [0, 1, 0]);
        let message = |edges, clients| {
            listed(&path, edges, clients).expect_err("wrong").message().to_string()
        };
        assert!(message(1, 3).ends_with("line 3: `1` is no edge server; they count from 0 to 0"));
        assert!(message(2, 4).ends_with("3 clients are listed, there are 4"));
        assert_eq!(
            listed(&dir.path().join("none"), 2, 3).expect_err("missing").code(),
            "missing_file"
        );
    }
}
