// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The whole flow on a kernel that is a Makefile: it builds in milliseconds.

use super::{builder::Builder, cache::Cache, tools::Tool, *};
use std::{
    fs,
    io::Write,
    path::Path,
    sync::{Mutex, mpsc},
    thread,
};

const PATCH: &[u8] =
    b"Subject: x\n\n--- a/mm/gup.c\n+++ b/mm/gup.c\n@@ -1 +1 @@\n-plain\n+patched\n";
const MISFIT: &[u8] =
    b"Subject: x\n\n--- a/mm/gup.c\n+++ b/mm/gup.c\n@@ -1 +1 @@\n-other\n+patched\n";
static SERIES: &[Series] = &[
    Series {
        version: "7.2",
        patches: &[("0001-misfit.patch", MISFIT)],
        config: "CONFIG_KVM=y\n",
        debug_config: "",
    },
    Series {
        version: "7.3",
        patches: &[("0001-fit.patch", PATCH)],
        config: "CONFIG_KVM=y\nCONFIG_TINY=n\n",
        debug_config: "CONFIG_DROPPED=y\n",
    },
];

/// Kconfig of this kernel drops CONFIG_DROPPED; `gate` runs before compiling.
fn makefile(gate: &str) -> String {
    format!(
        "VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\nEXTRAVERSION =\n\
         tinyconfig:\n\techo CONFIG_TINY=y > .config\n\
         olddefconfig:\n\tsed -i /CONFIG_DROPPED/d .config\n\
         bzImage vmlinux: done\n\
         done:\n\t{gate}\n\t@echo '  CC      mm/gup.o'\n\tmkdir -p arch/x86/boot\n\
         \tcat mm/gup.c .config > vmlinux\n\
         \techo $(KBUILD_BUILD_HOST) $(CFLAGS) > arch/x86/boot/bzImage\n\ttouch done\n\
         kernelrelease:\n\t@echo 7.3.4$(LOCALVERSION)\n"
    )
}

struct Fake {
    dir: tempfile::TempDir,
    builder: Builder,
}

