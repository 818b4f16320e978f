//! Buckets: their names are one namespace for all accounts of a server, as on AWS for all of a partition.

use s3s::dto::*;

use super::settings;
use crate::asker::Asker;
use crate::convert::{owner, time};
use crate::core::Core;
use crate::names::is_bucket_name;
use crate::refusal::{self, Refusal};
use crate::store::{Bucket, Versioning};

/// The region whose buckets say no location.
const FIRST_REGION: &str = "us-east-1";
/// Buckets of one page at most.
const BUCKETS_MAX: i32 = 10_000;

/// The region a bucket goes to, asked of the endpoint of this region.
fn region(here: &str, constraint: Option<&str>) -> Result<String, Refusal> {
    match constraint.filter(|constraint| !constraint.is_empty()) {
        None if here == FIRST_REGION => Ok(here.to_owned()),
        None => Err(Refusal::of(refusal::ILLEGAL_LOCATION)),
        Some("EU") if here == FIRST_REGION || here == "eu-west-1" => Ok("eu-west-1".to_owned()),
        Some(FIRST_REGION) => Err(Refusal::of(refusal::INVALID_LOCATION).with("LocationConstraint", FIRST_REGION)),
        Some(other) if !other.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
            Err(Refusal::of(refusal::INVALID_LOCATION).with("LocationConstraint", other))
        }
        Some(other) if here == FIRST_REGION || here == other => Ok(other.to_owned()),
        Some(other) => {
            let sentence = format!(
                "The {other} location constraint is incompatible for the region specific endpoint this request was sent to."
            );
            Err(Refusal::of(refusal::ILLEGAL_LOCATION).saying(sentence))
        }
    }
}

pub(super) async fn create(
    core: &Core,
    asker: &Asker,
    input: CreateBucketInput,
) -> Result<CreateBucketOutput, Refusal> {
    let name = input.bucket;
    if !is_bucket_name(&name) {
        return Err(Refusal::of(refusal::INVALID_BUCKET_NAME).with("BucketName", name));
    }
    if input.object_lock_enabled_for_bucket == Some(true) {
        return Err(crate::door::not_implemented("CreateBucket with ObjectLockEnabledForBucket"));
    }
    let constraint = input.create_bucket_configuration.and_then(|configuration| configuration.location_constraint);
    let region = region(&asker.place.region, constraint.as_ref().map(|constraint| constraint.as_str()))?;
    let location = format!("/{name}");
    let bucket = Bucket {
        number: core.store.number(),
        account: asker.place.account.to_string(),
        region,
        created: asker.now.0,
        versioning: Versioning::Never,
    };
    core.store
        .change(move |tables| {
            if let Some(there) = tables.bucket_if_any(&name)? {
                let same = there.account == bucket.account;
                return match same {
                    // "If you re-create an existing bucket that you already own in us-east-1, S3 returns 200 OK."
                    true if there.region == FIRST_REGION && bucket.region == FIRST_REGION => Ok(()),
                    true => Err(Refusal::of(refusal::BUCKET_ALREADY_OWNED).with("BucketName", name)),
                    false => Err(Refusal::of(refusal::BUCKET_ALREADY_EXISTS).with("BucketName", name)),
                };
            }
            tables.put_bucket(&name, &bucket)?;
            tables.count_to(bucket.number)?;
            settings::set_defaults(tables, bucket.number)
        })
        .await?;
    Ok(CreateBucketOutput { location: Some(location) })
}

pub(super) async fn delete(
    core: &Core,
    _asker: &Asker,
    input: DeleteBucketInput,
) -> Result<DeleteBucketOutput, Refusal> {
    let name = input.bucket;
    core.store
        .change(move |tables| {
            let bucket = tables.bucket(&name)?;
            if let Some((_, newest)) = tables.next_object(bucket.number, b"")? {
                let versioned = bucket.versioning != Versioning::Never || newest.is_marker();
                let refusal = Refusal::of(refusal::BUCKET_NOT_EMPTY).with("BucketName", &name);
                return Err(match versioned {
                    true => refusal.saying(
                        "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
                    ),
                    false => refusal,
                });
            }
            let mut uploads = Vec::new();
            tables.uploads_from(bucket.number, b"", "", |key, id, upload| {
                uploads.push((key.to_vec(), id.to_owned(), upload));
                Ok(true)
            })?;
            for (key, id, upload) in uploads {
                for (_, part) in tables.remove_upload(bucket.number, &key, &id, &upload)? {
                    tables.remove_body(part.body)?;
                }
            }
            tables.remove_bucket(&name, &bucket)
        })
        .await?;
    Ok(DeleteBucketOutput::default())
}

