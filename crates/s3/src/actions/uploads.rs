//! Objects uploaded in parts. Completing one moves no byte: the object is its parts, one after another.

use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::*;

use super::objects::{algorithm, check_said, length};
use crate::asker::Asker;
use crate::checksums::{Algorithm, Claim, combined, composite};
use crate::conditions::{check_write, same_etag};
use crate::convert::{
    canonical_id, checksum_type, checksums, claim_of, encryption, etag, owner, said, set_checksum, time, told_checksum,
};
use crate::core::Core;
use crate::events::{self, Happened};
use crate::intake::{self, Source, check_md5, hex};
use crate::refusal::{self, Refusal};
use crate::store::{self, Body, KeptChecksum, NULL_VERSION, Piece, Upload, View};
use crate::versions::{self, id_of_next, told_id};

/// A part that is not the last has at least so many bytes.
const PART_MIN: u64 = 5 * 1024 * 1024;
const PARTS_MAX: i32 = 10_000;
/// Entries of one page at most.
const PAGE_MAX: i32 = 1000;

pub(super) fn no_such_upload(id: &str) -> Refusal {
    Refusal::of(refusal::NO_SUCH_UPLOAD).with("UploadId", id)
}

pub(super) fn part_number(number: i32) -> Result<u16, Refusal> {
    let number =
        Some(number).filter(|number| (1..=PARTS_MAX).contains(number)).and_then(|number| number.try_into().ok());
    number.ok_or_else(|| {
        Refusal::argument("partNumber", "", "Part number must be an integer between 1 and 10000, inclusive")
    })
}

pub(super) async fn create(
    core: &Core,
    asker: &Asker,
    mut input: CreateMultipartUploadInput,
) -> Result<CreateMultipartUploadOutput, Refusal> {
    let said = said!(&mut input);
    check_said(&said)?;
    let algorithm = input.checksum_algorithm.as_ref().map(|name| Algorithm::named(name.as_str())).transpose()?;
    let composite = match (algorithm, input.checksum_type.as_ref().map(|kind| kind.as_str())) {
        (Some(algorithm), Some(ChecksumType::FULL_OBJECT)) if algorithm.combines().is_none() => {
            let sentence = format!(
                "The FULL_OBJECT checksum type cannot be used with the {} checksum algorithm.",
                algorithm.name().to_lowercase()
            );
            return Err(Refusal::invalid(sentence));
        }
        (Some(Algorithm::Crc64Nvme), Some(ChecksumType::COMPOSITE)) => {
            return Err(Refusal::invalid(
                "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.",
            ));
        }
        (Some(_), Some(ChecksumType::FULL_OBJECT)) | (Some(Algorithm::Crc64Nvme), _) | (None, _) => false,
        (Some(_), _) => true,
    };
    let number = core.store.number();
    let id = core.upload_id(number);
    let upload = Upload { number, initiated: asker.now.0, algorithm, composite, said };
    let (bucket, key, upload_id) = (input.bucket.clone(), input.key.clone(), id.clone());
    let kept = upload.clone();
    core.store
        .change(move |tables| {
            let owner = tables.bucket(&bucket)?;
            tables.count_to(number)?;
            tables.put_upload(owner.number, key.as_bytes(), &upload_id, &kept)
        })
        .await?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: algorithm.map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
        checksum_type: algorithm.map(|_| checksum_type(composite)),
        server_side_encryption: encryption(&upload.said),
        ssekms_key_id: upload.said.kms_key.clone(),
        bucket_key_enabled: upload.said.bucket_key,
        sse_customer_algorithm: upload.said.customer_algorithm.clone(),
        sse_customer_key_md5: upload.said.customer_key_md5.clone(),
        ..CreateMultipartUploadOutput::default()
    })
}

/// The upload, or AWS's refusal.
pub(super) fn find(view: &View, bucket: &str, key: &str, id: &str) -> Result<(store::Bucket, Upload), Refusal> {
    let bucket = view.bucket(bucket)?;
    let upload = view.upload(bucket.number, key.as_bytes(), id)?.ok_or_else(|| no_such_upload(id))?;
    Ok((bucket, upload))
}

/// The part an upload gets.
pub(super) struct Fitting {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) upload_id: String,
    pub(super) number: u16,
}

