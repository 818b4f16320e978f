//! The actions, by what they are about, and s3s's trait as a table of them.

mod buckets;
mod copies;
mod listings;
mod objects;
mod settings;
mod tags;
mod uploads;

use std::sync::Arc;

pub(crate) use settings::{NOTIFICATION, read as read_setting};

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use crate::asker::Asker;
use crate::core::Core;
use crate::refusal::Refusal;

/// s3s's side of the actions.
pub(crate) struct Service(pub(crate) Arc<Core>);

macro_rules! actions {
    ($($name:ident $action:ident($input:ident) -> $output:ident = $module:ident::$function:ident;)*) => {
        /// The actions there are, as AWS names them.
        pub(crate) const ACTIONS: &[&str] = &[$(stringify!($action)),*];

        #[async_trait::async_trait]
        impl s3s::S3 for Service {
            $(async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                let (asker, input) = opened(request)?;
                let done = $module::$function(&self.0, &asker, input).await;
                done.map(S3Response::new).map_err(|refusal| told(&asker, refusal))
            })*
        }
    };
}

fn opened<I>(mut request: S3Request<I>) -> S3Result<(Asker, I)> {
    let asker = request.extensions.remove::<Asker>();
    let asker = asker.ok_or_else(|| Refusal::broken("a request without an asker"))?;
    Ok((asker.with_signed_trailers(request.trailing_headers), request.input))
}

fn told(asker: &Asker, refusal: Refusal) -> s3s::S3Error {
    asker.refuse(refusal.clone());
    refusal.into()
}

