//! Objects put, read and deleted.

use s3s::dto::*;
use stepwell_spec::Timestamp as Now;

use crate::asker::Asker;
use crate::checksums::{Algorithm, Claim};
use crate::conditions::{Demands, check_write};
use crate::convert::{
    checksum_type, checksums, claim_of, encryption, etag, owner, said, set_checksum, time, told_checksum, unusual_class,
};
use crate::core::Core;
use crate::events::{self, Happened};
use crate::intake::{self, Source, check_md5, hex};
use crate::reading::{Reading, Whereabouts};
use crate::refusal::{self, Refusal};
use crate::store::{Body, Bucket, Changes, KeptChecksum, Object, Said, View};
use crate::versions::{self, Deleted, id_of_next, told_id};

/// Bytes of the names and values of an object's metadata.
const METADATA_MAX: usize = 2 * 1024;
const STORAGE_CLASSES: [&str; 9] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
    "OUTPOSTS",
];

/// Keys of one DeleteObjects.
const KEYS_MAX: usize = 1000;

/// What a client says of an object, held against what it may say.
pub(super) fn check_said(said: &Said) -> Result<(), Refusal> {
    let size: usize = said.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > METADATA_MAX {
        return Err(Refusal::of(refusal::METADATA_TOO_LARGE).with("Size", size).with("MaxSizeAllowed", METADATA_MAX));
    }
    if said.storage_class.as_deref().is_some_and(|class| !STORAGE_CLASSES.contains(&class)) {
        return Err(Refusal::of(refusal::INVALID_STORAGE_CLASS));
    }
    let kinds = ["AES256", "aws:kms", "aws:kms:dsse"];
    if let Some(kind) = said.encryption.as_deref().filter(|kind| !kinds.contains(kind)) {
        let sentence = "The encryption method specified is not supported";
        let refusal = Refusal::of(("InvalidEncryptionAlgorithmError", 400, sentence));
        return Err(refusal.with("ArgumentName", "x-amz-server-side-encryption").with("ArgumentValue", kind));
    }
    Ok(())
}

/// The algorithm of the checksum to make: what the client claims or announces, or AWS's own choice.
pub(super) fn algorithm(
    claim: Option<&Claim>,
    asker: &Asker,
    wished: Option<&ChecksumAlgorithm>,
) -> Result<Algorithm, Refusal> {
    match (claim, asker.announced, wished) {
        (Some(claim), _, _) => Ok(claim.algorithm),
        (None, Some(algorithm), _) => Ok(algorithm),
        (None, None, Some(wished)) => Algorithm::named(wished.as_str()),
        (None, None, None) => Ok(Algorithm::Crc64Nvme),
    }
}

pub(super) fn length(length: Option<i64>) -> Result<Option<u64>, Refusal> {
    length.map(u64::try_from).transpose().map_err(|_| Refusal::argument("Content-Length", "", "Invalid Content-Length"))
}