/// Keeps what was taken in as a part, durably.
pub(super) async fn fit(
    core: &Core,
    asker: &Asker,
    fitting: Fitting,
    mut taken: intake::Taken,
    algorithm: Algorithm,
) -> Result<store::Part, Refusal> {
    let part = store::Part {
        body: taken.number,
        size: taken.size,
        modified: asker.now.0,
        md5: hex(&taken.md5),
        checksum: Some(KeptChecksum { algorithm, value: taken.checksum.clone(), composite: false }),
    };
    let kept = part.clone();
    core.store
        .change(move |tables| {
            let owner = tables.bucket(&fitting.bucket)?;
            let upload = tables.upload(owner.number, fitting.key.as_bytes(), &fitting.upload_id)?;
            let upload = upload.ok_or_else(|| no_such_upload(&fitting.upload_id))?;
            tables.put_body(kept.body, &taken.body())?;
            tables.count_to(kept.body)?;
            tables.put_part(upload.number, fitting.number, &kept)?;
            taken.keep();
            Ok(())
        })
        .await?;
    Ok(part)
}

pub(super) async fn part(core: &Core, asker: &Asker, mut input: UploadPartInput) -> Result<UploadPartOutput, Refusal> {
    let number = part_number(input.part_number)?;
    let (_, upload) = core.store.view(|view| find(view, &input.bucket, &input.key, &input.upload_id))?;
    let claim = Claim::only(checksums!(input))?;
    let claimed = claim.as_ref().map(|claim| claim.algorithm).or(asker.announced);
    if let (Some(expected), Some(actual)) = (upload.algorithm, claimed)
        && expected != actual
    {
        let sentence = format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            expected.name().to_lowercase(),
            actual.name().to_lowercase()
        );
        return Err(Refusal::invalid(sentence));
    }
    let algorithm = match upload.algorithm {
        Some(algorithm) => algorithm,
        None => algorithm(claim.as_ref(), asker, input.checksum_algorithm.as_ref())?,
    };
    let source = input.body.take().map_or(Source::Nothing, Source::Client);
    let taken = intake::take(&core.store, source, length(input.content_length)?, algorithm).await?;
    check_md5(input.content_md5.as_deref(), &taken.md5)?;
    let claim = claim_of(claim, asker)?;
    if let Some(claim) = &claim {
        claim.check(&taken.checksum)?;
    }
    let fitting = Fitting { bucket: input.bucket, key: input.key, upload_id: input.upload_id, number };
    let part = fit(core, asker, fitting, taken, algorithm).await?;
    let mut output = UploadPartOutput {
        e_tag: Some(ETag::Strong(part.md5)),
        server_side_encryption: encryption(&upload.said),
        ssekms_key_id: upload.said.kms_key,
        bucket_key_enabled: upload.said.bucket_key,
        sse_customer_algorithm: upload.said.customer_algorithm,
        sse_customer_key_md5: upload.said.customer_key_md5,
        ..UploadPartOutput::default()
    };
    if let Some(checksum) = part.checksum {
        set_checksum!(output, algorithm, checksum.value);
    }
    Ok(output)
}

pub(super) async fn abort(
    core: &Core,
    _asker: &Asker,
    input: AbortMultipartUploadInput,
) -> Result<AbortMultipartUploadOutput, Refusal> {
    core.store
        .change(move |tables| {
            let owner = tables.bucket(&input.bucket)?;
            let key = input.key.as_bytes();
            let upload = tables.upload(owner.number, key, &input.upload_id)?;
            let upload = upload.ok_or_else(|| no_such_upload(&input.upload_id))?;
            for (_, part) in tables.remove_upload(owner.number, key, &input.upload_id, &upload)? {
                tables.remove_body(part.body)?;
            }
            Ok(())
        })
        .await?;
    Ok(AbortMultipartUploadOutput::default())
}

