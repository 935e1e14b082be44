// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The whole way from options to a finished kernel, resumable at each step.

use super::{
    Error, Kernel, Options, Series, Variant,
    cache::{Built, Cache, Manifest, remove},
    choice, compile, key, patches,
    runner::{Runner, elapsed},
    source::{self, Source},
    tools::{self, Tool},
};
use std::{fs, path::Path, thread, time::Instant};

/// What an unpacked source, its objects and the results take at most (about
/// 2.3 GB were seen).
const ROOM: u64 = 3_000_000_000;

/// Builds kernels: where, from which series, with what.
pub(super) struct Builder {
    pub(super) cache: Cache,
    pub(super) series: &'static [Series],
    pub(super) tools: &'static [Tool],
    pub(super) room: u64,
}

/// What is asked for, with the series that serves it.
struct Request<'a> {
    version: &'a str,
    series: Option<&'static Series>,
    patches: &'static [(&'static str, &'static [u8])],
    hash: String,
    fragments: String,
    debug: bool,
}

impl Builder {
    pub(super) fn of_this_machine(series: &'static [Series]) -> Result<Self, Error> {
        Ok(Builder {
            cache: Cache::of_this_user()?,
            series,
            tools: tools::KERNEL,
            room: ROOM,
        })
    }

    pub(super) fn cached(&self, options: &Options) -> Result<Option<Kernel>, Error> {
        let request = self.request(options)?;
        let source = match &options.source {
            Some(path) => Some(source::given(path)?),
            None => choice::made(&self.cache, request.version, request.series),
        };
        match (source, tools::compiler()) {
            (Some(source), Some(gcc)) => self.cache.load(&request.key(&source, &gcc)),
            _ => Ok(None),
        }
    }

    pub(super) fn build(
        &self,
        options: &Options,
        say: &mut dyn FnMut(&str),
    ) -> Result<Kernel, Error> {
        if let Some(kernel) = self.cached(options)? {
            return Ok(kernel);
        }
        let request = self.request(options)?;
        self.prepare(say)?;
        let source = match &options.source {
            Some(path) => source::given(path)?,
            None => choice::make(&self.cache, request.version, request.series, say)?,
        };
        let gcc = tools::compiler().unwrap_or_default();
        let key = request.key(&source, &gcc);
        let lock = self.cache.lock(&key, || {
            say(&format!(
                "another build of {key} is under way: waiting for it"
            ));
        })?;
        if let Some(kernel) = self.cache.load(&key)? {
            return Ok(kernel);
        }
        let work = self.cache.work(&key);
        let log = work.join("build.log");
        say(&format!(
            "building {key}; everything is logged in {}",
            log.display()
        ));
        let mut runner = Runner::new(log, &lock, self.cache.root())?;
        self.work(&request, &source, &key, &mut runner, say)?;
        // What is left is of no use; a failure to remove it, of no matter.
        let _ = remove(&work);
        self.cache.load(&key)?.ok_or_else(|| {
            let gone = std::io::Error::other("it has been removed meanwhile");
            Error::io("read the finished kernel of", Path::new(&key))(gone)
        })
    }

    /// Sees to the tools. Two at once would be in each other's way.
    fn prepare(&self, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
        let lock = self
            .cache
            .lock("tools", || say("waiting for another installation"))?;
        let log = self.cache.root().join("tools.log");
        let mut runner = Runner::new(log, &lock, self.cache.root())?;
        tools::ensure(self.tools, &mut runner, say)
    }

    /// Does what is still to be done in the work directory, and stores.
    fn work(
        &self,
        request: &Request<'_>,
        source: &Source,
        key: &str,
        runner: &mut Runner,
        say: &mut dyn FnMut(&str),
    ) -> Result<(), Error> {
        let begin = Instant::now();
        let work = self.cache.work(key);
        let tree = work.join("src");
        if step(&work, "patched", || {
            tools::ensure_room(self.cache.root(), self.room)?;
            // Half a source or half a series cannot be told from a whole one.
            remove(&tree)?;
            let version = source::unpack(&source.path, &tree, runner, say)?;
            if !request.patches.is_empty() {
                say(&format!(
                    "applying {} patches to Linux {version}",
                    request.patches.len()
                ));
            }
            let applied = patches::apply(request.patches, &tree, &version, &work.join("patches"));
            // The next attempt begins with a fresh copy anyway.
            applied.inspect_err(|_| drop(remove(&tree)))
        })? {
            say("going on with the build that was interrupted");
        }
        step(&work, "configured", || {
            say("configuring");
            let version = source::version(&tree)?;
            compile::configure(&tree, &request.fragments, &version, runner, say)
        })?;

        let jobs = thread::available_parallelism().map_or(1, usize::from);
        say(&format!(
            "compiling with {jobs} jobs; about 12 minutes of one CPU's time"
        ));
        let suffix = compile::suffix(&request.hash);
        let compiled = compile::compile(&tree, &suffix, jobs, runner, say)?;
        self.cache.store(
            key,
            &Built {
                bzimage: &compiled.bzimage,
                vmlinux: &compiled.vmlinux,
                config: &compiled.config,
                log: runner.log(),
                manifest: Manifest {
                    release: compiled.release.clone(),
                    series: request.hash.clone(),
                    source: source.path.clone(),
                },
            },
        )?;
        say(&format!(
            "built {} in {}",
            compiled.release,
            elapsed(begin.elapsed())
        ));
        Ok(())
    }

    fn request<'a>(&self, options: &'a Options) -> Result<Request<'a>, Error> {
        let newest = self.series.last();
        let known = || match self.series {
            [] => "none".into(),
            all => all.iter().map(|s| s.version).collect::<Vec<_>>().join(", "),
        };
        let no_series = |asked: &str| Error::NoSeries {
            asked: asked.into(),
            known: known(),
        };
        let version = match &options.version {
            Some(v) if !is_version(v) => return Err(Error::Version(v.clone())),
            Some(v) => v.as_str(),
            None => newest.ok_or_else(|| no_series("any version"))?.version,
        };
        let series = self.series.iter().find(|s| s.version == version);
        // A stock kernel of another version still needs a configuration.
        let configured = match options.variant {
            Variant::Series => series,
            Variant::Stock => series.or(newest),
        };
        let configured = configured.ok_or_else(|| no_series(version))?;
        let (patches, hash) = match options.variant {
            Variant::Series => (configured.patches, key::series(configured.patches)),
            Variant::Stock => (&[][..], "none".into()),
        };
        let mut fragments = configured.config.to_string();
        if options.debug {
            fragments.push('\n');
            fragments += configured.debug_config;
        }
        Ok(Request {
            version,
            series,
            patches,
            hash,
            fragments,
            debug: options.debug,
        })
    }
}

impl Request<'_> {
    fn key(&self, source: &Source, compiler: &str) -> String {
        let inputs = key::Inputs {
            version: self.version,
            source: &source.identity,
            series: &self.hash,
            config: &self.fragments,
            debug: self.debug,
            compiler,
        };
        inputs.key()
    }
}

/// Does `todo` unless its stamp says that it is done; whether it was.
fn step(work: &Path, name: &str, todo: impl FnOnce() -> Result<(), Error>) -> Result<bool, Error> {
    let stamp = work.join(format!("{name}.stamp"));
    if stamp.exists() {
        return Ok(true);
    }
    todo()?;
    fs::write(&stamp, "").map_err(Error::io("write", &stamp))?;
    Ok(false)
}

/// Digits and dots: it becomes part of a package's and of a directory's name.
fn is_version(text: &str) -> bool {
    let number = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
    text.split('.').count() >= 2 && text.split('.').all(number)
}