impl Fake {
    /// `gate` may name the directory of the test as `DIR`.
    fn new(gate: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let src = dir.path().join("linux");
        fs::create_dir_all(src.join("mm")).unwrap();
        fs::write(src.join("mm/gup.c"), "plain\n").unwrap();
        let gate = gate.replace("DIR", &dir.path().display().to_string());
        fs::write(src.join("Makefile"), makefile(&gate)).unwrap();
        let builder = Builder {
            cache: Cache::at(&dir.path().join("cache")),
            series: SERIES,
            tools: &[
                Tool::Program("make", "make"),
                Tool::Program("patch", "patch"),
            ],
            room: 0,
        };
        Fake { dir, builder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn options(&self) -> Options {
        Options {
            source: Some(self.path("linux")),
            ..Options::default()
        }
    }

    /// Builds, and what was said.
    fn build(&self, options: &Options) -> (Result<Kernel, Error>, String) {
        let mut said = String::new();
        let built = self.builder.build(options, &mut |line| {
            said += line;
            said.push('\n');
        });
        (built, said)
    }

    #[track_caller]
    fn refusal(&self, options: &Options) -> String {
        self.build(options).0.unwrap_err().to_string()
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_kernel_is_built_once_and_found_again() {
    let fake = Fake::new("true");
    let options = fake.options();
    assert_eq!(fake.builder.cached(&options).unwrap(), None);

    let (kernel, said) = fake.build(&options);
    let kernel = kernel.unwrap();
    assert!(said.contains("applying 1 patches to Linux 7.3.4"), "{said}");
    assert_eq!(
        read(&kernel.vmlinux),
        "patched\nCONFIG_KVM=y\n# CONFIG_TINY is not set\n"
    );
    assert_eq!(
        read(&kernel.bzimage),
        "lab\n",
        "nothing of the environment is in it"
    );
    assert_eq!(
        read(&kernel.config),
        "CONFIG_KVM=y\n# CONFIG_TINY is not set\n"
    );
    assert_eq!(kernel.release, format!("7.3.4-lab.{}", kernel.series));
    assert!(kernel.bzimage.parent().unwrap().join("build.log").is_file());
    assert!(!fake.builder.cache.work(&kernel.key).exists());
    assert_eq!(
        read(&fake.path("linux/mm/gup.c")),
        "plain\n",
        "the source is not ours"
    );

    assert_eq!(
        fake.builder.cached(&options).unwrap().as_ref(),
        Some(&kernel)
    );
    let (again, said) = fake.build(&options);
    assert_eq!((again.unwrap(), said.as_str()), (kernel, ""));
}

#[test]
fn stock_is_another_kernel_without_patches() {
    let fake = Fake::new("true");
    let series = fake.build(&fake.options()).0.unwrap();
    let options = Options {
        variant: Variant::Stock,
        ..fake.options()
    };
    let stock = fake.build(&options).0.unwrap();
    assert!(read(&stock.vmlinux).starts_with("plain\n"));
    assert_eq!(
        (stock.series.as_str(), stock.release.as_str()),
        ("none", "7.3.4-lab.stock")
    );
    assert_ne!(stock.key, series.key);
}

#[test]
fn a_changed_source_is_another_kernel() {
    let fake = Fake::new("true");
    let before = fake.build(&fake.options()).0.unwrap();
    fs::write(fake.path("linux/new.c"), "x").unwrap();
    let after = fake.build(&fake.options()).0.unwrap();
    assert_ne!(before.key, after.key);
}

#[test]
fn a_tarball_is_its_content_wherever_it_is() {
    let fake = Fake::new("true");
    let mut tar = std::process::Command::new("tar");
    tar.arg("-C")
        .arg(fake.dir.path())
        .args(["-czf", "linux.tar.gz", "linux"]);
    assert!(tar.current_dir(fake.dir.path()).status().unwrap().success());
    fs::copy(fake.path("linux.tar.gz"), fake.path("copy.tar.gz")).unwrap();
    let options = |name| Options {
        source: Some(fake.path(name)),
        ..Options::default()
    };
    let kernel = fake.build(&options("linux.tar.gz")).0.unwrap();
    assert!(read(&kernel.vmlinux).starts_with("patched\n"));
    let copy = fake.builder.cached(&options("copy.tar.gz")).unwrap();
    assert_eq!(copy, Some(kernel));
}

#[test]
fn an_interrupted_build_goes_on() {
    let fake = Fake::new("@test -e DIR/allow || { echo 'fork.c:1: error: no'; exit 1; }");
    let error = fake.refusal(&fake.options());
    assert!(
        error.contains("make failed with exit status 2: fork.c:1: error: no"),
        "{error}"
    );
    assert_eq!(fake.builder.cached(&fake.options()).unwrap(), None);

    fs::write(fake.path("allow"), "").unwrap();
    let (kernel, said) = fake.build(&fake.options());
    kernel.unwrap();
    assert!(said.contains("going on"), "{said}");
    assert!(
        !said.contains("copying") && !said.contains("configuring"),
        "{said}"
    );
}

#[test]
fn the_second_of_two_builds_waits_and_finds_the_result() {
    let fake = Fake::new("@cat DIR/gate");
    let gate = fake.path("gate");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&gate)
            .status()
            .unwrap()
            .success()
    );
    let (compiles, compiling) = mpsc::channel();
    let heard = Mutex::new(String::new());
    let (first, second) = thread::scope(|scope| {
        let first = scope.spawn(|| {
            let mut compiles = Some(compiles);
            let mut say = |line: &str| {
                if line.starts_with("compiling") {
                    compiles.take().unwrap().send(()).unwrap();
                }
            };
            fake.builder.build(&fake.options(), &mut say).unwrap()
        });
        compiling.recv().unwrap();
        let second = fake.builder.build(&fake.options(), &mut |line| {
            heard.lock().unwrap().push_str(line);
            // Opening waits for the first build's make, writing ends it.
            fs::File::options()
                .write(true)
                .open(&gate)
                .unwrap()
                .write_all(b"go")
                .unwrap();
        });
        (first.join().unwrap(), second.unwrap())
    });
    assert_eq!(first, second);
    let heard = heard.into_inner().unwrap();
    assert!(heard.starts_with("another build of 7.3-series-"), "{heard}");
}

#[test]
fn what_goes_wrong_is_named() {
    let fake = Fake::new("dd if=/dev/zero of=/dev/full bs=1 count=1");
    let error = fake.build(&fake.options()).0.unwrap_err();
    assert!(matches!(error, Error::DiskFull { .. }), "{error}");

    let debug = fake.refusal(&Options {
        debug: true,
        ..fake.options()
    });
    assert!(debug.contains("CONFIG_DROPPED=y (is not set)"), "{debug}");

    let old = fake.refusal(&Options {
        version: Some("7.2".into()),
        ..fake.options()
    });
    for part in ["0001-misfit.patch", "Linux 7.3.4", "mm/gup.c: hunk #1"] {
        assert!(old.contains(part), "{old} lacks {part}");
    }
    let unknown = fake.refusal(&Options {
        version: Some("6.1".into()),
        ..fake.options()
    });
    assert!(unknown.contains("6.1 (there is: 7.2, 7.3)"), "{unknown}");
    for version in ["", "7", "../..", "7.", "v7.3", "7.3 x"] {
        let error = fake.refusal(&Options {
            version: Some(version.into()),
            ..fake.options()
        });
        assert!(error.contains("not a version"), "{version}: {error}");
    }
    let text = fake.path("linux/Makefile");
    let no_tar = fake.refusal(&Options {
        source: Some(text),
        ..fake.options()
    });
    assert!(
        no_tar.contains("Makefile: tar cannot unpack it"),
        "{no_tar}"
    );
}

#[test]
fn too_small_a_disk_is_said_before_anything_is_unpacked() {
    let mut fake = Fake::new("true");
    fake.builder.room = u64::MAX;
    let (built, said) = fake.build(&fake.options());
    assert!(matches!(built, Err(Error::DiskFull { .. })));
    assert!(!said.contains("copying"), "{said}");
}
