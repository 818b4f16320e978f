//! Copies of objects, whole or as parts. The bytes are read and taken in again, so that a copy's digests are its own.

use s3s::dto::*;

use super::objects::{self, Placing, Wanted, check_customer_key, check_said, find_object};
use super::uploads::{self, Fitting, fit, part_number};
use crate::asker::Asker;
use crate::checksums::Algorithm;
use crate::conditions::{Demands, Unmet};
use crate::convert::{checksum_type, encryption, etag, said, set_checksum, time};
use crate::core::Core;
use crate::events::Happened;
use crate::intake::{self, BYTES_MAX, Source, hex};
use crate::reading::{Reading, Whereabouts};
use crate::refusal::{self, Refusal};
use crate::store::{self, KeptChecksum, Said};
use crate::versions::{id_of_next, told_id};

/// Where a copy is from.
struct Origin {
    bucket: String,
    key: String,
    version: Option<String>,
}

fn origin(source: &CopySource) -> Result<Origin, Refusal> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => Ok(Origin {
            bucket: bucket.to_string(),
            key: key.to_string(),
            version: version_id.as_ref().map(|version| version.to_string()),
        }),
        CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => {
            Err(crate::door::not_implemented("a copy from an access point"))
        }
    }
}

/// What is copied: an object, and its bytes.
struct Original {
    bucket: store::Bucket,
    object: store::Object,
    reading: Reading,
    length: u64,
}

/// The key a client encrypted the original with, as it says.
struct CustomerKey<'a> {
    algorithm: Option<&'a str>,
    md5: Option<&'a str>,
}

fn open(
    core: &Core,
    asker: &Asker,
    origin: &Origin,
    demands: &Demands<'_>,
    key: &CustomerKey<'_>,
    range: Option<&str>,
) -> Result<Original, Refusal> {
    let (found, hold) = core.store.hold(|view| {
        let wanted = Wanted { bucket: &origin.bucket, key: &origin.key, version: origin.version.as_deref() };
        let (bucket, object) = find_object(view, &wanted)?;
        if *bucket.account != *asker.place.account && view.setting(bucket.number, "policy")?.is_none() {
            return Err(Refusal::of(refusal::ACCESS_DENIED));
        }
        check_customer_key(&object.said, key.algorithm, key.md5)?;
        match demands.unmet(&object) {
            None => {}
            Some(Unmet::NotModified) => return Err(Refusal::condition("x-amz-copy-source-If-None-Match")),
            Some(Unmet::Failed(name)) => return Err(Refusal::condition(&format!("x-amz-copy-source-{name}"))),
        }
        let range = match range {
            None => 0..object.size,
            Some(text) => copied_range(text, object.size)?,
        };
        if range.end - range.start > BYTES_MAX {
            let sentence = format!(
                "The specified copy source is larger than the maximum allowable size for a copy source: {BYTES_MAX}"
            );
            return Err(Refusal::invalid(sentence));
        }
        let body = object.body.ok_or_else(|| Refusal::broken("a marker is copied"))?;
        let whereabouts = Whereabouts::of(view, body, object.size, range.clone())?;
        let shelved = whereabouts.shelved();
        Ok(((bucket, object, whereabouts, range), shelved))
    })?;
    let (bucket, object, whereabouts, range) = found;
    let reading = Reading::new(core.store.kept(), whereabouts, hold);
    Ok(Original { bucket, object, reading, length: range.end - range.start })
}

/// `bytes=FIRST-LAST`, both within the original.
fn copied_range(text: &str, size: u64) -> Result<std::ops::Range<u64>, Refusal> {
    let refused = || {
        let sentence = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy";
        Refusal::argument("x-amz-copy-source-range", text, sentence)
    };
    let (first, last) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(refused)?;
    let first: u64 = first.parse().map_err(|_| refused())?;
    let last: u64 = last.parse().map_err(|_| refused())?;
    if first > last {
        return Err(refused());
    }
    if last >= size {
        let sentence = format!("Range specified is not valid for source object of size: {size}");
        return Err(Refusal::argument("x-amz-copy-source-range", text, sentence));
    }
    Ok(first..last + 1)
}

macro_rules! source_demands {
    ($input:expr) => {
        Demands {
            if_match: $input.copy_source_if_match.as_ref(),
            if_none_match: $input.copy_source_if_none_match.as_ref(),
            if_modified_since: $input.copy_source_if_modified_since.as_ref(),
            if_unmodified_since: $input.copy_source_if_unmodified_since.as_ref(),
        }
    };
}

macro_rules! customer_key {
    ($input:expr) => {
        CustomerKey {
            algorithm: $input.copy_source_sse_customer_algorithm.as_deref(),
            md5: $input.copy_source_sse_customer_key_md5.as_deref(),
        }
    };
}

