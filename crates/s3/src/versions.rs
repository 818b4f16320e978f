//! What happens to the versions of a key when one is put or deleted.
//!
//! ```text
//!            put                                delete
//! never      replaces                           removes
//! enabled    stands in front of the others      puts a marker in front
//! suspended  replaces the version `null`        replaces the version `null` by a marker
//! ```

use crate::refusal::Refusal;
use crate::store::{Bucket, Changes, NULL_VERSION, Object, Versioning};

/// The id a new version of a bucket has, of which `drawn` is taken where versions have ids.
pub(crate) fn id_of_next(bucket: &Bucket, drawn: String) -> String {
    match bucket.versioning {
        Versioning::Enabled => drawn,
        Versioning::Never | Versioning::Suspended => NULL_VERSION.to_owned(),
    }
}

/// The id as answers say it: not at all in a bucket that never had versions.
pub(crate) fn told_id(bucket: &Bucket, version: &str) -> Option<String> {
    (bucket.versioning != Versioning::Never).then(|| version.to_owned())
}

/// Puts a version where the newest is.
pub(crate) fn put(tables: &mut Changes<'_>, bucket: &Bucket, key: &[u8], object: &Object) -> Result<(), Refusal> {
    if let Some(newest) = tables.newest(bucket.number, key)? {
        if object.version == NULL_VERSION && newest.version == NULL_VERSION {
            forget(tables, &newest)?;
        } else {
            if object.version == NULL_VERSION {
                let older = tables.older(bucket.number, key, None)?;
                if let Some(replaced) = older.iter().find(|older| older.version == NULL_VERSION) {
                    forget(tables, replaced)?;
                    tables.remove_older(bucket.number, key, replaced.sequence)?;
                }
            }
            tables.put_older(bucket.number, key, &newest)?;
        }
    }
    tables.count_to(object.sequence)?;
    tables.put_newest(bucket.number, key, object)
}

fn forget(tables: &mut Changes<'_>, object: &Object) -> Result<(), Refusal> {
    object.body.map_or(Ok(()), |body| tables.remove_body(body))
}

/// What a deletion did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Deleted {
    /// There was nothing.
    Nothing,
    /// A version is gone for good; whether it was a marker.
    Version { was_marker: bool },
    /// A marker stands in front, with this id.
    Marker(String),
}

/// Deletes a key without saying which version. `marker` is what stands in front then.
pub(crate) fn delete(
    tables: &mut Changes<'_>,
    bucket: &Bucket,
    key: &[u8],
    marker: &Object,
) -> Result<Deleted, Refusal> {
    if bucket.versioning != Versioning::Never {
        put(tables, bucket, key, marker)?;
        return Ok(Deleted::Marker(marker.version.clone()));
    }
    match tables.newest(bucket.number, key)? {
        None => Ok(Deleted::Nothing),
        Some(newest) => {
            forget(tables, &newest)?;
            tables.remove_newest(bucket.number, key)?;
            Ok(Deleted::Version { was_marker: false })
        }
    }
}

/// Deletes one version for good. The one behind it becomes the newest.
pub(crate) fn delete_version(
    tables: &mut Changes<'_>,
    bucket: &Bucket,
    key: &[u8],
    version: &str,
) -> Result<Deleted, Refusal> {
    let Some(newest) = tables.newest(bucket.number, key)? else { return Ok(Deleted::Nothing) };
    let older = tables.older(bucket.number, key, None)?;
    let gone = if newest.version == version {
        match older.first() {
            Some(next) => {
                tables.remove_older(bucket.number, key, next.sequence)?;
                tables.put_newest(bucket.number, key, next)?;
            }
            None => tables.remove_newest(bucket.number, key)?,
        }
        &newest
    } else {
        let Some(found) = older.iter().find(|object| object.version == version) else { return Ok(Deleted::Nothing) };
        tables.remove_older(bucket.number, key, found.sequence)?;
        found
    };
    forget(tables, gone)?;
    Ok(Deleted::Version { was_marker: gone.is_marker() })
}
