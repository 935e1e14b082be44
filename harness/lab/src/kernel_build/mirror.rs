// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which Debian mirrors this machine uses already, out of apt's configuration:
//! one-line files (`*.list`) and deb822 ones (`*.sources`).
//!
//! The kernel's source comes from there, so that a machine behind a local
//! mirror needs nothing else; only the suite is another.

use std::{fs, path::Path};

/// The suites of Debian itself. A third party's archive has other suites, or
/// at least none of these with the component `main` and a kernel source in it.
const SUITES: &[&str] = &[
    "oldoldstable",
    "oldstable",
    "stable",
    "testing",
    "unstable",
    "sid",
    "buster",
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "duke",
];

/// One mirror of the Debian archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mirror {
    /// Where it is, with its scheme.
    pub(super) uri: String,
    /// `Signed-By` as it was written, lines of an embedded key and all.
    pub(super) signed_by: Option<String>,
}

/// The Debian mirrors configured in `etc` (apt's directory), each once.
pub(super) fn configured(etc: &Path) -> Vec<Mirror> {
    let mut files = vec![etc.join("sources.list")];
    let parts = fs::read_dir(etc.join("sources.list.d"))
        .into_iter()
        .flatten();
    let mut parts: Vec<_> = parts.flatten().map(|e| e.path()).collect();
    parts.sort();
    files.extend(parts);

    let mut mirrors = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        let found = match file.extension().and_then(|e| e.to_str()) {
            Some("sources") => deb822(&text),
            Some("list") => one_line(&text),
            _ => continue,
        };
        for mirror in found {
            if !mirrors.contains(&mirror) {
                mirrors.push(mirror);
            }
        }
    }
    mirrors
}

/// `deb [signed-by=/key arch=amd64] http://mirror/debian bookworm main`
fn one_line(text: &str) -> Vec<Mirror> {
    let mut mirrors = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some(rest) = line
            .strip_prefix("deb")
            .filter(|r| r.starts_with([' ', '\t']))
        else {
            continue;
        };
        let (options, rest) = match rest.trim_start().strip_prefix('[') {
            Some(rest) => rest.split_once(']').unwrap_or(("", "")),
            None => ("", rest),
        };
        let mut words = rest.split_whitespace();
        let (Some(uri), Some(suite)) = (words.next(), words.next()) else {
            continue;
        };
        let signed_by = options
            .split_whitespace()
            .find_map(|o| o.strip_prefix("signed-by="))
            .map(|keys| keys.replace(',', " "));
        if usable(uri) && is_debian(suite) && words.any(|w| w == "main") {
            mirrors.push(Mirror {
                uri: uri.into(),
                signed_by,
            });
        }
    }
    mirrors
}

/// Stanzas of `Field: value`, with continuation lines.
fn deb822(text: &str) -> Vec<Mirror> {
    let mut mirrors = Vec::new();
    let lines: Vec<_> = text.lines().filter(|l| !l.starts_with('#')).collect();
    for stanza in lines.split(|l| l.trim().is_empty()) {
        let fields = fields(stanza);
        let value = |name: &str| {
            let field = fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
            field.map(|(_, value)| value.as_str())
        };
        let has = |name, word: &dyn Fn(&str) -> bool| {
            value(name).is_some_and(|v| v.split_whitespace().any(word))
        };
        let off = has("Enabled", &|w| ["no", "false", "0"].contains(&w));
        if off
            || !has("Types", &|w| w == "deb")
            || !has("Suites", &is_debian)
            || !has("Components", &|w| w == "main")
        {
            continue;
        }
        for uri in value("URIs").unwrap_or_default().split_whitespace() {
            if usable(uri) {
                mirrors.push(Mirror {
                    uri: uri.into(),
                    signed_by: value("Signed-By").map(str::to_string),
                });
            }
        }
    }
    mirrors
}

fn fields(stanza: &[&str]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in stanza {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                *value += "\n";
                *value += line;
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().into(), value.trim().into()));
        }
    }
    fields
}