/// The parts of an upload that a client lists, each as it was uploaded.
fn chosen(
    listed: &[CompletedPart],
    uploaded: &[(u16, store::Part)],
    id: &str,
) -> Result<Vec<(u16, store::Part)>, Refusal> {
    if listed.is_empty() {
        return Err(Refusal::of(refusal::MALFORMED_XML));
    }
    let mut chosen: Vec<(u16, store::Part)> = Vec::with_capacity(listed.len());
    for wanted in listed {
        let number = wanted.part_number.unwrap_or(0);
        let refused = || {
            let etag = wanted.e_tag.as_ref().map_or("", |etag| etag.value());
            Refusal::of(refusal::INVALID_PART).with("UploadId", id).with("PartNumber", number).with("ETag", etag)
        };
        let number = part_number(number)?;
        if chosen.last().is_some_and(|(last, _)| *last >= number) {
            return Err(Refusal::of(refusal::INVALID_PART_ORDER).with("UploadId", id));
        }
        let at = uploaded.binary_search_by_key(&number, |(number, _)| *number).map_err(|_| refused())?;
        let (_, part) = &uploaded[at];
        if !same_etag(wanted.e_tag.as_ref(), &part.md5) {
            return Err(refused());
        }
        let claim = Claim::only(checksums!(wanted))?;
        if let (Some(claim), Some(checksum)) = (claim, &part.checksum)
            && (claim.algorithm != checksum.algorithm || claim.value != checksum.value)
        {
            return Err(refused());
        }
        chosen.push((number, part.clone()));
    }
    if let Some((number, small)) = chosen[..chosen.len() - 1].iter().find(|(_, part)| part.size < PART_MIN) {
        return Err(Refusal::of(refusal::ENTITY_TOO_SMALL)
            .with("ProposedSize", small.size)
            .with("MinSizeAllowed", PART_MIN)
            .with("PartNumber", number)
            .with("ETag", &small.md5));
    }
    Ok(chosen)
}

/// The checksum of the object these parts make, where they all have one of one kind.
fn checksum_of(upload: &Upload, parts: &[(u16, store::Part)]) -> Result<Option<KeptChecksum>, Refusal> {
    let first = parts.first().and_then(|(_, part)| part.checksum.as_ref()).map(|checksum| checksum.algorithm);
    let Some(algorithm) = upload.algorithm.or(first) else { return Ok(None) };
    let mut sums = Vec::with_capacity(parts.len());
    for (_, part) in parts {
        match part.checksum.as_ref().filter(|checksum| checksum.algorithm == algorithm) {
            Some(checksum) => sums.push((checksum.value.as_str(), part.size)),
            None => return Ok(None),
        }
    }
    let value = match (upload.composite, algorithm.combines()) {
        (true, _) => composite(algorithm, sums.iter().map(|(sum, _)| *sum))?,
        (false, Some(crc)) => combined(crc, sums.into_iter())?,
        (false, None) => return Ok(None),
    };
    Ok(Some(KeptChecksum { algorithm, value, composite: upload.composite }))
}

fn etag_of(parts: &[(u16, store::Part)]) -> Result<String, Refusal> {
    let mut digest = Md5::new();
    for (_, part) in parts {
        let bytes: Option<Vec<u8>> =
            (0..part.md5.len()).step_by(2).map(|at| u8::from_str_radix(part.md5.get(at..at + 2)?, 16).ok()).collect();
        digest.update(&bytes.ok_or_else(|| Refusal::broken("a part without a digest"))?);
    }
    Ok(format!("{}-{}", hex(&digest.finalize()), parts.len()))
}

