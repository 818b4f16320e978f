//! What stands in the tables. Each record is JSON, so that a field can be added; a body is one byte that says which kind
//! it is, and the rest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// The version id of an object that was put while versioning was not on.
pub(crate) const NULL_VERSION: &str = "null";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Versioning {
    #[default]
    Never,
    Enabled,
    Suspended,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) number: u64,
    /// Whose it is.
    pub(crate) account: String,
    pub(crate) region: String,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    pub(crate) versioning: Versioning,
}

/// A checksum in base 64, without what says how many parts it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptChecksum {
    pub(crate) algorithm: crate::checksums::Algorithm,
    pub(crate) value: String,
    /// Of the checksums of the parts, and not of the bytes.
    pub(crate) composite: bool,
}

/// What a client says of an object when it puts it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    pub(crate) content_type: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    /// As an HTTP date.
    pub(crate) expires: Option<String>,
    pub(crate) website_redirect: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// `STANDARD` when there is none.
    pub(crate) storage_class: Option<String>,
    /// `AES256` when there is none.
    pub(crate) encryption: Option<String>,
    pub(crate) kms_key: Option<String>,
    pub(crate) bucket_key: Option<bool>,
    pub(crate) customer_algorithm: Option<String>,
    pub(crate) customer_key_md5: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
}

/// One version of one key: an object, or a delete marker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) version: String,
    /// Grows with each version of anything.
    pub(crate) sequence: u64,
    /// Milliseconds since 1970.
    pub(crate) modified: i64,
    pub(crate) size: u64,
    /// Without quotes.
    pub(crate) etag: String,
    /// None: a delete marker.
    pub(crate) body: Option<u64>,
    /// How many parts it was uploaded in; 0: in one request.
    pub(crate) parts: u16,
    pub(crate) checksum: Option<KeptChecksum>,
    pub(crate) said: Said,
}

impl Object {
    pub(crate) fn is_marker(&self) -> bool {
        self.body.is_none()
    }
}

/// A part of an object that was uploaded in parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    pub(crate) number: u16,
    pub(crate) body: u64,
    pub(crate) size: u64,
    pub(crate) checksum: Option<String>,
}

/// Where the bytes of a body are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// Here.
    Inside(Vec<u8>),
    /// On the shelf, under the body's own number.
    Shelved,
    /// In other bodies, one after another.
    Pieces(Vec<Piece>),
}

const INSIDE: u8 = 0;
const SHELVED: u8 = 1;
const PIECES: u8 = 2;

impl Body {
    pub(super) fn read(row: &[u8]) -> Result<Body, Refusal> {
        match row.split_first() {
            Some((&INSIDE, bytes)) => Ok(Body::Inside(bytes.to_vec())),
            Some((&SHELVED, [])) => Ok(Body::Shelved),
            Some((&PIECES, pieces)) => Ok(Body::Pieces(serde_json::from_slice(pieces).map_err(Refusal::broken)?)),
            _ => Err(Refusal::broken("a body of an unknown kind")),
        }
    }

    pub(super) fn written(&self) -> Result<Vec<u8>, Refusal> {
        let (kind, rest) = match self {
            Body::Inside(bytes) => (INSIDE, bytes.clone()),
            Body::Shelved => (SHELVED, Vec::new()),
            Body::Pieces(pieces) => (PIECES, serde_json::to_vec(pieces).map_err(Refusal::broken)?),
        };
        let mut row = Vec::with_capacity(rest.len() + 1);
        row.push(kind);
        row.extend(rest);
        Ok(row)
    }
}

/// An upload in parts that is neither completed nor aborted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) number: u64,
    pub(crate) initiated: i64,
    pub(crate) algorithm: Option<crate::checksums::Algorithm>,
    pub(crate) composite: bool,
    pub(crate) said: Said,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) body: u64,
    pub(crate) size: u64,
    pub(crate) modified: i64,
    /// Hexadecimal; its ETag.
    pub(crate) md5: String,
    pub(crate) checksum: Option<KeptChecksum>,
}
