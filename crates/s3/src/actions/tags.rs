//! Tags of buckets and objects.

use s3s::dto::*;

use super::objects::{Wanted, find_object};
use super::settings::{self, TAGS};
use crate::asker::Asker;
use crate::core::Core;
use crate::refusal::Refusal;
use crate::store::Object;
use crate::tagging::{TAGS_OF_A_BUCKET_MAX, TAGS_OF_AN_OBJECT_MAX, of_set, to_set};
use crate::versions::told_id;

pub(super) async fn put_of_bucket(
    core: &Core,
    _asker: &Asker,
    input: PutBucketTaggingInput,
) -> Result<PutBucketTaggingOutput, Refusal> {
    let tags = of_set(input.tagging.tag_set, TAGS_OF_A_BUCKET_MAX, "Bucket")?;
    settings::put(core, input.bucket, TAGS, &Tagging { tag_set: to_set(&tags) }).await?;
    Ok(PutBucketTaggingOutput::default())
}

pub(super) async fn of_bucket(
    core: &Core,
    _asker: &Asker,
    input: GetBucketTaggingInput,
) -> Result<GetBucketTaggingOutput, Refusal> {
    let kept: Tagging = settings::get(core, &input.bucket, TAGS, "NoSuchTagSet", "The TagSet does not exist")?;
    Ok(GetBucketTaggingOutput { tag_set: kept.tag_set })
}

pub(super) async fn delete_of_bucket(
    core: &Core,
    _asker: &Asker,
    input: DeleteBucketTaggingInput,
) -> Result<DeleteBucketTaggingOutput, Refusal> {
    settings::delete(core, input.bucket, TAGS).await?;
    Ok(DeleteBucketTaggingOutput::default())
}

/// Sets the tags of one version; gives its id as answers say it.
async fn set(
    core: &Core,
    bucket: String,
    key: String,
    version: Option<String>,
    tags: Vec<(String, String)>,
) -> Result<Option<String>, Refusal> {
    // Looks first where a marker is told from nothing at all.
    core.store.view(|view| find_object(view, &Wanted { bucket: &bucket, key: &key, version: version.as_deref() }))?;
    core.store
        .change(move |tables| {
            let owner = tables.bucket(&bucket)?;
            let newest = tables.newest(owner.number, key.as_bytes())?;
            let newest = newest.ok_or_else(|| Refusal::no_such_key(&key))?;
            let wanted = version.unwrap_or_else(|| newest.version.clone());
            let older = match newest.version == wanted {
                true => None,
                false => {
                    tables.older(owner.number, key.as_bytes(), None)?.into_iter().find(|one| one.version == wanted)
                }
            };
            let tagged = |mut object: Object| {
                object.said.tags = tags;
                object
            };
            match older {
                Some(older) => tables.put_older(owner.number, key.as_bytes(), &tagged(older))?,
                None if newest.version == wanted => tables.put_newest(owner.number, key.as_bytes(), &tagged(newest))?,
                None => return Err(Refusal::of(crate::refusal::NO_SUCH_VERSION).with("VersionId", wanted)),
            }
            Ok(told_id(&owner, &wanted))
        })
        .await
}

pub(super) async fn put_of_object(
    core: &Core,
    _asker: &Asker,
    input: PutObjectTaggingInput,
) -> Result<PutObjectTaggingOutput, Refusal> {
    let tags = of_set(input.tagging.tag_set, TAGS_OF_AN_OBJECT_MAX, "Object")?;
    let version_id = set(core, input.bucket, input.key, input.version_id, tags).await?;
    Ok(PutObjectTaggingOutput { version_id })
}

pub(super) async fn of_object(
    core: &Core,
    _asker: &Asker,
    input: GetObjectTaggingInput,
) -> Result<GetObjectTaggingOutput, Refusal> {
    let wanted = Wanted { bucket: &input.bucket, key: &input.key, version: input.version_id.as_deref() };
    let (bucket, object) = core.store.view(|view| find_object(view, &wanted))?;
    let tag_set = to_set(&object.said.tags);
    Ok(GetObjectTaggingOutput { tag_set, version_id: told_id(&bucket, &object.version) })
}

pub(super) async fn delete_of_object(
    core: &Core,
    _asker: &Asker,
    input: DeleteObjectTaggingInput,
) -> Result<DeleteObjectTaggingOutput, Refusal> {
    let version_id = set(core, input.bucket, input.key, input.version_id, Vec::new()).await?;
    Ok(DeleteObjectTaggingOutput { version_id })
}