pub(super) async fn put(core: &Core, asker: &Asker, mut input: PutObjectInput) -> Result<PutObjectOutput, Refusal> {
    let bucket = core.store.view(|view| view.bucket(&input.bucket))?;
    let said = said!(&mut input);
    check_said(&said)?;
    let claim = Claim::only(checksums!(input))?;
    let algorithm = algorithm(claim.as_ref(), asker, input.checksum_algorithm.as_ref())?;
    let source = input.body.take().map_or(Source::Nothing, Source::Client);
    let taken = intake::take(&core.store, source, length(input.content_length)?, algorithm).await?;
    check_md5(input.content_md5.as_deref(), &taken.md5)?;
    if let Some(claim) = claim_of(claim, asker)? {
        claim.check(&taken.checksum)?;
    }
    let sequence = core.store.number();
    let object = Object {
        version: id_of_next(&bucket, core.version_id(sequence)),
        sequence,
        modified: asker.now.0,
        size: taken.size,
        etag: hex(&taken.md5),
        body: Some(taken.number),
        parts: 0,
        checksum: Some(KeptChecksum { algorithm, value: taken.checksum.clone(), composite: false }),
        said,
    };
    let checksum = taken.checksum.clone();
    let placing = Placing { bucket: input.bucket, key: input.key, happened: Happened::Put };
    let demands = (input.if_match, input.if_none_match);
    let (object, bucket) = place(core, asker, placing, object, taken, demands).await?;
    let mut output = PutObjectOutput {
        e_tag: Some(etag(&object)),
        version_id: told_id(&bucket, &object.version),
        server_side_encryption: encryption(&object.said),
        ssekms_key_id: object.said.kms_key.clone(),
        bucket_key_enabled: object.said.bucket_key,
        sse_customer_algorithm: object.said.customer_algorithm.clone(),
        sse_customer_key_md5: object.said.customer_key_md5.clone(),
        checksum_type: Some(checksum_type(false)),
        ..PutObjectOutput::default()
    };
    set_checksum!(output, algorithm, checksum);
    Ok(output)
}

/// Where an object goes, and why.
pub(super) struct Placing {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) happened: Happened,
}

type WriteDemands = (Option<ETagCondition>, Option<ETagCondition>);

/// Puts an object with its body where its key says, durably, and tells who wants to know.
pub(super) async fn place(
    core: &Core,
    asker: &Asker,
    placing: Placing,
    mut object: Object,
    mut taken: intake::Taken,
    (if_match, if_none_match): WriteDemands,
) -> Result<(Object, Bucket), Refusal> {
    let drawn = core.version_id(object.sequence);
    let asked = asker.clone();
    let (object, bucket, told) = core
        .store
        .change(move |tables| {
            // The bucket as it is now: it may have gone, or got versions, since the body began to come.
            let bucket = tables.bucket(&placing.bucket)?;
            object.version = id_of_next(&bucket, drawn);
            let key = placing.key.as_bytes();
            check_write(
                &placing.key,
                tables.newest(bucket.number, key)?.as_ref(),
                if_match.as_ref(),
                if_none_match.as_ref(),
            )?;
            default_encryption(tables, &bucket, &mut object.said)?;
            tables.put_body(taken.number, &taken.body())?;
            tables.count_to(taken.number)?;
            versions::put(tables, &bucket, key, &object)?;
            let told = events::record(
                tables,
                &asked,
                (&placing.bucket, &bucket),
                &[(placing.happened, &placing.key, &object)],
            )?;
            taken.keep();
            Ok((object, bucket, told))
        })
        .await?;
    core.deliver(told);
    Ok((object, bucket))
}

/// An object put without a word on encryption is encrypted as its bucket says.
fn default_encryption(tables: &Changes<'_>, bucket: &Bucket, said: &mut Said) -> Result<(), Refusal> {
    if said.encryption.is_some() || said.customer_algorithm.is_some() {
        return Ok(());
    }
    let Some(setting) = tables.setting(bucket.number, super::settings::ENCRYPTION.0)? else { return Ok(()) };
    let setting: ServerSideEncryptionConfiguration = super::settings::read(super::settings::ENCRYPTION, &setting)?;
    let rule = setting.rules.into_iter().next();
    if let Some(default) = rule.as_ref().and_then(|rule| rule.apply_server_side_encryption_by_default.as_ref()) {
        said.encryption = Some(default.sse_algorithm.as_str().to_owned());
        said.kms_key.clone_from(&default.kms_master_key_id);
        said.bucket_key = rule.and_then(|rule| rule.bucket_key_enabled).filter(|enabled| *enabled);
    }
    Ok(())
}

/// Which version of which key a request is about.
pub(super) struct Wanted<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    pub(super) version: Option<&'a str>,
}