pub(super) async fn copy(core: &Core, asker: &Asker, mut input: CopyObjectInput) -> Result<CopyObjectOutput, Refusal> {
    core.store.view(|view| view.bucket(&input.bucket))?;
    let origin = origin(&input.copy_source)?;
    let original = open(core, asker, &origin, &source_demands!(input), &customer_key!(input), None)?;
    let replaces = input.metadata_directive.as_ref().is_some_and(|one| one.as_str() == MetadataDirective::REPLACE);
    let replaces_tags = input.tagging_directive.as_ref().is_some_and(|one| one.as_str() == TaggingDirective::REPLACE);
    let itself = origin.bucket == input.bucket && origin.key == input.key && origin.version.is_none();
    let new = said!(&mut input);
    check_said(&new)?;
    let changes = replaces || new.storage_class.is_some() || new.encryption.is_some() || new.website_redirect.is_some();
    if itself && !changes {
        return Err(Refusal::invalid(
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    let old = original.object.said.clone();
    let tags = if replaces_tags { new.tags.clone() } else { old.tags.clone() };
    // What is about how an object is kept is never copied.
    let kept_anew = |said: Said| Said {
        storage_class: new.storage_class.clone(),
        encryption: new.encryption.clone(),
        kms_key: new.kms_key.clone(),
        bucket_key: new.bucket_key,
        customer_algorithm: new.customer_algorithm.clone(),
        customer_key_md5: new.customer_key_md5.clone(),
        website_redirect: new.website_redirect.clone(),
        tags: tags.clone(),
        ..said
    };
    let said = if replaces { kept_anew(new.clone()) } else { kept_anew(old) };
    let algorithm = match (&input.checksum_algorithm, &original.object.checksum) {
        (Some(wished), _) => Algorithm::named(wished.as_str())?,
        (None, Some(checksum)) => checksum.algorithm,
        (None, None) => Algorithm::Crc64Nvme,
    };
    let source_version = told_id(&original.bucket, &original.object.version);
    let length = Some(original.length);
    let taken = intake::take(&core.store, Source::Here(original.reading), length, algorithm).await?;
    let sequence = core.store.number();
    let target = core.store.view(|view| view.bucket(&input.bucket))?;
    let object = store::Object {
        version: id_of_next(&target, core.version_id(sequence)),
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
    let placing = Placing { bucket: input.bucket, key: input.key, happened: Happened::Copied };
    let (object, bucket) = objects::place(core, asker, placing, object, taken, (None, None)).await?;
    let mut result = CopyObjectResult {
        e_tag: Some(etag(&object)),
        last_modified: Some(time(object.modified)),
        checksum_type: Some(checksum_type(false)),
        ..CopyObjectResult::default()
    };
    set_checksum!(result, algorithm, checksum);
    Ok(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: source_version,
        version_id: told_id(&bucket, &object.version),
        server_side_encryption: encryption(&object.said),
        ssekms_key_id: object.said.kms_key.clone(),
        bucket_key_enabled: object.said.bucket_key,
        sse_customer_algorithm: object.said.customer_algorithm.clone(),
        sse_customer_key_md5: object.said.customer_key_md5.clone(),
        ..CopyObjectOutput::default()
    })
}

pub(super) async fn copy_part(
    core: &Core,
    asker: &Asker,
    input: UploadPartCopyInput,
) -> Result<UploadPartCopyOutput, Refusal> {
    let number = part_number(input.part_number)?;
    let (_, upload) = core.store.view(|view| uploads::find(view, &input.bucket, &input.key, &input.upload_id))?;
    let origin = origin(&input.copy_source)?;
    let range = input.copy_source_range.as_deref();
    let original = open(core, asker, &origin, &source_demands!(input), &customer_key!(input), range)?;
    let algorithm = upload.algorithm.unwrap_or(Algorithm::Crc64Nvme);
    let source_version = told_id(&original.bucket, &original.object.version);
    let length = Some(original.length);
    let taken = intake::take(&core.store, Source::Here(original.reading), length, algorithm).await?;
    let fitting = Fitting { bucket: input.bucket, key: input.key, upload_id: input.upload_id, number };
    let part = fit(core, asker, fitting, taken, algorithm).await?;
    let mut result = CopyPartResult {
        e_tag: Some(ETag::Strong(part.md5)),
        last_modified: Some(time(part.modified)),
        ..CopyPartResult::default()
    };
    if let Some(checksum) = part.checksum.filter(|_| upload.algorithm.is_some()) {
        set_checksum!(result, algorithm, checksum.value);
    }
    Ok(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: source_version,
        server_side_encryption: encryption(&upload.said),
        ssekms_key_id: upload.said.kms_key,
        bucket_key_enabled: upload.said.bucket_key,
        ..UploadPartCopyOutput::default()
    })
}

#[cfg(test)]
mod tests {
    use super::copied_range;

    #[test]
    fn ranges_of_copies() {
        assert_eq!(copied_range("bytes=0-4", 5).expect("a range"), 0..5);
        assert_eq!(copied_range("bytes=2-2", 5).expect("a range"), 2..3);
        for wrong in ["bytes=0-5", "bytes=3-2", "bytes=1-", "bytes=-1", "0-1", "bytes=a-b"] {
            assert_eq!(copied_range(wrong, 5).expect_err(wrong).code, "InvalidArgument");
        }
    }
}
