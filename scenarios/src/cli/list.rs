//! `offbeat list`: what there is, with a line on each.

use super::{Failure, ListArgs, Listed, print};
use crate::catalogue::{self, Item};
use crate::words::wrap;
use std::collections::BTreeMap;

const EVERYTHING: [Listed; 4] =
    [Listed::Scenarios, Listed::Strategies, Listed::Networks, Listed::Datasets];

/// Prints one list, or all.
pub(super) fn list(args: &ListArgs) -> Result<(), Failure> {
    let wanted = args.what.map_or(EVERYTHING.to_vec(), |what| vec![what]);
    let lists: Vec<(&str, Vec<Item>)> =
        wanted.into_iter().map(|what| (title(what), items(what))).collect();
    if args.json {
        let lists: BTreeMap<_, _> = lists.into_iter().collect();
        return print(&(serde_json::to_string(&lists).unwrap_or_default() + "\n"));
    }
    let tables: Vec<String> = lists.iter().map(|(title, items)| table(title, items)).collect();
    print(&tables.join("\n"))
}

fn title(what: Listed) -> &'static str {
    match what {
        Listed::Scenarios => "scenarios",
        Listed::Strategies => "strategies",
        Listed::Networks => "networks",
        Listed::Datasets => "datasets",
    }
}

fn items(what: Listed) -> Vec<Item> {
    match what {
        Listed::Scenarios => catalogue::scenarios(),
        Listed::Strategies => catalogue::strategies(),
        Listed::Networks => catalogue::networks(),
        Listed::Datasets => catalogue::datasets(),
    }
}

/// A title and two columns; the second is wrapped at 80 columns.
fn table(title: &str, items: &[Item]) -> String {
    let width = items.iter().map(|item| item.name.chars().count()).max().unwrap_or(0);
    let mut text = format!("{title}\n");
    for item in items {
        let mut lines = wrap(&item.about, 80_usize.saturating_sub(width + 4).max(20)).into_iter();
        text += &format!("  {:<width$}  {}\n", item.name, lines.next().unwrap_or_default());
        for line in lines {
            text += &format!("  {:<width$}  {line}\n", "");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_to_eighty_columns() {
        let about =
            "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
                .into();
        let items = [Item { name: "short".into(), about }];
        let text = table("things", &items);
        assert_eq!(
            text,
            "things\n  short  one two three four five six seven eight nine ten eleven twelve thirteen\n         fourteen\n"
        );
        assert!(text.lines().all(|line| line.chars().count() <= 80));
    }
}
