// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The identity of a measurement: strategy × workload × parameters on a testbed.

use crate::{BASELINE, Unit, unique};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use std::{collections::BTreeMap, fmt};

/// Where a cell runs, and so which unit its samples have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Testbed {
    /// This machine's `/dev/kvm`: nanoseconds.
    Host,
    /// The deterministic emulated machine: instructions.
    Lab,
    /// No machine at all. Its numbers are invented by a seeded generator to
    /// test the pipeline, and every report says so.
    Fake,
}

impl Testbed {
    /// The name on the command line and in records.
    pub fn name(self) -> &'static str {
        match self {
            Testbed::Host => "host",
            Testbed::Lab => "lab",
            Testbed::Fake => "fake",
        }
    }

    /// The unit of its samples. Instructions are the same in every repeat; time is not.
    pub fn unit(self) -> Unit {
        match self {
            Testbed::Host | Testbed::Fake => Unit::Ns,
            Testbed::Lab => Unit::Insn,
        }
    }
}

impl fmt::Display for Testbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One value of a parameter: a whole number (`mem_mib = 64`) or a word
/// (`flush = "off"`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParamValue {
    /// A whole number.
    Int(u64),
    /// A word.
    Text(String),
}

impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParamValue::Int(n) => write!(f, "{n}"),
            ParamValue::Text(s) => f.write_str(s),
        }
    }
}

/// Parameters by name, in name order so that equal cells serialise equally.
pub type Params = BTreeMap<String, ParamValue>;

/// What parameters were called in earlier records of this schema, and are called now.
const RENAMED: [(&str, &str); 3] = [("apart", "spacing"), ("beside", "load"), ("by", "method")];

/// Reads parameters under the names that they have now.
fn params<'de, D: Deserializer<'de>>(input: D) -> Result<Params, D::Error> {
    let read: Params = unique::map(input)?;
    let mut params = Params::new();
    for (name, value) in read {
        let renamed = RENAMED.iter().find(|(then, _)| *then == name);
        let name = renamed.map_or(name, |(_, now)| now.to_string());
        if params.contains_key(&name) {
            return Err(D::Error::custom(format_args!("{name:?} under two names")));
        }
        params.insert(name, value);
    }
    Ok(params)
}

/// strategy × workload × parameters on a testbed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// The machine it ran on.
    pub testbed: Testbed,
    /// A name from the strategy registry.
    pub strategy: String,
    /// A workload id, `family/name`.
    pub workload: String,
    /// Every parameter of the workload that tells this cell from its siblings.
    #[serde(default, deserialize_with = "params")]
    pub params: Params,
    /// The strategy's own parameters where they are not its defaults, as in
    /// `flush = "none"`. Cells that differ in nothing else are compared.
    #[serde(
        default,
        deserialize_with = "unique::map",
        skip_serializing_if = "Params::is_empty"
    )]
    pub mode: Params,
}

impl Cell {
    /// The part of the workload id before the slash: `mmio` of `mmio/user-read`.
    pub fn family(&self) -> &str {
        self.workload.split('/').next().unwrap_or(&self.workload)
    }

    /// What this cell is compared within: the same workload with the same
    /// parameters on the same testbed, whatever the strategy.
    pub fn group(&self) -> Group {
        Group {
            testbed: self.testbed,
            workload: self.workload.clone(),
            params: self.params.clone(),
        }
    }

    /// Its arm.
    pub fn arm_id(&self) -> ArmId<'_> {
        ArmId {
            strategy: &self.strategy,
            mode: &self.mode,
        }
    }

    /// The name of its arm: `guest-memfd-reinsert flush=none`.
    pub fn arm(&self) -> String {
        self.arm_id().to_string()
    }

    /// Whether this is the arm that the others of its group are compared with.
    pub fn is_baseline(&self) -> bool {
        self.arm_id().is_baseline()
    }

    /// The whole number of parameter `name`, if it has one.
    pub fn int(&self, name: &str) -> Option<u64> {
        match self.params.get(name) {
            Some(ParamValue::Int(n)) => Some(*n),
            _ => None,
        }
    }
}