pub(super) async fn complete(
    core: &Core,
    asker: &Asker,
    input: CompleteMultipartUploadInput,
) -> Result<CompleteMultipartUploadOutput, Refusal> {
    let listed = input.multipart_upload.and_then(|listed| listed.parts).unwrap_or_default();
    let claim = {
        // A checksum of parts is said with how many they are.
        let values = checksums!(input).map(|value| value.map(|value| value.split('-').next().unwrap_or(value)));
        Claim::only(values)?
    };
    let (sequence, body) = (core.store.number(), core.store.number());
    let drawn = core.version_id(sequence);
    let asked = asker.clone();
    let (name, key) = (input.bucket.clone(), input.key.clone());
    let size_said = input.mpu_object_size;
    let (if_match, if_none_match, id) = (input.if_match, input.if_none_match, input.upload_id);
    let (object, bucket, told) = core
        .store
        .change(move |tables| {
            let bucket = tables.bucket(&name)?;
            let bytes = key.as_bytes();
            let upload = tables.upload(bucket.number, bytes, &id)?.ok_or_else(|| no_such_upload(&id))?;
            let uploaded = tables.parts(upload.number, 0)?;
            let parts = chosen(&listed, &uploaded, &id)?;
            check_write(
                &key,
                tables.newest(bucket.number, bytes)?.as_ref(),
                if_match.as_ref(),
                if_none_match.as_ref(),
            )?;
            let checksum = checksum_of(&upload, &parts)?;
            if let (Some(claim), Some(checksum)) = (&claim, &checksum) {
                claim.check(&checksum.value)?;
            }
            let size: u64 = parts.iter().map(|(_, part)| part.size).sum();
            if size_said.is_some_and(|said| u64::try_from(said).ok() != Some(size)) {
                let sentence = format!(
                    "The provided 'x-amz-mp-object-size' header value {} does not match what was computed: {size}",
                    size_said.unwrap_or(0)
                );
                return Err(Refusal::invalid(sentence));
            }
            let object = store::Object {
                version: id_of_next(&bucket, drawn),
                sequence,
                modified: asked.now.0,
                size,
                etag: etag_of(&parts)?,
                body: Some(body),
                parts: u16::try_from(parts.len()).map_err(Refusal::broken)?,
                checksum,
                said: upload.said.clone(),
            };
            tables.remove_upload(bucket.number, bytes, &id, &upload)?;
            for (number, unused) in &uploaded {
                if parts.binary_search_by_key(number, |(number, _)| *number).is_err() {
                    tables.remove_body(unused.body)?;
                }
            }
            let pieces = parts.into_iter().enumerate().map(|(at, (_, part))| Piece {
                // Numbered anew from one, as readers of the object count them.
                number: u16::try_from(at + 1).unwrap_or(u16::MAX),
                body: part.body,
                size: part.size,
                checksum: part.checksum.map(|checksum| checksum.value),
            });
            tables.put_body(body, &Body::Pieces(pieces.collect()))?;
            tables.count_to(body)?;
            versions::put(tables, &bucket, bytes, &object)?;
            let told = events::record(tables, &asked, (&name, &bucket), &[(Happened::Completed, &key, &object)])?;
            Ok((object, bucket, told))
        })
        .await?;
    core.deliver(told);
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("http://{}.s3.localhost/{}", input.bucket, crate::percent::encoded(&input.key))),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(etag(&object)),
        version_id: told_id(&bucket, &object.version),
        server_side_encryption: encryption(&object.said),
        ssekms_key_id: object.said.kms_key.clone(),
        bucket_key_enabled: object.said.bucket_key,
        ..CompleteMultipartUploadOutput::default()
    };
    if let Some(checksum) = &object.checksum {
        output.checksum_type = Some(checksum_type(checksum.composite));
        set_checksum!(output, checksum.algorithm, told_checksum(checksum, object.parts));
    }
    debug_assert!(bucket.versioning != store::Versioning::Never || object.version == NULL_VERSION);
    Ok(output)
}

pub(super) async fn parts(core: &Core, _asker: &Asker, input: ListPartsInput) -> Result<ListPartsOutput, Refusal> {
    let most = input.max_parts.unwrap_or(PAGE_MAX).clamp(0, PAGE_MAX);
    let marker = input.part_number_marker.unwrap_or(0);
    let behind = u16::try_from(marker).map_err(|_| {
        Refusal::argument(
            "part-number-marker",
            marker,
            "Argument part-number-marker must be an integer between 0 and 2147483647",
        )
    })?;
    let (bucket, upload, parts) = core.store.view(|view| {
        let (bucket, upload) = find(view, &input.bucket, &input.key, &input.upload_id)?;
        let parts = view.parts(upload.number, behind)?;
        Ok((bucket, upload, parts))
    })?;
    let shown = usize::try_from(most).unwrap_or(0).min(parts.len());
    let truncated = shown < parts.len();
    let told: Vec<Part> = parts[..shown]
        .iter()
        .map(|(number, part)| {
            let mut told = Part {
                part_number: Some(i32::from(*number)),
                e_tag: Some(ETag::Strong(part.md5.clone())),
                last_modified: Some(time(part.modified)),
                size: i64::try_from(part.size).ok(),
                ..Part::default()
            };
            if let Some(checksum) = &part.checksum {
                set_checksum!(told, checksum.algorithm, checksum.value.clone());
            }
            told
        })
        .collect();
    let class = upload.said.storage_class.unwrap_or_else(|| StorageClass::STANDARD.to_owned());
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        checksum_algorithm: upload.algorithm.map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
        checksum_type: upload.algorithm.map(|_| checksum_type(upload.composite)),
        initiator: Some(Initiator { id: Some(canonical_id(&bucket.account)), display_name: None }),
        owner: Some(owner(&bucket.account)),
        is_truncated: Some(truncated),
        max_parts: Some(most),
        next_part_number_marker: told.last().and_then(|part| part.part_number).or(Some(0)),
        part_number_marker: Some(marker),
        parts: Some(told).filter(|parts| !parts.is_empty()),
        storage_class: Some(StorageClass::from(class)),
        ..ListPartsOutput::default()
    })
}

