// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Debian's packages, by apt with a state of its own: the machine's mirrors and keys,
//! other suites, and nothing of the machine's own package lists is touched. Needs no
//! root.

use super::{
    Error,
    cache::{create_parent, remove},
    mirror::{self, Mirror},
    runner::{Runner, output_of},
    tools::on_path,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Where new kernels are, for each Debian that can use this mirror.
pub(super) const SUITE: &str = "trixie-backports";
/// The packages are called this and the version.
pub(super) const PACKAGE: &str = "linux-source-";

/// Who signs Debian, where an entry does not say it; the name changed once.
const KEYRINGS: [&str; 2] = [
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
];

/// A source package that the suite has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    /// `linux-source-7.3`
    pub(super) package: String,
    /// `7.3.4-1~bpo13+1`
    pub(super) version: String,
}

/// An apt with its state in `dir`.
pub(super) struct Apt {
    dir: PathBuf,
    mirrors: Vec<Mirror>,
    suites: &'static str,
    /// Which packages are installed, as far as it knows: a file as dpkg keeps it.
    installed: Option<PathBuf>,
}

impl Apt {
    /// Uses the mirrors that this machine's apt is configured with.
    pub(super) fn of_this_machine(dir: PathBuf, suites: &'static str) -> Result<Self, Error> {
        let mirrors = mirror::configured(Path::new("/etc/apt"));
        match on_path("apt-get") && on_path("dpkg-deb") && !mirrors.is_empty() {
            true => Ok(Apt {
                dir,
                mirrors,
                suites,
                installed: None,
            }),
            false => Err(Error::NoMirror),
        }
    }

    /// The same, for which what is installed by this file need not be fetched.
    pub(super) fn beside(self, installed: &Path) -> Self {
        Apt {
            installed: Some(installed.into()),
            ..self
        }
    }

    /// The kernel sources of the suite, newest first, on the first mirror that
    /// has the suite.
    pub(super) fn offers(
        &self,
        runner: &mut Runner,
        say: &mut dyn FnMut(&str),
    ) -> Result<Vec<Offer>, Error> {
        self.update(runner, say)?;
        self.listed()
    }

    /// Reads what the suites have, on the first mirror that has them.
    pub(super) fn update(
        &self,
        runner: &mut Runner,
        say: &mut dyn FnMut(&str),
    ) -> Result<(), Error> {
        let mut failure = Error::NoMirror;
        for mirror in &self.mirrors {
            self.set_up(mirror)?;
            say(&format!("asking {} for {}", mirror.uri, self.suites));
            match runner.run("apt-get update", self.program("apt-get").arg("update"), say) {
                Ok(()) => return Ok(()),
                // Perhaps a third party's archive that looks like Debian's.
                Err(e @ Error::Command { .. }) => failure = e,
                Err(e) => return Err(e),
            }
        }
        Err(failure)
    }

    /// Fetches an offer and leaves its tarball at `tarball`.
    pub(super) fn fetch(
        &self,
        offer: &Offer,
        tarball: &Path,
        runner: &mut Runner,
        say: &mut dyn FnMut(&str),
    ) -> Result<(), Error> {
        let scratch = self.dir.join("fetch");
        remove(&scratch)?;
        create_parent(&scratch.join("x"))?;
        let Offer { package, version } = offer;
        say(&format!("fetching {package} {version}, about 170 MB"));
        let mut download = self.program("apt-get");
        download
            .arg("download")
            .arg(format!("{package}={version}"))
            .current_dir(&scratch);
        runner.run("fetching", &mut download, say)?;

        let deb = only(&scratch, ".deb")?;
        let mut unpack = Command::new("dpkg-deb");
        unpack.arg("-x").arg(&deb).arg(&scratch);
        runner.run("unpacking the package", &mut unpack, say)?;
        let inside = only(&scratch.join("usr/src"), ".tar.xz")?;
        create_parent(tarball)?;
        fs::rename(&inside, tarball).map_err(Error::io("rename", &inside))?;
        remove(&scratch)
    }

    /// Fetches `package` of `suite` and all that it needs and is not installed; the
    /// files.
    pub(super) fn fetch_all(
        &self,
        package: &str,
        suite: &str,
        runner: &mut Runner,
        say: &mut dyn FnMut(&str),
    ) -> Result<Vec<PathBuf>, Error> {
        let archives = self.dir.join("cache/archives");
        remove(&archives)?;
        create_parent(&archives.join("partial/x"))?;
        let mut download = self.program("apt-get");
        download
            .args(["install", "--download-only", "--yes"])
            .args(["--no-install-recommends", "--target-release", suite])
            // Nothing of the machine's own is touched that a lock would guard.
            .args(["-o", "Debug::NoLocking=1"])
            .arg(package);
        runner.run("fetching", &mut download, say)?;
        let entries = fs::read_dir(&archives).map_err(Error::io("read", &archives))?;
        let mut files: Vec<_> = entries.flatten().map(|e| e.path()).collect();
        files.retain(|p| p.extension().is_some_and(|e| e == "deb"));
        files.sort();
        Ok(files)
    }