impl fmt::Display for Cell {
    /// `memfd mmio/user-read cpus=1 mem_mib=64`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.arm(), self.workload)?;
        write_params(f, &self.params, " ")
    }
}

/// An arm in a record: a strategy in one of its modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArmId<'a> {
    /// A name from the strategy registry.
    pub strategy: &'a str,
    /// The strategy's own parameters where they are not its defaults.
    pub mode: &'a Params,
}

impl ArmId<'_> {
    /// Whether it is [`BASELINE`] with its defaults.
    pub fn is_baseline(self) -> bool {
        self.strategy == BASELINE && self.mode.is_empty()
    }
}

impl fmt::Display for ArmId<'_> {
    /// `guest-memfd-reinsert flush=none`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.strategy)?;
        write_params(f, self.mode, " ")
    }
}

/// A cell without its strategy: the set of arms that are compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Group {
    /// The machine.
    pub testbed: Testbed,
    /// The workload id.
    pub workload: String,
    /// The parameters.
    #[serde(deserialize_with = "params")]
    pub params: Params,
}

impl fmt::Display for Group {
    /// `mmio/user-read cpus=1 mem_mib=64`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.workload)?;
        write_params(f, &self.params, " ")
    }
}

fn write_params(f: &mut fmt::Formatter<'_>, params: &Params, before: &str) -> fmt::Result {
    for (name, value) in params {
        write!(f, "{before}{name}={value}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell() -> Cell {
        Cell {
            testbed: Testbed::Lab,
            strategy: "memfd".into(),
            workload: "mmio/user-read".into(),
            params: [
                ("mem_mib", ParamValue::Int(64)),
                ("flush", ParamValue::Text("off".into())),
            ]
            .map(|(k, v)| (k.to_string(), v))
            .into(),
            mode: Params::new(),
        }
    }

    #[test]
    fn parameters_of_older_records_have_their_names_of_now() {
        let read = |params: &str| {
            let cell = r#"{"testbed":"lab","strategy":"memfd","workload":"tlb/chase","params":"#;
            serde_json::from_str::<Cell>(&format!("{cell}{params}}}"))
        };
        let old = read(r#"{"apart":"page","places":16}"#).unwrap();
        assert_eq!(old, read(r#"{"spacing":"page","places":16}"#).unwrap());
        assert!(old.params.contains_key("spacing"));
        let twice = read(r#"{"by":"a","method":"b"}"#).unwrap_err();
        assert!(twice.to_string().contains("under two names"), "{twice}");
    }

    #[test]
    fn serialises_as_the_contract_says() {
        let json = serde_json::to_string(&cell()).unwrap();
        assert_eq!(
            json,
            r#"{"testbed":"lab","strategy":"memfd","workload":"mmio/user-read","params":{"flush":"off","mem_mib":64}}"#
        );
        assert_eq!(serde_json::from_str::<Cell>(&json).unwrap(), cell());
    }

    #[test]
    fn an_arm_is_a_strategy_in_a_mode() {
        let mut arm = cell();
        assert!(arm.is_baseline());
        arm.mode = [("access", "held"), ("flush", "none")]
            .map(|(k, v)| (k.to_string(), ParamValue::Text(v.into())))
            .into();
        assert_eq!(arm.arm(), "memfd access=held flush=none");
        assert!(!arm.is_baseline());
        assert_eq!(arm.group(), cell().group());
    }

    #[test]
    fn has_a_family_and_a_group() {
        assert_eq!(cell().family(), "mmio");
        assert_eq!(
            cell().group().to_string(),
            "mmio/user-read flush=off mem_mib=64"
        );
        assert_eq!(cell().int("mem_mib"), Some(64));
        assert_eq!(cell().int("flush"), None);
    }
}
