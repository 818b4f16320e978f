//! Listings of keys: in the order of their bytes, keys below a delimiter as one, a page at a time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::dto::*;

use crate::asker::Asker;
use crate::convert::{checksum_type, etag, owner, time};
use crate::core::Core;
use crate::percent;
use crate::refusal::Refusal;
use crate::store::{self, View, behind};

/// Keys of one page at most.
const KEYS_MAX: i32 = 1000;

/// What a listing is of.
struct Asked<'a> {
    bucket: u64,
    prefix: &'a str,
    delimiter: Option<&'a str>,
    most: usize,
}

impl Asked<'_> {
    /// The common prefix a key is below.
    fn common<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter?;
        let at = key.get(self.prefix.len()..)?.find(delimiter)?;
        Some(&key[..self.prefix.len() + at + delimiter.len()])
    }

    /// The first key behind this one. A common prefix stands for all keys below it.
    fn behind(&self, after: &str) -> Option<Vec<u8>> {
        let ends_common = after.starts_with(self.prefix) && self.common(after) == Some(after);
        match ends_common {
            true => behind(after.as_bytes()),
            false => Some([after.as_bytes(), b"\0"].concat()),
        }
    }

    /// Where a listing begins that goes on after this.
    fn first(&self, after: Option<&str>) -> Option<Vec<u8>> {
        let begins = self.prefix.as_bytes().to_vec();
        match after {
            None | Some("") => Some(begins),
            Some(after) => Some(self.behind(after)?.max(begins)),
        }
    }
}

/// One page of a listing.
#[derive(Default)]
struct Page {
    objects: Vec<(String, store::Object)>,
    prefixes: Vec<String>,
    truncated: bool,
    /// The last key or common prefix of the page.
    last: Option<String>,
}

fn page(view: &View, asked: &Asked<'_>, after: Option<&str>) -> Result<Page, Refusal> {
    let mut page = Page::default();
    let mut first = asked.first(after);
    if asked.most == 0 {
        return Ok(page);
    }
    while let Some(from) = first.take() {
        view.objects_from(asked.bucket, &from, |key, object| {
            let key = std::str::from_utf8(key).map_err(Refusal::broken)?;
            if !key.starts_with(asked.prefix) {
                return Ok(false);
            }
            if object.is_marker() {
                return Ok(true);
            }
            if page.objects.len() + page.prefixes.len() == asked.most {
                page.truncated = true;
                return Ok(false);
            }
            match asked.common(key) {
                None => {
                    page.last = Some(key.to_owned());
                    page.objects.push((key.to_owned(), object));
                    Ok(true)
                }
                // All keys below it are passed over at once.
                Some(common) => {
                    page.last = Some(common.to_owned());
                    page.prefixes.push(common.to_owned());
                    first = behind(common.as_bytes());
                    Ok(false)
                }
            }
        })?;
    }
    Ok(page)
}

pub(super) fn most(asked: Option<i32>, name: &str) -> Result<(i32, usize), Refusal> {
    let most = asked.unwrap_or(KEYS_MAX);
    if most < 0 {
        return Err(Refusal::argument(
            name,
            most,
            format!("Argument {name} must be an integer between 0 and 2147483647"),
        ));
    }
    // AWS says the number it kept to.
    let most = most.min(KEYS_MAX);
    Ok((most, usize::try_from(most).unwrap_or(0)))
}

/// What a client gets to go on behind a key.
pub(super) fn token(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

pub(super) fn read_token(token: &str) -> Result<String, Refusal> {
    let key = URL_SAFE_NO_PAD.decode(token).ok().and_then(|key| String::from_utf8(key).ok());
    key.filter(|key| !key.is_empty())
        .ok_or_else(|| Refusal::argument("continuation-token", token, "The continuation token provided is incorrect"))
}

/// Writes keys as the client wishes.
struct Spelling(bool);

impl Spelling {
    fn of(encoding: Option<&EncodingType>) -> Result<Spelling, Refusal> {
        match encoding.map(|encoding| encoding.as_str()) {
            None | Some("") => Ok(Spelling(false)),
            Some(EncodingType::URL) => Ok(Spelling(true)),
            Some(other) => {
                Err(Refusal::argument("encoding-type", other, "Invalid Encoding Method specified in Request"))
            }
        }
    }

    fn of_key(&self, key: &str) -> String {
        if self.0 { percent::encoded(key) } else { key.to_owned() }
    }

    fn of_optional(&self, key: Option<&str>) -> Option<String> {
        key.filter(|key| !key.is_empty()).map(|key| self.of_key(key))
    }

    fn prefixes(&self, prefixes: &[String]) -> Option<Vec<CommonPrefix>> {
        let spelled = prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.of_key(prefix)) });
        (!prefixes.is_empty()).then(|| spelled.collect())
    }

    fn told(&self) -> Option<EncodingType> {
        self.0.then(|| EncodingType::from_static(EncodingType::URL))
    }
}