pub(super) async fn head(core: &Core, _asker: &Asker, input: HeadBucketInput) -> Result<HeadBucketOutput, Refusal> {
    let bucket = core.store.view(|view| view.bucket(&input.bucket))?;
    Ok(HeadBucketOutput { bucket_region: Some(bucket.region), ..HeadBucketOutput::default() })
}

pub(super) async fn location(
    core: &Core,
    _asker: &Asker,
    input: GetBucketLocationInput,
) -> Result<GetBucketLocationOutput, Refusal> {
    let bucket = core.store.view(|view| view.bucket(&input.bucket))?;
    let region = Some(bucket.region).filter(|region| region != FIRST_REGION);
    Ok(GetBucketLocationOutput { location_constraint: region.map(BucketLocationConstraint::from) })
}

pub(super) async fn list(core: &Core, asker: &Asker, input: ListBucketsInput) -> Result<ListBucketsOutput, Refusal> {
    let most = input.max_buckets.unwrap_or(BUCKETS_MAX);
    if !(1..=BUCKETS_MAX).contains(&most) {
        let sentence = "Argument max-buckets must be an integer between 1 and 10000";
        return Err(Refusal::argument("max-buckets", most, sentence));
    }
    let most = usize::try_from(most).unwrap_or(0);
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let first = match &input.continuation_token {
        Some(token) => super::listings::read_token(token)?,
        None => prefix.to_owned(),
    };
    let mut buckets = Vec::new();
    let mut next = None;
    core.store.view(|view| {
        view.buckets_from(&first, |name, bucket| {
            let ours = bucket.account == *asker.place.account
                && name.starts_with(prefix)
                && input.bucket_region.as_ref().is_none_or(|region| *region == bucket.region);
            if ours && buckets.len() == most {
                next = Some(super::listings::token(name));
                return false;
            }
            if ours {
                buckets.push(s3s::dto::Bucket {
                    name: Some(name.to_owned()),
                    creation_date: Some(time(bucket.created)),
                    bucket_region: Some(bucket.region),
                });
            }
            true
        })
    })?;
    Ok(ListBucketsOutput {
        buckets: Some(buckets),
        continuation_token: next,
        owner: Some(owner(&asker.place.account)),
        prefix: input.prefix,
    })
}

pub(super) async fn put_versioning(
    core: &Core,
    _asker: &Asker,
    input: PutBucketVersioningInput,
) -> Result<PutBucketVersioningOutput, Refusal> {
    let status = input.versioning_configuration.status;
    let versioning = match status.as_ref().map(|status| status.as_str()) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        Some(_) => return Err(Refusal::of(refusal::MALFORMED_XML)),
        None => return Err(Refusal::of(refusal::ILLEGAL_VERSIONING)),
    };
    core.store
        .change(move |tables| {
            let mut bucket = tables.bucket(&input.bucket)?;
            bucket.versioning = versioning;
            tables.put_bucket(&input.bucket, &bucket)
        })
        .await?;
    Ok(PutBucketVersioningOutput::default())
}

pub(super) async fn versioning(
    core: &Core,
    _asker: &Asker,
    input: GetBucketVersioningInput,
) -> Result<GetBucketVersioningOutput, Refusal> {
    let bucket = core.store.view(|view| view.bucket(&input.bucket))?;
    let status = match bucket.versioning {
        Versioning::Never => None,
        Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    let status = status.map(BucketVersioningStatus::from_static);
    Ok(GetBucketVersioningOutput { status, ..GetBucketVersioningOutput::default() })
}

#[cfg(test)]
mod tests {
    use super::region;

    #[test]
    fn where_a_bucket_goes() {
        let check = |here: &str, constraint: Option<&str>, expected: Result<&str, &str>| {
            let region = region(here, constraint);
            assert_eq!(region.as_deref().map_err(|refusal| refusal.code), expected, "{here} {constraint:?}");
        };
        check("us-east-1", None, Ok("us-east-1"));
        check("us-east-1", Some("eu-west-1"), Ok("eu-west-1"));
        check("us-east-1", Some("us-east-1"), Err("InvalidLocationConstraint"));
        check("eu-west-1", None, Err("IllegalLocationConstraintException"));
        check("eu-west-1", Some("eu-west-1"), Ok("eu-west-1"));
        check("eu-west-1", Some("EU"), Ok("eu-west-1"));
        check("eu-west-1", Some("eu-west-2"), Err("IllegalLocationConstraintException"));
        check("us-east-1", Some("a b"), Err("InvalidLocationConstraint"));
    }
}