actions! {
    abort_multipart_upload AbortMultipartUpload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = uploads::abort;
    complete_multipart_upload CompleteMultipartUpload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = uploads::complete;
    copy_object CopyObject(CopyObjectInput) -> CopyObjectOutput = copies::copy;
    create_bucket CreateBucket(CreateBucketInput) -> CreateBucketOutput = buckets::create;
    create_multipart_upload CreateMultipartUpload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = uploads::create;
    delete_bucket DeleteBucket(DeleteBucketInput) -> DeleteBucketOutput = buckets::delete;
    delete_bucket_cors DeleteBucketCors(DeleteBucketCorsInput) -> DeleteBucketCorsOutput = settings::delete_cors;
    delete_bucket_encryption DeleteBucketEncryption(DeleteBucketEncryptionInput) -> DeleteBucketEncryptionOutput = settings::delete_encryption;
    delete_bucket_lifecycle DeleteBucketLifecycle(DeleteBucketLifecycleInput) -> DeleteBucketLifecycleOutput = settings::delete_lifecycle;
    delete_bucket_ownership_controls DeleteBucketOwnershipControls(DeleteBucketOwnershipControlsInput) -> DeleteBucketOwnershipControlsOutput = settings::delete_ownership;
    delete_bucket_policy DeleteBucketPolicy(DeleteBucketPolicyInput) -> DeleteBucketPolicyOutput = settings::delete_policy;
    delete_bucket_tagging DeleteBucketTagging(DeleteBucketTaggingInput) -> DeleteBucketTaggingOutput = tags::delete_of_bucket;
    delete_bucket_website DeleteBucketWebsite(DeleteBucketWebsiteInput) -> DeleteBucketWebsiteOutput = settings::delete_website;
    delete_object DeleteObject(DeleteObjectInput) -> DeleteObjectOutput = objects::delete;
    delete_object_tagging DeleteObjectTagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = tags::delete_of_object;
    delete_objects DeleteObjects(DeleteObjectsInput) -> DeleteObjectsOutput = objects::delete_many;
    delete_public_access_block DeletePublicAccessBlock(DeletePublicAccessBlockInput) -> DeletePublicAccessBlockOutput = settings::delete_public_access;
    get_bucket_accelerate_configuration GetBucketAccelerateConfiguration(GetBucketAccelerateConfigurationInput) -> GetBucketAccelerateConfigurationOutput = settings::accelerate;
    get_bucket_acl GetBucketAcl(GetBucketAclInput) -> GetBucketAclOutput = settings::bucket_acl;
    get_bucket_cors GetBucketCors(GetBucketCorsInput) -> GetBucketCorsOutput = settings::cors;
    get_bucket_encryption GetBucketEncryption(GetBucketEncryptionInput) -> GetBucketEncryptionOutput = settings::encryption;
    get_bucket_lifecycle_configuration GetBucketLifecycleConfiguration(GetBucketLifecycleConfigurationInput) -> GetBucketLifecycleConfigurationOutput = settings::lifecycle;
    get_bucket_location GetBucketLocation(GetBucketLocationInput) -> GetBucketLocationOutput = buckets::location;
    get_bucket_logging GetBucketLogging(GetBucketLoggingInput) -> GetBucketLoggingOutput = settings::logging;
    get_bucket_notification_configuration GetBucketNotificationConfiguration(GetBucketNotificationConfigurationInput) -> GetBucketNotificationConfigurationOutput = settings::notification;
    get_bucket_ownership_controls GetBucketOwnershipControls(GetBucketOwnershipControlsInput) -> GetBucketOwnershipControlsOutput = settings::ownership;
    get_bucket_policy GetBucketPolicy(GetBucketPolicyInput) -> GetBucketPolicyOutput = settings::policy;
    get_bucket_request_payment GetBucketRequestPayment(GetBucketRequestPaymentInput) -> GetBucketRequestPaymentOutput = settings::request_payment;
    get_bucket_tagging GetBucketTagging(GetBucketTaggingInput) -> GetBucketTaggingOutput = tags::of_bucket;
    get_bucket_versioning GetBucketVersioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = buckets::versioning;
    get_bucket_website GetBucketWebsite(GetBucketWebsiteInput) -> GetBucketWebsiteOutput = settings::website;
    get_object GetObject(GetObjectInput) -> GetObjectOutput = objects::get;
    get_object_acl GetObjectAcl(GetObjectAclInput) -> GetObjectAclOutput = objects::acl;
    get_object_attributes GetObjectAttributes(GetObjectAttributesInput) -> GetObjectAttributesOutput = objects::attributes;
    get_object_tagging GetObjectTagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = tags::of_object;
    get_public_access_block GetPublicAccessBlock(GetPublicAccessBlockInput) -> GetPublicAccessBlockOutput = settings::public_access;
    head_bucket HeadBucket(HeadBucketInput) -> HeadBucketOutput = buckets::head;
    head_object HeadObject(HeadObjectInput) -> HeadObjectOutput = objects::head;
    list_buckets ListBuckets(ListBucketsInput) -> ListBucketsOutput = buckets::list;
    list_multipart_uploads ListMultipartUploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = uploads::list;
    list_object_versions ListObjectVersions(ListObjectVersionsInput) -> ListObjectVersionsOutput = listings::versions;
    list_objects ListObjects(ListObjectsInput) -> ListObjectsOutput = listings::objects;
    list_objects_v2 ListObjectsV2(ListObjectsV2Input) -> ListObjectsV2Output = listings::objects_v2;
    list_parts ListParts(ListPartsInput) -> ListPartsOutput = uploads::parts;
    put_bucket_cors PutBucketCors(PutBucketCorsInput) -> PutBucketCorsOutput = settings::put_cors;
    put_bucket_encryption PutBucketEncryption(PutBucketEncryptionInput) -> PutBucketEncryptionOutput = settings::put_encryption;
    put_bucket_lifecycle_configuration PutBucketLifecycleConfiguration(PutBucketLifecycleConfigurationInput) -> PutBucketLifecycleConfigurationOutput = settings::put_lifecycle;
    put_bucket_notification_configuration PutBucketNotificationConfiguration(PutBucketNotificationConfigurationInput) -> PutBucketNotificationConfigurationOutput = settings::put_notification;
    put_bucket_ownership_controls PutBucketOwnershipControls(PutBucketOwnershipControlsInput) -> PutBucketOwnershipControlsOutput = settings::put_ownership;
    put_bucket_policy PutBucketPolicy(PutBucketPolicyInput) -> PutBucketPolicyOutput = settings::put_policy;
    put_bucket_tagging PutBucketTagging(PutBucketTaggingInput) -> PutBucketTaggingOutput = tags::put_of_bucket;
    put_bucket_versioning PutBucketVersioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = buckets::put_versioning;
    put_bucket_website PutBucketWebsite(PutBucketWebsiteInput) -> PutBucketWebsiteOutput = settings::put_website;
    put_object PutObject(PutObjectInput) -> PutObjectOutput = objects::put;
    put_object_tagging PutObjectTagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = tags::put_of_object;
    put_public_access_block PutPublicAccessBlock(PutPublicAccessBlockInput) -> PutPublicAccessBlockOutput = settings::put_public_access;
    upload_part UploadPart(UploadPartInput) -> UploadPartOutput = uploads::part;
    upload_part_copy UploadPartCopy(UploadPartCopyInput) -> UploadPartCopyOutput = copies::copy_part;
}
