// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which backend works with which strategy: straight, by a bounce buffer only, or
//! not at all, and with which errno the kernel says so. From the cells of workloads
//! that have a parameter `backend`, whatever was measured of them.

use crate::digest::Family;
use results::{
    Cell,
    cell::ParamValue,
    compare::{Arm, Hole, Table},
};

/// A matrix of backends and arms.
pub(crate) struct Matrix {
    /// The arms, in the order of the report.
    pub(crate) arms: Vec<String>,
    /// Each backend with a verdict for each arm; empty where nothing was tried.
    pub(crate) rows: Vec<(String, Vec<String>)>,
}

/// What it is, as a title.
pub(crate) const TITLE: &str = "Which backend works";

/// The matrix of `family`; `None` if it has no backends.
pub(crate) fn of(family: &Family<'_>) -> Option<Matrix> {
    let tables = || family.workloads.iter().flat_map(|w| &w.tables);
    let mut backends: Vec<String> = Vec::new();
    let mut arms: Vec<&Cell> = Vec::new();
    for table in tables() {
        let Some(backend) = param(table, "backend") else {
            continue;
        };
        if !backends.contains(&backend) {
            backends.push(backend);
        }
        for arm in &table.arms {
            if arms.iter().all(|known| known.arm() != arm.cell.arm()) {
                arms.push(arm.cell);
            }
        }
    }
    let verdict = |backend: &String, arm: &&Cell| {
        let of = tables().filter(|t| param(t, "backend").as_ref() == Some(backend));
        let tried: Vec<(bool, &Arm<'_>)> = of
            .filter_map(|t| {
                let arm = t.arms.iter().find(|a| a.cell.arm() == arm.arm())?;
                let bounced = param(t, "bounce").is_some_and(|word| word != "none");
                Some((bounced, arm))
            })
            .collect();
        say(&tried)
    };
    let rows: Vec<_> = backends
        .iter()
        .map(|b| (b.clone(), arms.iter().map(|arm| verdict(b, arm)).collect()))
        .collect();
    (!rows.is_empty()).then(|| Matrix {
        arms: arms.iter().map(|arm| arm.arm()).collect(),
        rows,
    })
}

fn param(table: &Table<'_>, name: &str) -> Option<String> {
    table.group.params.get(name).map(ParamValue::to_string)
}

/// The verdict of what was tried, each with whether it was by a bounce buffer.
fn say(tried: &[(bool, &Arm<'_>)]) -> String {
    let works = |bounced: bool| {
        let mut of = tried.iter().filter(|(b, _)| *b == bounced);
        of.any(|(_, arm)| arm.figures.is_ok())
    };
    let holes = || {
        tried
            .iter()
            .filter_map(|(_, arm)| arm.figures.as_ref().err())
    };
    let refusal = holes().find_map(|hole| match hole {
        Hole::Missing { reason, .. } => Some(errno(reason)),
        _ => None,
    });
    match (works(false), works(true), refusal) {
        (true, _, _) => "works".into(),
        (false, true, Some(errno)) => format!("only bounced ({errno})"),
        (false, true, None) => "only bounced".into(),
        (false, false, Some(errno)) => format!("refused ({errno})"),
        (false, false, None) if holes().next().is_some() => "failed".into(),
        (false, false, None) => String::new(),
    }
}

/// The name of the errno in `reason`, as far as it is a common one.
fn errno(reason: &str) -> String {
    let number = reason
        .split("(os error ")
        .nth(1)
        .and_then(|rest| rest.split(')').next())
        .and_then(|digits| digits.parse::<u32>().ok());
    match number {
        Some(1) => "EPERM".into(),
        Some(14) => "EFAULT".into(),
        Some(22) => "EINVAL".into(),
        Some(95) => "EOPNOTSUPP".into(),
        Some(n) => format!("errno {n}"),
        None => "not here".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errno_is_named() {
        let check = |reason: &str, expected: &str| assert_eq!(errno(reason), expected);
        check("not pinned (Bad address (os error 14))", "EFAULT");
        check("odd (os error 7)", "errno 7");
        check("no disk", "not here");
        check("(os error x)", "not here");
    }
}