/// The version that is wanted, a marker too.
pub(super) fn find(view: &View, wanted: &Wanted<'_>) -> Result<(Bucket, Object), Refusal> {
    let bucket = view.bucket(wanted.bucket)?;
    let key = wanted.key.as_bytes();
    let object = match wanted.version {
        None => view.newest(bucket.number, key)?.ok_or_else(|| Refusal::no_such_key(wanted.key))?,
        Some("") => return Err(Refusal::argument("versionId", "", "Version id cannot be the empty string")),
        Some(version) => view
            .version(bucket.number, key, version)?
            .ok_or_else(|| Refusal::of(refusal::NO_SUCH_VERSION).with("Key", wanted.key).with("VersionId", version))?,
    };
    Ok((bucket, object))
}

/// The object that is wanted; a marker is as good as nothing, and says that it is one.
pub(super) fn find_object(view: &View, wanted: &Wanted<'_>) -> Result<(Bucket, Object), Refusal> {
    let (bucket, object) = find(view, wanted)?;
    if !object.is_marker() {
        return Ok((bucket, object));
    }
    let mut headers = http::HeaderMap::new();
    headers.insert("x-amz-delete-marker", http::HeaderValue::from_static("true"));
    if let Ok(version) = http::HeaderValue::from_str(&object.version) {
        headers.insert("x-amz-version-id", version);
    }
    match wanted.version {
        None => Err(Refusal::no_such_key(wanted.key).with_headers(headers)),
        Some(_) => {
            headers.insert("allow", http::HeaderValue::from_static("DELETE"));
            let refusal = Refusal::of(refusal::METHOD_NOT_ALLOWED).with_headers(headers);
            Err(refusal.with("Method", "GET").with("ResourceType", "DeleteMarker"))
        }
    }
}

/// Refuses a reader who does not have the key the client encrypted the object with.
pub(super) fn check_customer_key(said: &Said, algorithm: Option<&str>, md5: Option<&str>) -> Result<(), Refusal> {
    match (&said.customer_algorithm, algorithm) {
        (Some(_), None) => Err(Refusal::invalid(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
        )),
        (None, Some(_)) => Err(Refusal::invalid("The encryption parameters are not applicable to this object.")),
        (Some(_), Some(_)) if md5 != said.customer_key_md5.as_deref() => Err(Refusal::of(refusal::ACCESS_DENIED)),
        _ => Ok(()),
    }
}

/// The part of an object that a request is about, and how many parts there are.
struct Stretch {
    range: std::ops::Range<u64>,
    whole: bool,
    parts: Option<i32>,
}