/// A suite of the main archive: the security archive has no backports.
fn is_debian(suite: &str) -> bool {
    let base = suite.strip_suffix("-updates").unwrap_or(suite);
    let base = base.strip_suffix("-backports").unwrap_or(base);
    SUITES.contains(&base)
}

/// A disc has only the suite that it was made for.
fn usable(uri: &str) -> bool {
    !uri.starts_with("cdrom:") && uri.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror(uri: &str, signed_by: Option<&str>) -> Mirror {
        Mirror {
            uri: uri.into(),
            signed_by: signed_by.map(Into::into),
        }
    }

    #[test]
    fn one_line_entries() {
        #[track_caller]
        fn check(text: &str, expected: &[Mirror]) {
            assert_eq!(one_line(text), expected, "{text}");
        }
        let plain = mirror("http://m.example/debian", None);
        check(
            "deb http://m.example/debian bookworm main",
            std::slice::from_ref(&plain),
        );
        check(
            "deb\thttp://m.example/debian  bookworm-updates contrib main # x",
            std::slice::from_ref(&plain),
        );
        check(
            "deb [arch=amd64] http://m.example/debian sid main",
            &[plain],
        );
        check(
            "deb [ signed-by=/a.gpg,/b.gpg arch=amd64 ] https://m.example/debian trixie main",
            &[mirror("https://m.example/debian", Some("/a.gpg /b.gpg"))],
        );
        check("# deb http://m.example/debian bookworm main", &[]);
        check("deb-src http://m.example/debian bookworm main", &[]);
        check(
            "deb http://m.example/debian-security bookworm-security main",
            &[],
        );
        check("deb http://third.example nodistro main", &[]);
        check("deb http://third.example bookworm-pgdg main", &[]);
        check("deb http://third.example bookworm stable", &[]);
        check("deb cdrom:[Debian]/ bookworm main", &[]);
        check("deb [", &[]);
        check("deb http://m.example/debian", &[]);
    }

    #[test]
    fn deb822_stanzas() {
        #[track_caller]
        fn check(text: &str, expected: &[Mirror]) {
            assert_eq!(deb822(text), expected, "{text}");
        }
        check(
            "Types: deb deb-src\n# a comment\nURIs: http://m.example/debian http://n.example/debian\n\
             Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: /k.gpg\n\n\
             Types: deb\nURIs: http://m.example/debian-security\nSuites: bookworm-security\n\
             Components: main\n",
            &[
                mirror("http://m.example/debian", Some("/k.gpg")),
                mirror("http://n.example/debian", Some("/k.gpg")),
            ],
        );
        check(
            "types: deb\nuris: mirror+file:/etc/m.list\nsuites: trixie\ncomponents: main\n\
             signed-by:\n -----BEGIN\n .\n -----END\n",
            &[mirror(
                "mirror+file:/etc/m.list",
                Some("\n -----BEGIN\n .\n -----END"),
            )],
        );
        let off = "Enabled: no\nTypes: deb\nURIs: http://m/debian\nSuites: sid\nComponents: main\n";
        check(off, &[]);
        check(
            &off.replace("no", "yes"),
            &[mirror("http://m/debian", None)],
        );
        check(&off.replace("no", "yes").replace("main", "contrib"), &[]);
        check("nonsense\n continued\n", &[]);
    }

    #[test]
    fn all_files_are_read_and_each_mirror_comes_once() {
        let etc = tempfile::tempdir().unwrap();
        assert_eq!(configured(etc.path()), []);
        fs::create_dir(etc.path().join("sources.list.d")).unwrap();
        let line = "deb http://m.example/debian sid main\n";
        for name in [
            "sources.list",
            "sources.list.d/b.list",
            "sources.list.d/c.list.disabled",
        ] {
            fs::write(etc.path().join(name), line).unwrap();
        }
        let stanza = "Types: deb\nURIs: http://n.example/debian\nSuites: sid\nComponents: main\n";
        fs::write(etc.path().join("sources.list.d/a.sources"), stanza).unwrap();
        let expected = [
            mirror("http://m.example/debian", None),
            mirror("http://n.example/debian", None),
        ];
        assert_eq!(configured(etc.path()), expected);
    }
}