    fn set_up(&self, mirror: &Mirror) -> Result<(), Error> {
        let installed = match &self.installed {
            // No package is installed, as far as this apt knows.
            None => String::new(),
            Some(file) => fs::read_to_string(file).map_err(Error::io("read", file))?,
        };
        for name in ["state/lists/partial", "cache/archives/partial"] {
            let dir = self.dir.join(name);
            fs::create_dir_all(&dir).map_err(Error::io("create", &dir))?;
        }
        for (name, text) in [
            ("lab.sources", sources(mirror, self.suites)),
            ("apt.conf", configuration(&self.dir)),
            ("state/status", installed),
        ] {
            let path = self.dir.join(name);
            fs::write(&path, text).map_err(Error::io("write", &path))?;
        }
        Ok(())
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command
            .arg("-c")
            .arg(self.dir.join("apt.conf"))
            .env("LC_ALL", "C");
        command
    }

    fn listed(&self) -> Result<Vec<Offer>, Error> {
        let pattern = format!("^{PACKAGE}[0-9.]+$");
        let mut search = self.program("apt-cache");
        let names = output_of(search.args(["search", "--names-only", &pattern]))?;
        let names: Vec<_> = names.lines().filter_map(|l| l.split(' ').next()).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut madison = self.program("apt-cache");
        Ok(offers(&output_of(madison.arg("madison").args(names))?))
    }
}

/// The entry for suites on a mirror.
fn sources(mirror: &Mirror, suites: &str) -> String {
    let known = KEYRINGS.iter().find(|k| Path::new(k).is_file());
    let signed_by = match (&mirror.signed_by, known) {
        (Some(key), _) => format!("Signed-By: {key}\n"),
        (None, Some(keyring)) => format!("Signed-By: {keyring}\n"),
        // apt's own trusted keys then.
        (None, None) => String::new(),
    };
    format!(
        "Types: deb\nURIs: {}\nSuites: {suites}\nComponents: main\n\
         Architectures: amd64\nTargets: Packages\n{signed_by}",
        mirror.uri
    )
}

/// On top of the machine's configuration, which knows of proxies. Hooks are
/// the machine's own business, and the sandbox user could not write here.
fn configuration(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "#clear APT::Update::Pre-Invoke;\n\
         #clear APT::Update::Post-Invoke;\n\
         #clear APT::Update::Post-Invoke-Success;\n\
         Dir::State \"{dir}/state\";\n\
         Dir::State::status \"{dir}/state/status\";\n\
         Dir::Cache \"{dir}/cache\";\n\
         Dir::Etc::sourcelist \"{dir}/lab.sources\";\n\
         Dir::Etc::sourceparts \"-\";\n\
         Dir::Etc::preferences \"/dev/null\";\n\
         Dir::Etc::preferencesparts \"/dev/null\";\n\
         APT::Sandbox::User \"root\";\n\
         APT::Update::Error-Mode \"any\";\n\
         Acquire::Languages \"none\";\n\
         Acquire::Retries \"3\";\n"
    )
}

/// Out of `apt-cache madison`: the newest version of each package, the newest
/// package first.
fn offers(madison: &str) -> Vec<Offer> {
    let mut offers: Vec<Offer> = Vec::new();
    for line in madison.lines() {
        let mut columns = line.split('|').map(str::trim);
        let (Some(package), Some(version)) = (columns.next(), columns.next()) else {
            continue;
        };
        // madison lists a package's newest version first.
        if package.starts_with(PACKAGE) && offers.iter().all(|o| o.package != package) {
            offers.push(Offer {
                package: package.into(),
                version: version.into(),
            });
        }
    }
    offers.sort_by_key(|o| std::cmp::Reverse(numbers(&o.package[PACKAGE.len()..])));
    offers
}

/// A version's numbers, for comparison: 7.10 is newer than 7.9.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').filter_map(|n| n.parse().ok()).collect()
}

/// The file in `dir` whose name ends with `end`.
fn only(dir: &Path, end: &str) -> Result<PathBuf, Error> {
    let entries = fs::read_dir(dir).map_err(Error::io("read", dir))?;
    let mut paths = entries.flatten().map(|e| e.path());
    let found = paths.find(|p| p.to_string_lossy().ends_with(end));
    found.ok_or_else(|| {
        let cause = std::io::Error::other(format!("no *{end} in it"));
        Error::io("find the kernel source in", dir)(cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_the_newest_of_each_newest_first() {
        let offer = |package: &str, version: &str| Offer {
            package: package.into(),
            version: version.into(),
        };
        let madison = "linux-source-7.9 | 7.9.2-1 | http://m trixie-backports/main amd64 Packages\n\
                       linux-source-7.9 | 7.9.1-1 | http://m trixie-backports/main amd64 Packages\n \
                       linux-source-7.10 | 7.10.1-1~bpo13+1 | http://m\nnonsense\n";
        let expected = [
            offer("linux-source-7.10", "7.10.1-1~bpo13+1"),
            offer("linux-source-7.9", "7.9.2-1"),
        ];
        assert_eq!(offers(madison), expected);
        assert_eq!(offers(""), []);
    }

    #[test]
    fn the_entry_keeps_the_mirror_and_its_key() {
        let mirror = Mirror {
            uri: "http://m.example/debian".into(),
            signed_by: Some("/k.gpg".into()),
        };
        let text = sources(&mirror, SUITE);
        assert!(text.contains("URIs: http://m.example/debian\nSuites: trixie-backports\n"));
        assert!(text.ends_with("Signed-By: /k.gpg\n"), "{text}");
    }
}
