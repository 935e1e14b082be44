// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Parameters of strategies. Each value has its name and its meaning here, once.

use results::cell::{ParamValue, Params};
use std::collections::BTreeMap;

/// A parameter of a strategy: an ablation of it, never another strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name in records.
    pub name: &'static str,
    /// What it sets, for a person.
    pub about: &'static str,
    /// Its values, the default first.
    pub values: &'static [Value],
}

/// A value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// The name in records.
    pub name: &'static str,
    /// What it means, for a person.
    pub about: &'static str,
}

impl Parameter {
    /// What it sets, and each value with its meaning, in one line.
    pub fn describe(&self) -> String {
        let values = self.values.iter();
        let values: Vec<_> = values
            .map(|v| format!("{} ({})", v.name, v.about))
            .collect();
        format!("{}: {}", self.about, values.join(", "))
    }
}

/// The type of a parameter's values.
pub(crate) trait Setting: Copy + 'static {
    /// The parameter.
    const PARAMETER: &'static Parameter;
    /// Its values, in the order of the parameter.
    const ALL: &'static [Self];
}

/// Defines a parameter and the type of its values.
macro_rules! setting {
    (
        $(#[$doc:meta])* $Type:ident, $name:literal, $about:literal,
        { $($Value:ident = $word:literal, $meaning:literal;)+ }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $Type { $(#[doc = $meaning] $Value),+ }

        impl $crate::parameter::Setting for $Type {
            const PARAMETER: &'static $crate::Parameter = &$crate::Parameter {
                name: $name,
                about: $about,
                values: &[$($crate::Value { name: $word, about: $meaning }),+],
            };
            const ALL: &'static [Self] = &[$($Type::$Value),+];
        }
    };
}
pub(crate) use setting;

/// Values of a strategy's parameters. Only an [`Arm`](crate::Arm) makes one, so that it
/// holds parameters and values that there are. A default is never listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mode(BTreeMap<&'static str, &'static str>);

impl Mode {
    /// The value of a parameter.
    pub(crate) fn get<S: Setting>(&self) -> S {
        let word = self.0.get(S::PARAMETER.name);
        let mut values = S::PARAMETER.values.iter().zip(S::ALL);
        let set = values.find(|(value, _)| word == Some(&value.name));
        set.map_or(S::ALL[0], |(_, setting)| *setting)
    }

    /// Whether every parameter has its default.
    pub fn is_default(&self) -> bool {
        self.0.is_empty()
    }

    /// As records have it.
    pub fn params(&self) -> Params {
        let word =
            |(name, value): (&&str, &&str)| (name.to_string(), ParamValue::Text(value.to_string()));
        self.0.iter().map(word).collect()
    }

    /// The mode that `params` name, of a strategy that has `parameters`.
    ///
    /// # Errors
    /// What is wrong, one line.
    pub(crate) fn parse(
        parameters: &[&'static Parameter],
        params: &Params,
    ) -> Result<Self, String> {
        let mut mode = Mode::default();
        for (name, value) in params {
            let parameter = parameters.iter().find(|p| p.name == name);
            let parameter = parameter.ok_or_else(|| format!("no parameter {name:?}"))?;
            let text = value.to_string();
            let position = parameter.values.iter().position(|v| v.name == text);
            match position {
                None => {
                    let names: Vec<_> = parameter.values.iter().map(|v| v.name).collect();
                    return Err(format!("{name} is {}, not {text:?}", names.join(" or ")));
                }
                Some(0) => {}
                Some(i) => drop(mode.0.insert(parameter.name, parameter.values[i].name)),
            }
        }
        Ok(mode)
    }

    /// Every combination of the values of `parameters`, the default mode first.
    pub(crate) fn all(parameters: &[&'static Parameter]) -> Vec<Self> {
        let mut modes = vec![Mode::default()];
        for parameter in parameters {
            let others = parameter.values.iter().skip(1);
            let with = |value: &Value| {
                let set = |mode: &Mode| {
                    let mut mode = mode.clone();
                    mode.0.insert(parameter.name, value.name);
                    mode
                };
                modes.iter().map(set).collect::<Vec<_>>()
            };
            let more: Vec<_> = others.flat_map(with).collect();
            modes.extend(more);
        }
        modes
    }
}
