// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Calibrations on disk. One is kept in a directory of its own, with the runs that
//! it was made of, beside the machine's other runs.

use super::{Error, io_error, reader, writer};
use crate::calibrate::{Calibration, SCHEMA};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The file's name.
pub const CALIBRATION: &str = "calibration.json";

/// Writes `calibration.json` into the directory `dir`, which exists, and where there
/// is none yet.
///
/// # Errors
/// [`Error::Exists`], [`Error::Io`].
pub fn write(dir: &Path, calibration: &Calibration) -> Result<PathBuf, Error> {
    let path = dir.join(CALIBRATION);
    if path.symlink_metadata().is_ok() {
        return Err(Error::Exists(path));
    }
    writer::replace(&path, calibration)?;
    Ok(path)
}

/// Every calibration in the directories beside the runs in `dirs`, and where it is,
/// the latest first.
///
/// # Errors
/// [`Error::Malformed`] or [`Error::Schema`] if one is there and not in order,
/// [`Error::Io`] if a directory cannot be listed.
pub fn beside(dirs: &[&Path]) -> Result<Vec<(PathBuf, Calibration)>, Error> {
    let mut places: Vec<PathBuf> = Vec::new();
    for dir in dirs {
        let dir = fs::canonicalize(dir).map_err(io_error("read", *dir))?;
        if let Some(parent) = dir.parent() {
            places.push(parent.to_path_buf());
        }
    }
    places.sort();
    places.dedup();
    let mut found = Vec::new();
    for place in places {
        let entries = fs::read_dir(&place).map_err(io_error("read", &place))?;
        for entry in entries {
            let dir = entry.map_err(io_error("read", &place))?.path();
            if dir.join(CALIBRATION).is_file() {
                let calibration: Calibration = reader::document(&dir, CALIBRATION)?;
                if calibration.schema != SCHEMA {
                    return Err(Error::Schema {
                        path: dir.join(CALIBRATION),
                        found: calibration.schema.into(),
                    });
                }
                found.push((dir, calibration));
            }
        }
    }
    found.sort_by_key(|(dir, c)| (std::cmp::Reverse(c.started_unix), dir.clone()));
    Ok(found)
}