pub(super) async fn list(
    core: &Core,
    _asker: &Asker,
    input: ListMultipartUploadsInput,
) -> Result<ListMultipartUploadsOutput, Refusal> {
    let most = input.max_uploads.unwrap_or(PAGE_MAX).clamp(0, PAGE_MAX);
    let room = usize::try_from(most).unwrap_or(0);
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let key_marker = input.key_marker.unwrap_or_default();
    let id_marker = input.upload_id_marker.unwrap_or_default();
    let spelled = |key: &str| match &input.encoding_type {
        Some(_) => crate::percent::encoded(key),
        None => key.to_owned(),
    };
    let mut uploads: Vec<MultipartUpload> = Vec::new();
    let mut prefixes: Vec<String> = Vec::new();
    let mut last = (String::new(), String::new());
    let mut truncated = false;
    core.store.view(|view| {
        let bucket = view.bucket(&input.bucket)?;
        view.uploads_from(bucket.number, key_marker.as_bytes(), &id_marker, |key, id, upload| {
            let key = std::str::from_utf8(key).map_err(Refusal::broken)?;
            let passed =
                key == key_marker && (id_marker.is_empty() || id <= id_marker.as_str()) && !key_marker.is_empty();
            if passed || !key.starts_with(&prefix) {
                return Ok(true);
            }
            let common = delimiter.as_deref().and_then(|delimiter| {
                let at = key[prefix.len()..].find(delimiter)?;
                Some(key[..prefix.len() + at + delimiter.len()].to_owned())
            });
            let again = common.as_ref().is_some_and(|common| prefixes.last() == Some(common) || *common == key_marker);
            if again {
                return Ok(true);
            }
            if uploads.len() + prefixes.len() == room {
                truncated = true;
                return Ok(false);
            }
            match common {
                Some(common) => {
                    last = (common.clone(), String::new());
                    prefixes.push(common);
                }
                None => {
                    last = (key.to_owned(), id.to_owned());
                    let class = upload.said.storage_class.unwrap_or_else(|| StorageClass::STANDARD.to_owned());
                    uploads.push(MultipartUpload {
                        checksum_algorithm: upload
                            .algorithm
                            .map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
                        checksum_type: upload.algorithm.map(|_| checksum_type(upload.composite)),
                        initiated: Some(time(upload.initiated)),
                        initiator: Some(Initiator { id: Some(canonical_id(&bucket.account)), display_name: None }),
                        key: Some(spelled(key)),
                        owner: Some(owner(&bucket.account)),
                        storage_class: Some(StorageClass::from(class)),
                        upload_id: Some(id.to_owned()),
                    });
                }
            }
            Ok(true)
        })
    })?;
    let (next_key, next_id) = last;
    let common_prefixes: Vec<CommonPrefix> =
        prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(spelled(prefix)) }).collect();
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        common_prefixes: Some(common_prefixes).filter(|prefixes| !prefixes.is_empty()),
        delimiter: delimiter.as_deref().map(spelled),
        is_truncated: Some(truncated),
        key_marker: Some(spelled(&key_marker)),
        max_uploads: Some(most),
        next_key_marker: Some(spelled(&next_key)).filter(|_| truncated),
        next_upload_id_marker: Some(next_id).filter(|_| truncated),
        prefix: Some(spelled(&prefix)),
        upload_id_marker: Some(id_marker.clone()),
        uploads: Some(uploads).filter(|uploads| !uploads.is_empty()),
        encoding_type: input.encoding_type.clone(),
        request_charged: None,
    })
}
