// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which TLBs can be modelled: data, in `geometries.toml`.

use serde::Deserialize;

const TABLE: &str = include_str!("geometries.toml");

/// The TLBs of a processor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Geometry {
    /// What `--tlb-model` calls it.
    pub name: String,
    /// Whose they are.
    pub cpu: String,
    /// The manual that says so.
    pub source: String,
    /// The first level, in the model's notation.
    pub l1: String,
    /// The second.
    pub l2: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    geometry: Vec<Geometry>,
}

impl Geometry {
    /// All that are known; the first is used where none is named.
    ///
    /// # Errors
    /// If the table that was built in cannot be read, which a test rules out.
    pub fn all() -> Result<Vec<Self>, String> {
        let table: Result<Table, _> = toml::from_str(TABLE);
        Ok(table.map_err(|e| format!("geometries.toml: {e}"))?.geometry)
    }

    /// The one of this name; the first without a name.
    ///
    /// # Errors
    /// The names that there are.
    pub fn find(name: Option<&str>) -> Result<Self, String> {
        let all = Self::all()?;
        let names: Vec<_> = all.iter().map(|g| g.name.clone()).collect();
        let wanted = |g: &Geometry| name.is_none_or(|name| g.name == name);
        all.into_iter().find(wanted).ok_or_else(|| {
            let (name, names) = (name.unwrap_or_default(), names.join(", "));
            format!("no TLB model is called {name:?}; there is {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The model itself reads the notation when it is loaded, which tests in the lab
    /// do; here it is enough that levels are whole.
    #[test]
    fn the_table_is_whole() {
        let all = Geometry::all().unwrap();
        assert!(all.len() >= 3);
        for geometry in &all {
            assert!(geometry.source.contains("Optimization"), "{geometry:?}");
            for array in geometry.l1.split(':').chain(geometry.l2.split(':')) {
                let parts: Vec<_> = array.split('/').collect();
                let number = |i: usize| parts[i].parse::<usize>().unwrap();
                assert_eq!(parts.len(), 3, "{array}");
                assert!((number(0) / number(1)).is_power_of_two(), "{array}");
                assert_eq!(number(0) % number(1), 0, "{array}");
            }
        }
    }

    #[test]
    fn a_name_that_is_not_known_is_told_those_that_are() {
        assert_eq!(Geometry::find(None).unwrap().name, "zen3");
        assert_eq!(Geometry::find(Some("skylake")).unwrap().name, "skylake");
        let error = Geometry::find(Some("zen9")).unwrap_err();
        assert!(error.contains("zen3, zen, zen4, skylake"), "{error}");
    }
}
