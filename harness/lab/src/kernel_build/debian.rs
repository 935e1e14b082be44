// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Debian's packages, fetched by a script around apt: see `debian.sh`.

use super::{Error, cache::create_parent, runner::Runner};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What asks the mirrors.
const SCRIPT: &str = include_str!("debian.sh");

/// Where new kernels are, for each Debian that can use this mirror.
pub(super) const SUITE: &str = "trixie-backports";
/// The packages are called this and the version.
pub(super) const PACKAGE: &str = "linux-source-";

/// A source package that the suite has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    /// `linux-source-7.3`
    pub(super) package: String,
    /// `7.3.4-1~bpo13+1`
    pub(super) version: String,
}

/// An apt with its state in a directory of its own.
pub(super) struct Debian {
    etc: PathBuf,
    state: PathBuf,
    suites: &'static str,
}

impl Debian {
    /// Uses the mirrors that this machine's apt is configured with.
    pub(super) fn of_this_machine(state: PathBuf, suites: &'static str) -> Self {
        Debian {
            etc: "/etc/apt".into(),
            state,
            suites,
        }
    }

    /// The kernel sources of the suite, newest first.
    pub(super) fn offers(
        &self,
        runner: &mut Runner,
        say: &mut dyn FnMut(&str),
    ) -> Result<Vec<Offer>, Error> {
        let file = self.state.join("offers");
        let pattern = format!("^{PACKAGE}[0-9.]+$");
        let args = [Path::new("offers"), pattern.as_ref(), &file];
        say(&format!("asking Debian's mirrors for {}", self.suites));
        self.run("asking Debian's mirrors", &args, runner, say)?;
        let text = fs::read_to_string(&file).map_err(Error::io("read", &file))?;
        let pairs = text.lines().filter_map(|line| line.split_once(' '));
        let offers = pairs.map(|(package, version)| Offer {
            package: package.into(),
            version: version.into(),
        });
        Ok(offers.collect())
    }

    /// Fetches an offer and leaves its tarball at `tarball`.
    pub(super) fn fetch(
        &self,
        offer: &Offer,
        tarball: &Path,
        runner: &mut Runner,
        say: &mut dyn FnMut(&str),
    ) -> Result<(), Error> {
        let Offer { package, version } = offer;
        say(&format!("fetching {package} {version}, about 170 MB"));
        create_parent(tarball)?;
        let args = [Path::new("source"), package.as_ref(), version.as_ref()];
        let args = [&args[..], &[tarball]].concat();
        self.run("fetching", &args, runner, say)
    }

    /// Fetches `package` of `suite` and all that it needs and is not installed, and
    /// unpacks it in `dir`; the packages.
    pub(super) fn unpack(
        &self,
        package: &str,
        suite: &str,
        dir: &Path,
        runner: &mut Runner,
        say: &mut dyn FnMut(&str),
    ) -> Result<Vec<PathBuf>, Error> {
        let args = [Path::new("unpack"), suite.as_ref(), package.as_ref(), dir];
        self.run("fetching", &args, runner, say)?;
        let archives = self.state.join("cache/archives");
        let entries = fs::read_dir(&archives).map_err(Error::io("read", &archives))?;
        let mut files: Vec<_> = entries.flatten().map(|e| e.path()).collect();
        files.retain(|p| p.extension().is_some_and(|e| e == "deb"));
        files.sort();
        Ok(files)
    }