fn contents(spelling: &Spelling, objects: &[(String, store::Object)], account: Option<&str>) -> Option<Vec<Object>> {
    let told = objects.iter().map(|(key, object)| {
        let class = object.said.storage_class.clone().unwrap_or_else(|| ObjectStorageClass::STANDARD.to_owned());
        Object {
            key: Some(spelling.of_key(key)),
            last_modified: Some(time(object.modified)),
            e_tag: Some(etag(object)),
            size: i64::try_from(object.size).ok(),
            storage_class: Some(ObjectStorageClass::from(class)),
            owner: account.map(owner),
            checksum_algorithm: object
                .checksum
                .as_ref()
                .map(|checksum| vec![ChecksumAlgorithm::from_static(checksum.algorithm.name())]),
            checksum_type: object.checksum.as_ref().map(|checksum| checksum_type(checksum.composite)),
            restore_status: None,
        }
    });
    (!objects.is_empty()).then(|| told.collect())
}

pub(super) async fn objects(
    core: &Core,
    _asker: &Asker,
    input: ListObjectsInput,
) -> Result<ListObjectsOutput, Refusal> {
    let spelling = Spelling::of(input.encoding_type.as_ref())?;
    let (told_most, most) = most(input.max_keys, "max-keys")?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let (bucket, page) = core.store.view(|view| {
        let bucket = view.bucket(&input.bucket)?;
        let asked = Asked { bucket: bucket.number, prefix: &prefix, delimiter: delimiter.as_deref(), most };
        let page = page(view, &asked, input.marker.as_deref())?;
        Ok((bucket, page))
    })?;
    // Without a delimiter a client goes on behind the last key it got.
    let next = page.last.as_deref().filter(|_| page.truncated && delimiter.is_some());
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(spelling.of_key(&prefix)),
        marker: Some(spelling.of_key(&input.marker.unwrap_or_default())),
        max_keys: Some(told_most),
        is_truncated: Some(page.truncated),
        contents: contents(&spelling, &page.objects, Some(&bucket.account)),
        common_prefixes: spelling.prefixes(&page.prefixes),
        delimiter: spelling.of_optional(delimiter.as_deref()),
        next_marker: spelling.of_optional(next),
        encoding_type: spelling.told(),
        request_charged: None,
    })
}

pub(super) async fn objects_v2(
    core: &Core,
    _asker: &Asker,
    input: ListObjectsV2Input,
) -> Result<ListObjectsV2Output, Refusal> {
    let spelling = Spelling::of(input.encoding_type.as_ref())?;
    let (told_most, most) = most(input.max_keys, "max-keys")?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let from_token = input.continuation_token.as_deref().map(read_token).transpose()?;
    let after = from_token.as_deref().or(input.start_after.as_deref());
    let (bucket, page) = core.store.view(|view| {
        let bucket = view.bucket(&input.bucket)?;
        let asked = Asked { bucket: bucket.number, prefix: &prefix, delimiter: delimiter.as_deref(), most };
        let page = page(view, &asked, after)?;
        Ok((bucket, page))
    })?;
    let owner = Some(bucket.account.as_str()).filter(|_| input.fetch_owner == Some(true));
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(spelling.of_key(&prefix)),
        max_keys: Some(told_most),
        key_count: i32::try_from(page.objects.len() + page.prefixes.len()).ok(),
        next_continuation_token: page.last.as_deref().filter(|_| page.truncated).map(token),
        continuation_token: input.continuation_token,
        is_truncated: Some(page.truncated),
        contents: contents(&spelling, &page.objects, owner),
        common_prefixes: spelling.prefixes(&page.prefixes),
        delimiter: spelling.of_optional(delimiter.as_deref()),
        encoding_type: spelling.told(),
        start_after: spelling.of_optional(input.start_after.as_deref()),
        request_charged: None,
    })
}

/// One version of a listing.
struct Listed {
    key: String,
    object: store::Object,
    latest: bool,
}

/// One page of a listing of versions.
#[derive(Default)]
struct VersionsPage {
    listed: Vec<Listed>,
    prefixes: Vec<String>,
    truncated: bool,
    /// The last key or common prefix, and its version where it is a key.
    last: Option<(String, Option<String>)>,
}

impl VersionsPage {
    fn is_full(&self, asked: &Asked<'_>) -> bool {
        self.listed.len() + self.prefixes.len() == asked.most
    }

    /// Takes versions of a key until the page is full.
    fn take(&mut self, asked: &Asked<'_>, key: &str, versions: Vec<store::Object>, first_is_latest: bool) -> bool {
        for (at, object) in versions.into_iter().enumerate() {
            if self.is_full(asked) {
                self.truncated = true;
                return false;
            }
            self.last = Some((key.to_owned(), Some(object.version.clone())));
            self.listed.push(Listed { key: key.to_owned(), object, latest: first_is_latest && at == 0 });
        }
        true
    }
}