fn stretch(view: &View, object: &Object, range: Option<&Range>, part_number: Option<i32>) -> Result<Stretch, Refusal> {
    let out_of_range = || {
        let asked = range.map(Range::to_header_string).unwrap_or_default();
        let mut headers = http::HeaderMap::new();
        if let Ok(value) = http::HeaderValue::from_str(&format!("bytes */{}", object.size)) {
            headers.insert(http::header::CONTENT_RANGE, value);
        }
        let refusal = Refusal::of(refusal::INVALID_RANGE).with_headers(headers);
        refusal.with("RangeRequested", asked).with("ActualObjectSize", object.size)
    };
    match (range, part_number) {
        (Some(_), Some(_)) => Err(Refusal::invalid("Cannot specify both Range header and partNumber query parameter")),
        (None, None) => Ok(Stretch { range: 0..object.size, whole: true, parts: None }),
        (Some(range), None) => {
            let range = range.check(object.size).map_err(|_| out_of_range())?;
            Ok(Stretch { range, whole: false, parts: None })
        }
        (None, Some(number)) => {
            if !(1..=10_000).contains(&number) {
                let sentence = "Part number must be an integer between 1 and 10000, inclusive";
                return Err(Refusal::argument("partNumber", number, sentence));
            }
            let body = object.body.ok_or_else(|| Refusal::broken("a marker is read"))?;
            let Body::Pieces(pieces) = view.body(body)? else {
                return match number {
                    1 => Ok(Stretch { range: 0..object.size, whole: true, parts: None }),
                    _ => Err(Refusal::of(refusal::INVALID_PART_NUMBER)
                        .with("PartNumberRequested", number)
                        .with("ActualPartCount", 1)),
                };
            };
            let at = usize::try_from(number - 1).unwrap_or(usize::MAX);
            let Some(piece) = pieces.get(at) else {
                return Err(Refusal::of(refusal::INVALID_PART_NUMBER)
                    .with("PartNumberRequested", number)
                    .with("ActualPartCount", pieces.len()));
            };
            let begin: u64 = pieces[..at].iter().map(|piece| piece.size).sum();
            let parts = i32::try_from(pieces.len()).ok();
            Ok(Stretch { range: begin..begin + piece.size, whole: false, parts })
        }
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Fills what GetObject and HeadObject say alike.
macro_rules! describe {
    ($output:ident, $bucket:expr, $object:expr, $input:expr, $stretch:expr) => {{
        let (object, said) = ($object, &$object.said);
        $output.accept_ranges = Some("bytes".to_owned());
        $output.bucket_key_enabled = said.bucket_key;
        $output.cache_control = $input.response_cache_control.take().or_else(|| said.cache_control.clone());
        $output.content_disposition =
            $input.response_content_disposition.take().or_else(|| said.content_disposition.clone());
        $output.content_encoding = $input.response_content_encoding.take().or_else(|| said.content_encoding.clone());
        $output.content_language = $input.response_content_language.take().or_else(|| said.content_language.clone());
        $output.content_length = Some(signed($stretch.range.end - $stretch.range.start));
        let content_type = $input.response_content_type.take().or_else(|| said.content_type.clone());
        $output.content_type = Some(content_type.unwrap_or_else(|| "binary/octet-stream".to_owned()).into());
        $output.e_tag = Some(etag(object));
        $output.expires = $input.response_expires.take().or_else(|| {
            said.expires.as_deref().and_then(|text| Timestamp::parse(TimestampFormat::HttpDate, text).ok())
        });
        $output.last_modified = Some(time(object.modified));
        $output.metadata = Some(said.metadata.clone().into_iter().collect());
        $output.parts_count = $stretch.parts;
        $output.sse_customer_algorithm = said.customer_algorithm.clone();
        $output.sse_customer_key_md5 = said.customer_key_md5.clone();
        $output.ssekms_key_id = said.kms_key.clone();
        $output.server_side_encryption = encryption(said);
        $output.storage_class = unusual_class(said).map(StorageClass::from);
        $output.version_id = told_id($bucket, &object.version);
        $output.website_redirect_location = said.website_redirect.clone();
        if !$stretch.whole {
            let range = &$stretch.range;
            let last = range.end.saturating_sub(1).max(range.start);
            $output.content_range = Some(format!("bytes {}-{last}/{}", range.start, object.size));
        }
        let enabled = $input.checksum_mode.as_ref().is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
        if let Some(checksum) = object.checksum.as_ref().filter(|_| enabled && $stretch.whole) {
            $output.checksum_type = Some(checksum_type(checksum.composite));
            set_checksum!($output, checksum.algorithm, told_checksum(checksum, object.parts));
        }
    }};
}

macro_rules! demands {
    ($input:expr) => {
        Demands {
            if_match: $input.if_match.as_ref(),
            if_none_match: $input.if_none_match.as_ref(),
            if_modified_since: $input.if_modified_since.as_ref(),
            if_unmodified_since: $input.if_unmodified_since.as_ref(),
        }
    };
}

pub(super) async fn get(core: &Core, _asker: &Asker, mut input: GetObjectInput) -> Result<GetObjectOutput, Refusal> {
    let (found, hold) = core.store.hold(|view| {
        let wanted = Wanted { bucket: &input.bucket, key: &input.key, version: input.version_id.as_deref() };
        let (bucket, object) = find_object(view, &wanted)?;
        check_customer_key(
            &object.said,
            input.sse_customer_algorithm.as_deref(),
            input.sse_customer_key_md5.as_deref(),
        )?;
        demands!(input).check(&object)?;
        let stretch = stretch(view, &object, input.range.as_ref(), input.part_number)?;
        let body = object.body.ok_or_else(|| Refusal::broken("a marker is read"))?;
        let whereabouts = Whereabouts::of(view, body, object.size, stretch.range.clone())?;
        let shelved = whereabouts.shelved();
        Ok(((bucket, object, stretch, whereabouts), shelved))
    })?;
    let (bucket, object, stretch, whereabouts) = found;
    let mut output = GetObjectOutput::default();
    describe!(output, &bucket, &object, input, stretch);
    output.tag_count = i32::try_from(object.said.tags.len()).ok().filter(|count| *count > 0);
    output.body = Some(Reading::new(core.store.kept(), whereabouts, hold).into_blob());
    Ok(output)
}

pub(super) async fn head(core: &Core, _asker: &Asker, mut input: HeadObjectInput) -> Result<HeadObjectOutput, Refusal> {
    let (bucket, object, stretch) = core.store.view(|view| {
        let wanted = Wanted { bucket: &input.bucket, key: &input.key, version: input.version_id.as_deref() };
        let (bucket, object) = find_object(view, &wanted)?;
        check_customer_key(
            &object.said,
            input.sse_customer_algorithm.as_deref(),
            input.sse_customer_key_md5.as_deref(),
        )?;
        demands!(input).check(&object)?;
        let stretch = stretch(view, &object, input.range.as_ref(), input.part_number)?;
        Ok((bucket, object, stretch))
    })?;
    let mut output = HeadObjectOutput::default();
    describe!(output, &bucket, &object, input, stretch);
    Ok(output)
}

/// What is to be deleted.
struct Doomed {
    key: String,
    version: Option<String>,
    if_match: Option<ETag>,
}

/// What became of one of them, with the version that was asked for.
type Outcome = (Doomed, Result<Deleted, Refusal>);

/// Deletes keys and versions in one transaction, each with its own outcome.
async fn delete_all(core: &Core, asker: &Asker, bucket: String, doomed: Vec<Doomed>) -> Result<Vec<Outcome>, Refusal> {
    let ids: Vec<(u64, String)> = doomed
        .iter()
        .map(|_| {
            let sequence = core.store.number();
            (sequence, core.version_id(sequence))
        })
        .collect();
    let asked = asker.clone();
    let (outcomes, told) = core
        .store
        .change(move |tables| {
            let owner = tables.bucket(&bucket)?;
            let mut outcomes: Vec<Outcome> = Vec::with_capacity(doomed.len());
            let mut gone: Vec<(Happened, String, Object)> = Vec::new();
            for (one, (sequence, drawn)) in doomed.into_iter().zip(ids) {
                let marker = marker(&owner, sequence, drawn, asked.now);
                let outcome = match delete_one(tables, &owner, &one, &marker) {
                    Err(refusal) if refusal.is_broken() => return Err(refusal),
                    outcome => outcome,
                };
                match &outcome {
                    Ok(Deleted::Marker(_)) => gone.push((Happened::Marked, one.key.clone(), marker)),
                    Ok(Deleted::Version { .. }) => {
                        let version = one.version.clone().unwrap_or(marker.version.clone());
                        gone.push((Happened::Deleted, one.key.clone(), Object { version, ..marker }));
                    }
                    Ok(Deleted::Nothing) | Err(_) => {}
                }
                outcomes.push((one, outcome));
            }
            let gone: Vec<_> = gone.iter().map(|(happened, key, object)| (*happened, key.as_str(), object)).collect();
            let told = events::record(tables, &asked, (&bucket, &owner), &gone)?;
            Ok((outcomes, told))
        })
        .await?;
    core.deliver(told);
    Ok(outcomes)
}

fn delete_one(tables: &mut Changes<'_>, bucket: &Bucket, doomed: &Doomed, marker: &Object) -> Result<Deleted, Refusal> {
    let key = doomed.key.as_bytes();
    if let Some(etag) = &doomed.if_match {
        let there = tables.newest(bucket.number, key)?.filter(|object| !object.is_marker());
        let there = there.ok_or_else(|| Refusal::no_such_key(&doomed.key))?;
        if etag.value() != "*" && etag.value() != there.etag {
            return Err(Refusal::condition("If-Match"));
        }
    }
    match &doomed.version {
        Some(version) => versions::delete_version(tables, bucket, key, version),
        None => versions::delete(tables, bucket, key, marker),
    }
}

/// A marker that will stand in front of the versions of a key.
fn marker(bucket: &Bucket, sequence: u64, drawn: String, now: Now) -> Object {
    Object {
        version: id_of_next(bucket, drawn),
        sequence,
        modified: now.0,
        size: 0,
        etag: String::new(),
        body: None,
        parts: 0,
        checksum: None,
        said: Said::default(),
    }
}

pub(super) async fn delete(
    core: &Core,
    asker: &Asker,
    input: DeleteObjectInput,
) -> Result<DeleteObjectOutput, Refusal> {
    let if_match = input.if_match.map(|condition| match condition {
        ETagCondition::ETag(etag) => etag,
        ETagCondition::Any => ETag::Strong("*".to_owned()),
    });
    let doomed = Doomed { key: input.key, version: input.version_id, if_match };
    let mut output = DeleteObjectOutput::default();
    for (doomed, outcome) in delete_all(core, asker, input.bucket, vec![doomed]).await? {
        match outcome? {
            Deleted::Marker(version) => {
                output.delete_marker = Some(true);
                output.version_id = Some(version);
            }
            Deleted::Version { was_marker } => {
                output.delete_marker = Some(true).filter(|_| was_marker);
                output.version_id = doomed.version;
            }
            Deleted::Nothing => output.version_id = doomed.version,
        }
    }
    Ok(output)
}

pub(super) async fn delete_many(
    core: &Core,
    asker: &Asker,
    input: DeleteObjectsInput,
) -> Result<DeleteObjectsOutput, Refusal> {
    let quiet = input.delete.quiet.unwrap_or(false);
    let wanted = input.delete.objects;
    if wanted.is_empty() || wanted.len() > KEYS_MAX {
        return Err(Refusal::of(refusal::MALFORMED_XML));
    }
    let doomed = wanted.into_iter().map(|one| Doomed { key: one.key, version: one.version_id, if_match: one.e_tag });
    let outcomes = delete_all(core, asker, input.bucket, doomed.collect()).await?;
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for (doomed, outcome) in outcomes {
        let Doomed { key, version, .. } = doomed;
        match outcome {
            Ok(_) if quiet => {}
            Ok(outcome) => {
                let (marker, marker_version) = match outcome {
                    Deleted::Marker(id) => (Some(true), Some(id)),
                    Deleted::Version { was_marker: true } => (Some(true), version.clone()),
                    Deleted::Version { was_marker: false } | Deleted::Nothing => (None, None),
                };
                deleted.push(DeletedObject {
                    key: Some(key),
                    version_id: version,
                    delete_marker: marker,
                    delete_marker_version_id: marker_version,
                });
            }
            Err(refusal) => errors.push(Error {
                key: Some(key),
                version_id: version,
                code: Some(refusal.code.to_owned()),
                message: Some(refusal.message.into_owned()),
            }),
        }
    }
    Ok(DeleteObjectsOutput {
        deleted: Some(deleted),
        errors: Some(errors).filter(|errors| !errors.is_empty()),
        request_charged: None,
    })
}

/// The grants of everything: its owner has full control.
pub(super) fn full_control(account: &str) -> Grant {
    Grant {
        grantee: Some(Grantee {
            id: owner(account).id,
            type_: Type::from_static(Type::CANONICAL_USER),
            display_name: None,
            email_address: None,
            uri: None,
        }),
        permission: Some(Permission::from_static(Permission::FULL_CONTROL)),
    }
}

pub(super) async fn acl(core: &Core, _asker: &Asker, input: GetObjectAclInput) -> Result<GetObjectAclOutput, Refusal> {
    let wanted = Wanted { bucket: &input.bucket, key: &input.key, version: input.version_id.as_deref() };
    let (bucket, _) = core.store.view(|view| find_object(view, &wanted))?;
    Ok(GetObjectAclOutput {
        grants: Some(vec![full_control(&bucket.account)]),
        owner: Some(owner(&bucket.account)),
        request_charged: None,
    })
}

pub(super) async fn attributes(
    core: &Core,
    _asker: &Asker,
    input: GetObjectAttributesInput,
) -> Result<GetObjectAttributesOutput, Refusal> {
    let wanted = Wanted { bucket: &input.bucket, key: &input.key, version: input.version_id.as_deref() };
    let (bucket, object, body) = core.store.view(|view| {
        let (bucket, object) = find_object(view, &wanted)?;
        let body = object.body.map(|body| view.body(body)).transpose()?;
        Ok((bucket, object, body))
    })?;
    // A header may have them all, with commas between.
    let asked = || input.object_attributes.iter().flat_map(|asked| asked.as_str().split(','));
    let asks = |name: &str| asked().any(|asked| asked.trim() == name);
    let mut output = GetObjectAttributesOutput {
        last_modified: Some(time(object.modified)),
        version_id: told_id(&bucket, &object.version),
        ..GetObjectAttributesOutput::default()
    };
    if asks("ETag") {
        output.e_tag = Some(etag(&object));
    }
    if asks("ObjectSize") {
        output.object_size = Some(signed(object.size));
    }
    if asks("StorageClass") {
        let class = object.said.storage_class.clone();
        output.storage_class =
            Some(class.map_or(StorageClass::from_static(StorageClass::STANDARD), StorageClass::from));
    }
    if let Some(checksum) = object.checksum.as_ref().filter(|_| asks("Checksum")) {
        let mut told = Checksum { checksum_type: Some(checksum_type(checksum.composite)), ..Checksum::default() };
        set_checksum!(told, checksum.algorithm, checksum.value.clone());
        output.checksum = Some(told);
    }
    if let Some(Body::Pieces(pieces)) = body.filter(|_| asks("ObjectParts")) {
        let behind = input.part_number_marker.unwrap_or(0);
        let most = usize::try_from(input.max_parts.unwrap_or(1000)).unwrap_or(0).min(1000);
        let rest: Vec<_> = pieces.iter().filter(|piece| i32::from(piece.number) > behind).collect();
        let algorithm = object.checksum.as_ref().map(|checksum| checksum.algorithm);
        // AWS tells of each part only where the parts have checksums of their own.
        let own = object.checksum.as_ref().is_some_and(|checksum| checksum.composite);
        let parts: Vec<ObjectPart> = rest
            .iter()
            .take(most)
            .map(|piece| {
                let number = Some(i32::from(piece.number));
                let mut part =
                    ObjectPart { part_number: number, size: Some(signed(piece.size)), ..ObjectPart::default() };
                if let (Some(algorithm), Some(value)) = (algorithm, &piece.checksum) {
                    set_checksum!(part, algorithm, value.clone());
                }
                part
            })
            .collect();
        output.object_parts = Some(GetObjectAttributesParts {
            is_truncated: Some(rest.len() > parts.len()),
            max_parts: i32::try_from(most).ok(),
            next_part_number_marker: Some(parts.last().and_then(|part| part.part_number).unwrap_or(0)),
            part_number_marker: Some(behind),
            parts: own.then_some(parts),
            total_parts_count: i32::try_from(pieces.len()).ok(),
        });
    }
    Ok(output)
}