    fn run(
        &self,
        what: &str,
        args: &[&Path],
        runner: &mut Runner,
        say: &mut dyn FnMut(&str),
    ) -> Result<(), Error> {
        create_parent(&self.state.join("x"))?;
        let mut bash = Command::new("bash");
        bash.args(["-c", SCRIPT, "debian.sh"])
            .args([&self.etc, &self.state])
            .arg(self.suites)
            .args(args);
        runner.run(what, &mut bash, say)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    /// What became of asking mirrors that there are not.
    struct Asked {
        dir: tempfile::TempDir,
        offers: Result<Vec<Offer>, Error>,
    }

    impl Asked {
        /// With these files in apt's configuration.
        fn new(files: &[(&str, &str)]) -> Self {
            let dir = tempfile::tempdir().unwrap();
            for (name, text) in files {
                let path = dir.path().join("etc").join(name);
                create_parent(&path).unwrap();
                fs::write(path, text).unwrap();
            }
            let lock = File::create(dir.path().join("lock")).unwrap();
            let mut runner = Runner::new(dir.path().join("log"), &lock, dir.path()).unwrap();
            let debian = Debian {
                etc: dir.path().join("etc"),
                state: dir.path().join("state"),
                suites: "new-suite",
            };
            let offers = debian.offers(&mut runner, &mut |_| {});
            Asked { dir, offers }
        }

        /// The entries that apt was given.
        fn entries(&self, name: &str) -> Vec<String> {
            let path = self.dir.path().join("state/sources").join(name);
            let text = fs::read_to_string(path).unwrap_or_default();
            text.lines().map(str::to_string).collect()
        }
    }

    #[test]
    fn one_line_entries_of_debian_ask_for_the_suite() {
        #[track_caller]
        fn check(entry: &str, expected: Option<&str>) {
            let asked = Asked::new(&[("sources.list", entry)]);
            let expected: Vec<_> = expected.into_iter().collect();
            assert_eq!(asked.entries("lab.list"), expected, "{entry}");
        }
        let plain = "deb [ arch=amd64 target=Packages] file:/m.invalid/debian new-suite main";
        check("deb file:/m.invalid/debian bookworm main", Some(plain));
        check(
            "deb\tfile:/m.invalid/debian  bookworm-updates contrib main # x",
            Some(plain),
        );
        check(
            "deb [ signed-by=/a.gpg,/b.gpg] file:/m.invalid/debian trixie main",
            Some(
                "deb [ signed-by=/a.gpg,/b.gpg arch=amd64 target=Packages] file:/m.invalid/debian new-suite main",
            ),
        );
        for other in [
            "# deb file:/m.invalid/debian bookworm main",
            "deb-src file:/m.invalid/debian bookworm main",
            "deb file:/m.invalid/debian-security bookworm-security main",
            "deb file:/third.invalid nodistro main",
            "deb file:/third.invalid bookworm-pgdg main",
            "deb file:/third.invalid bookworm stable",
            "deb cdrom:[Debian]/ bookworm main",
            "deb [",
            "deb file:/m.invalid/debian",
        ] {
            check(other, None);
        }
    }

    #[test]
    fn stanzas_of_debian_ask_for_the_suite() {
        #[track_caller]
        fn check(stanza: &str, kept: &[&str]) {
            let asked = Asked::new(&[("sources.list.d/x.sources", stanza)]);
            let ours = [
                "Types: deb",
                "Suites: new-suite",
                "Components: main",
                "Architectures: amd64",
                "Targets: Packages",
                "",
            ];
            let expected = match kept {
                [] => Vec::new(),
                kept => [kept, &ours].concat(),
            };
            assert_eq!(asked.entries("lab.sources"), expected, "{stanza}");
        }
        let stanza = "Types: deb deb-src\n# a comment\nURIs: file:/m.invalid file:/n.invalid\n\
                      Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: /k.gpg\n";
        let kept = ["URIs: file:/m.invalid file:/n.invalid", "Signed-By: /k.gpg"];
        check(stanza, &kept);
        check(
            "types: deb\nuris: mirror+file:/m\nsuites:\n trixie\ncomponents: main\nsigned-by:\n BEGIN\n .\n",
            &["uris: mirror+file:/m", "signed-by:", " BEGIN", " ."],
        );
        check(&format!("Enabled: yes\n{stanza}"), &kept);
        check(&format!("Enabled: no\n{stanza}"), &[]);
        check(
            &stanza.replace(": bookworm bookworm-", ": bookworm-security x"),
            &[],
        );
        check(&stanza.replace("main", "contrib"), &[]);
        check(&stanza.replace("deb deb-src", "deb-src"), &[]);
        check("nonsense\n continued\n", &[]);
    }

    #[test]
    fn what_keeps_debian_from_answering_is_said() {
        let reason = |files: &[(&str, &str)]| Asked::new(files).offers.unwrap_err().to_string();
        let error = reason(&[]);
        assert!(
            error.contains("E: apt's configuration has no Debian mirror"),
            "{error}"
        );
    }

    /// A mirror in a directory, with two versions of one package and one of another.
    #[test]
    fn the_newest_of_each_package_is_offered_and_fetched() {
        if !["apt-get", "dpkg-deb"]
            .iter()
            .all(|p| super::super::tools::on_path(p))
        {
            eprintln!("skipped: this is no Debian");
            return;
        }
        let mirror = tempfile::tempdir().unwrap();
        let suite = mirror.path().join("dists/new-suite");
        let index = suite.join("main/binary-amd64/Packages");
        create_parent(&index).unwrap();
        let mut packages = String::new();
        for (name, version) in [
            ("linux-source-7.9", "7.9.1-1"),
            ("linux-source-7.10", "7.10.1-1~bpo13+1"),
            ("linux-source-7.9", "7.9.2-1"),
            ("linux-source", "9"),
        ] {
            let tree = mirror.path().join("tree");
            create_parent(&tree.join("DEBIAN/control")).unwrap();
            create_parent(&tree.join("usr/src/x")).unwrap();
            let control = format!(
                "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: x <x@x.invalid>\nDescription: x\n"
            );
            fs::write(tree.join("DEBIAN/control"), &control).unwrap();
            fs::write(tree.join("usr/src/linux.tar.xz"), version).unwrap();
            let deb = format!("{name}_{version}.deb");
            let path = mirror.path().join(&deb);
            let mut build = Command::new("dpkg-deb");
            build
                .args(["--build", "--root-owner-group"])
                .args([&tree, &path]);
            assert!(build.output().unwrap().status.success());
            let (size, hash) = (
                path.metadata().unwrap().len(),
                crate::sha256::file(&path).unwrap(),
            );
            packages += &format!("{control}Filename: {deb}\nSize: {size}\nSHA256: {hash}\n\n");
        }
        fs::write(&index, packages).unwrap();
        let (size, hash) = (
            index.metadata().unwrap().len(),
            crate::sha256::file(&index).unwrap(),
        );
        let release = format!(
            "Suite: new-suite\nArchitectures: amd64\nComponents: main\nDate: Sat, 28 Nov 2026 00:00:00 UTC\nSHA256:\n {hash} {size} main/binary-amd64/Packages\n"
        );
        fs::write(suite.join("Release"), release).unwrap();
        let entry = format!(
            "deb [trusted=yes] file:{} sid main",
            mirror.path().display()
        );
        let Asked { dir, offers } = Asked::new(&[("sources.list", &entry)]);
        let offers = offers.unwrap();
        let offer = |package: &str, version: &str| Offer {
            package: package.into(),
            version: version.into(),
        };
        let expected = [
            offer("linux-source-7.10", "7.10.1-1~bpo13+1"),
            offer("linux-source-7.9", "7.9.2-1"),
        ];
        assert_eq!(offers, expected);

        let debian = Debian {
            etc: dir.path().join("etc"),
            state: dir.path().join("state"),
            suites: "new-suite",
        };
        let lock = File::create(dir.path().join("lock")).unwrap();
        let mut runner = Runner::new(dir.path().join("log"), &lock, dir.path()).unwrap();
        let tarball = dir.path().join("source/x.tar.xz");
        debian
            .fetch(&offers[0], &tarball, &mut runner, &mut |_| {})
            .unwrap();
        assert_eq!(fs::read_to_string(tarball).unwrap(), "7.10.1-1~bpo13+1");
    }
}