fn versions_page(
    view: &View,
    asked: &Asked<'_>,
    key_marker: Option<&str>,
    version_marker: Option<&str>,
) -> Result<VersionsPage, Refusal> {
    let mut page = VersionsPage::default();
    if asked.most == 0 {
        return Ok(page);
    }
    if let (Some(key), Some(version)) = (key_marker, version_marker) {
        // Goes on within the versions of this key.
        let at = view.version(asked.bucket, key.as_bytes(), version)?;
        let at = at.ok_or_else(|| Refusal::argument("version-id-marker", version, "Invalid version id specified"))?;
        let rest = view.older(asked.bucket, key.as_bytes(), Some(at.sequence))?;
        if !page.take(asked, key, rest, false) {
            return Ok(page);
        }
    }
    let mut first = asked.first(key_marker);
    while let Some(from) = first.take() {
        view.objects_from(asked.bucket, &from, |key, newest| {
            let key = std::str::from_utf8(key).map_err(Refusal::broken)?;
            if !key.starts_with(asked.prefix) {
                return Ok(false);
            }
            if page.is_full(asked) {
                page.truncated = true;
                return Ok(false);
            }
            if let Some(common) = asked.common(key) {
                page.last = Some((common.to_owned(), None));
                page.prefixes.push(common.to_owned());
                first = behind(common.as_bytes());
                return Ok(false);
            }
            let mut versions = vec![newest];
            versions.extend(view.older(asked.bucket, key.as_bytes(), None)?);
            Ok(page.take(asked, key, versions, true))
        })?;
    }
    Ok(page)
}

pub(super) async fn versions(
    core: &Core,
    _asker: &Asker,
    input: ListObjectVersionsInput,
) -> Result<ListObjectVersionsOutput, Refusal> {
    let spelling = Spelling::of(input.encoding_type.as_ref())?;
    let (told_most, most) = most(input.max_keys, "max-keys")?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let key_marker = input.key_marker.filter(|marker| !marker.is_empty());
    let version_marker = input.version_id_marker.filter(|marker| !marker.is_empty());
    if version_marker.is_some() && key_marker.is_none() {
        let sentence = "A version-id marker cannot be specified without a key marker.";
        return Err(Refusal::argument("version-id-marker", version_marker.unwrap_or_default(), sentence));
    }
    let (bucket, page) = core.store.view(|view| {
        let bucket = view.bucket(&input.bucket)?;
        let asked = Asked { bucket: bucket.number, prefix: &prefix, delimiter: delimiter.as_deref(), most };
        let page = versions_page(view, &asked, key_marker.as_deref(), version_marker.as_deref())?;
        Ok((bucket, page))
    })?;
    let (mut versions, mut markers) = (Vec::new(), Vec::new());
    for Listed { key, object, latest } in &page.listed {
        let (key, version_id) = (Some(spelling.of_key(key)), Some(object.version.clone()));
        let (last_modified, owner) = (Some(time(object.modified)), Some(owner(&bucket.account)));
        if object.is_marker() {
            markers.push(DeleteMarkerEntry { is_latest: Some(*latest), key, last_modified, owner, version_id });
            continue;
        }
        let class = object.said.storage_class.clone().unwrap_or_else(|| ObjectVersionStorageClass::STANDARD.to_owned());
        versions.push(ObjectVersion {
            checksum_algorithm: object
                .checksum
                .as_ref()
                .map(|checksum| vec![ChecksumAlgorithm::from_static(checksum.algorithm.name())]),
            checksum_type: object.checksum.as_ref().map(|checksum| checksum_type(checksum.composite)),
            e_tag: Some(etag(object)),
            is_latest: Some(*latest),
            key,
            last_modified,
            owner,
            restore_status: None,
            size: i64::try_from(object.size).ok(),
            storage_class: Some(ObjectVersionStorageClass::from(class)),
            version_id,
        });
    }
    let next = page.last.filter(|_| page.truncated);
    Ok(ListObjectVersionsOutput {
        common_prefixes: spelling.prefixes(&page.prefixes),
        delete_markers: Some(markers).filter(|markers| !markers.is_empty()),
        delimiter: spelling.of_optional(delimiter.as_deref()),
        encoding_type: spelling.told(),
        is_truncated: Some(page.truncated),
        key_marker: Some(spelling.of_key(&key_marker.unwrap_or_default())),
        max_keys: Some(told_most),
        name: Some(input.bucket),
        next_key_marker: next.as_ref().map(|(key, _)| spelling.of_key(key)),
        next_version_id_marker: next.and_then(|(_, version)| version),
        prefix: Some(spelling.of_key(&prefix)),
        request_charged: None,
        version_id_marker: Some(version_marker.unwrap_or_default()),
        versions: Some(versions).filter(|versions| !versions.is_empty()),
    })
}
