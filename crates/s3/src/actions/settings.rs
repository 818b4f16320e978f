//! What is set for a bucket, kept as AWS writes it, and given back. Only versioning, default encryption and notifications
//! have an effect.

use s3s::dto::*;
use s3s::xml::{DeserializeContent, Deserializer, SerializeContent, Serializer};

use super::objects::full_control;
use crate::asker::Asker;
use crate::convert::owner;
use crate::core::Core;
use crate::events;
use crate::refusal::{self, Refusal};
use crate::store::Changes;

/// A kind of setting: under which name it is kept, and AWS's element for it.
pub(crate) type Kind = (&'static str, &'static str);

const CORS: Kind = ("cors", "CORSConfiguration");
pub(crate) const ENCRYPTION: Kind = ("encryption", "ServerSideEncryptionConfiguration");
const LIFECYCLE: Kind = ("lifecycle", "LifecycleConfiguration");
pub(crate) const NOTIFICATION: Kind = ("notification", "NotificationConfiguration");
const OWNERSHIP: Kind = ("ownership", "OwnershipControls");
const POLICY: &str = "policy";
const PUBLIC_ACCESS: Kind = ("public-access", "PublicAccessBlockConfiguration");
pub(super) const TAGS: Kind = ("tagging", "Tagging");
const WEBSITE: Kind = ("website", "WebsiteConfiguration");

pub(crate) fn read<T: for<'x> DeserializeContent<'x>>((_, element): Kind, kept: &[u8]) -> Result<T, Refusal> {
    let mut reader = Deserializer::new(kept);
    reader.named_element(element, T::deserialize_content).map_err(|error| Refusal::broken(format_args!("{error:?}")))
}

pub(super) fn write<T: SerializeContent>((_, element): Kind, value: &T) -> Result<Vec<u8>, Refusal> {
    let mut text = Vec::new();
    let mut writer = Serializer::new(&mut text);
    writer.content(element, value).map_err(|error| Refusal::broken(format_args!("{error:?}")))?;
    Ok(text)
}

pub(super) async fn put<T: SerializeContent>(
    core: &Core,
    bucket: String,
    kind: Kind,
    value: &T,
) -> Result<(), Refusal> {
    let text = write(kind, value)?;
    put_text(core, bucket, kind.0, Some(text)).await
}

async fn put_text(core: &Core, bucket: String, kind: &'static str, text: Option<Vec<u8>>) -> Result<(), Refusal> {
    let change = move |tables: &mut Changes<'_>| {
        let bucket = tables.bucket(&bucket)?;
        tables.put_setting(bucket.number, kind, text.as_deref())
    };
    core.store.change(change).await
}

pub(super) async fn delete(core: &Core, bucket: String, kind: Kind) -> Result<(), Refusal> {
    put_text(core, bucket, kind.0, None).await
}

pub(super) fn get_if_any<T: for<'x> DeserializeContent<'x>>(
    core: &Core,
    bucket: &str,
    kind: Kind,
) -> Result<Option<T>, Refusal> {
    let text = core.store.view(|view| view.setting(view.bucket(bucket)?.number, kind.0))?;
    text.map(|text| read(kind, &text)).transpose()
}

/// The setting, or AWS's refusal: this code with this sentence.
pub(super) fn get<T: for<'x> DeserializeContent<'x>>(
    core: &Core,
    bucket: &str,
    kind: Kind,
    code: &'static str,
    sentence: &'static str,
) -> Result<T, Refusal> {
    get_if_any(core, bucket, kind)?.ok_or_else(|| Refusal::of((code, 404, sentence)).with("BucketName", bucket))
}

/// What AWS sets for every new bucket.
pub(super) fn set_defaults(tables: &mut Changes<'_>, bucket: u64) -> Result<(), Refusal> {
    let blocked = PublicAccessBlockConfiguration {
        block_public_acls: Some(true),
        block_public_policy: Some(true),
        ignore_public_acls: Some(true),
        restrict_public_buckets: Some(true),
    };
    tables.put_setting(bucket, PUBLIC_ACCESS.0, Some(&write(PUBLIC_ACCESS, &blocked)?))?;
    let enforced = ObjectOwnership::from_static(ObjectOwnership::BUCKET_OWNER_ENFORCED);
    let controls = OwnershipControls { rules: vec![OwnershipControlsRule { object_ownership: enforced }] };
    tables.put_setting(bucket, OWNERSHIP.0, Some(&write(OWNERSHIP, &controls)?))
}

macro_rules! deletions {
    ($($function:ident($input:ident) -> $output:ident of $kind:expr;)*) => {
        $(pub(super) async fn $function(core: &Core, _asker: &Asker, input: $input) -> Result<$output, Refusal> {
            put_text(core, input.bucket, $kind, None).await?;
            Ok($output::default())
        })*
    };
}

deletions! {
    delete_cors(DeleteBucketCorsInput) -> DeleteBucketCorsOutput of CORS.0;
    delete_encryption(DeleteBucketEncryptionInput) -> DeleteBucketEncryptionOutput of ENCRYPTION.0;
    delete_lifecycle(DeleteBucketLifecycleInput) -> DeleteBucketLifecycleOutput of LIFECYCLE.0;
    delete_ownership(DeleteBucketOwnershipControlsInput) -> DeleteBucketOwnershipControlsOutput of OWNERSHIP.0;
    delete_policy(DeleteBucketPolicyInput) -> DeleteBucketPolicyOutput of POLICY;
    delete_public_access(DeletePublicAccessBlockInput) -> DeletePublicAccessBlockOutput of PUBLIC_ACCESS.0;
    delete_website(DeleteBucketWebsiteInput) -> DeleteBucketWebsiteOutput of WEBSITE.0;
}

macro_rules! puts {
    ($($function:ident($input:ident.$member:ident) -> $output:ident of $kind:ident;)*) => {
        $(pub(super) async fn $function(core: &Core, _asker: &Asker, input: $input) -> Result<$output, Refusal> {
            put(core, input.bucket, $kind, &input.$member).await?;
            Ok($output::default())
        })*
    };
}

puts! {
    put_cors(PutBucketCorsInput.cors_configuration) -> PutBucketCorsOutput of CORS;
    put_encryption(PutBucketEncryptionInput.server_side_encryption_configuration) -> PutBucketEncryptionOutput of ENCRYPTION;
    put_ownership(PutBucketOwnershipControlsInput.ownership_controls) -> PutBucketOwnershipControlsOutput of OWNERSHIP;
    put_public_access(PutPublicAccessBlockInput.public_access_block_configuration) -> PutPublicAccessBlockOutput of PUBLIC_ACCESS;
    put_website(PutBucketWebsiteInput.website_configuration) -> PutBucketWebsiteOutput of WEBSITE;
}

pub(super) async fn put_lifecycle(
    core: &Core,
    _asker: &Asker,
    input: PutBucketLifecycleConfigurationInput,
) -> Result<PutBucketLifecycleConfigurationOutput, Refusal> {
    let configuration = input.lifecycle_configuration.ok_or_else(|| Refusal::of(refusal::MALFORMED_XML))?;
    put(core, input.bucket, LIFECYCLE, &configuration).await?;
    Ok(PutBucketLifecycleConfigurationOutput::default())
}

pub(super) async fn lifecycle(
    core: &Core,
    _asker: &Asker,
    input: GetBucketLifecycleConfigurationInput,
) -> Result<GetBucketLifecycleConfigurationOutput, Refusal> {
    let sentence = "The lifecycle configuration does not exist";
    let kept: BucketLifecycleConfiguration =
        get(core, &input.bucket, LIFECYCLE, "NoSuchLifecycleConfiguration", sentence)?;
    let rules = Some(kept.rules);
    Ok(GetBucketLifecycleConfigurationOutput { rules, ..GetBucketLifecycleConfigurationOutput::default() })
}

pub(super) async fn cors(
    core: &Core,
    _asker: &Asker,
    input: GetBucketCorsInput,
) -> Result<GetBucketCorsOutput, Refusal> {
    let sentence = "The CORS configuration does not exist";
    let kept: CORSConfiguration = get(core, &input.bucket, CORS, "NoSuchCORSConfiguration", sentence)?;
    Ok(GetBucketCorsOutput { cors_rules: Some(kept.cors_rules) })
}

pub(super) async fn encryption(
    core: &Core,
    _asker: &Asker,
    input: GetBucketEncryptionInput,
) -> Result<GetBucketEncryptionOutput, Refusal> {
    let kept = get_if_any(core, &input.bucket, ENCRYPTION)?;
    let usual = || {
        let by_default = ServerSideEncryptionByDefault {
            kms_master_key_id: None,
            sse_algorithm: ServerSideEncryption::from_static(ServerSideEncryption::AES256),
        };
        let rule = ServerSideEncryptionRule {
            apply_server_side_encryption_by_default: Some(by_default),
            bucket_key_enabled: Some(false),
        };
        ServerSideEncryptionConfiguration { rules: vec![rule] }
    };
    Ok(GetBucketEncryptionOutput { server_side_encryption_configuration: Some(kept.unwrap_or_else(usual)) })
}

pub(super) async fn ownership(
    core: &Core,
    _asker: &Asker,
    input: GetBucketOwnershipControlsInput,
) -> Result<GetBucketOwnershipControlsOutput, Refusal> {
    let sentence = "The bucket ownership controls were not found";
    let kept = get(core, &input.bucket, OWNERSHIP, "OwnershipControlsNotFoundError", sentence)?;
    Ok(GetBucketOwnershipControlsOutput { ownership_controls: Some(kept) })
}

pub(super) async fn public_access(
    core: &Core,
    _asker: &Asker,
    input: GetPublicAccessBlockInput,
) -> Result<GetPublicAccessBlockOutput, Refusal> {
    let sentence = "The public access block configuration was not found";
    let kept = get(core, &input.bucket, PUBLIC_ACCESS, "NoSuchPublicAccessBlockConfiguration", sentence)?;
    Ok(GetPublicAccessBlockOutput { public_access_block_configuration: Some(kept) })
}

pub(super) async fn website(
    core: &Core,
    _asker: &Asker,
    input: GetBucketWebsiteInput,
) -> Result<GetBucketWebsiteOutput, Refusal> {
    let sentence = "The specified bucket does not have a website configuration";
    let kept: WebsiteConfiguration = get(core, &input.bucket, WEBSITE, "NoSuchWebsiteConfiguration", sentence)?;
    Ok(GetBucketWebsiteOutput {
        error_document: kept.error_document,
        index_document: kept.index_document,
        redirect_all_requests_to: kept.redirect_all_requests_to,
        routing_rules: kept.routing_rules,
    })
}

pub(super) async fn put_policy(
    core: &Core,
    _asker: &Asker,
    input: PutBucketPolicyInput,
) -> Result<PutBucketPolicyOutput, Refusal> {
    let is_object = serde_json::from_str::<serde_json::Value>(&input.policy).is_ok_and(|policy| policy.is_object());
    if !is_object {
        return Err(Refusal::of(refusal::MALFORMED_POLICY));
    }
    put_text(core, input.bucket, POLICY, Some(input.policy.into_bytes())).await?;
    Ok(PutBucketPolicyOutput::default())
}

pub(super) async fn policy(
    core: &Core,
    _asker: &Asker,
    input: GetBucketPolicyInput,
) -> Result<GetBucketPolicyOutput, Refusal> {
    let kept = core.store.view(|view| view.setting(view.bucket(&input.bucket)?.number, POLICY))?;
    let kept = kept.ok_or_else(|| {
        Refusal::of(("NoSuchBucketPolicy", 404, "The bucket policy does not exist")).with("BucketName", &input.bucket)
    })?;
    Ok(GetBucketPolicyOutput { policy: Some(String::from_utf8(kept).map_err(Refusal::broken)?) })
}

pub(super) async fn put_notification(
    core: &Core,
    asker: &Asker,
    input: PutBucketNotificationConfigurationInput,
) -> Result<PutBucketNotificationConfigurationOutput, Refusal> {
    core.store.view(|view| view.bucket(&input.bucket))?;
    let mut configuration = input.notification_configuration;
    if !input.skip_destination_validation.unwrap_or(false) {
        events::check(core, asker, &input.bucket, &configuration).await?;
    }
    events::name_rules(core, &mut configuration);
    put(core, input.bucket, NOTIFICATION, &configuration).await?;
    Ok(PutBucketNotificationConfigurationOutput::default())
}

pub(super) async fn notification(
    core: &Core,
    _asker: &Asker,
    input: GetBucketNotificationConfigurationInput,
) -> Result<GetBucketNotificationConfigurationOutput, Refusal> {
    let kept: Option<NotificationConfiguration> = get_if_any(core, &input.bucket, NOTIFICATION)?;
    let kept = kept.unwrap_or_default();
    Ok(GetBucketNotificationConfigurationOutput {
        event_bridge_configuration: kept.event_bridge_configuration,
        lambda_function_configurations: kept.lambda_function_configurations,
        queue_configurations: kept.queue_configurations,
        topic_configurations: kept.topic_configurations,
    })
}

pub(super) async fn bucket_acl(
    core: &Core,
    _asker: &Asker,
    input: GetBucketAclInput,
) -> Result<GetBucketAclOutput, Refusal> {
    let bucket = core.store.view(|view| view.bucket(&input.bucket))?;
    Ok(GetBucketAclOutput { grants: Some(vec![full_control(&bucket.account)]), owner: Some(owner(&bucket.account)) })
}

pub(super) async fn accelerate(
    core: &Core,
    _asker: &Asker,
    input: GetBucketAccelerateConfigurationInput,
) -> Result<GetBucketAccelerateConfigurationOutput, Refusal> {
    core.store.view(|view| view.bucket(&input.bucket))?;
    Ok(GetBucketAccelerateConfigurationOutput::default())
}

pub(super) async fn logging(
    core: &Core,
    _asker: &Asker,
    input: GetBucketLoggingInput,
) -> Result<GetBucketLoggingOutput, Refusal> {
    core.store.view(|view| view.bucket(&input.bucket))?;
    Ok(GetBucketLoggingOutput::default())
}

pub(super) async fn request_payment(
    core: &Core,
    _asker: &Asker,
    input: GetBucketRequestPaymentInput,
) -> Result<GetBucketRequestPaymentOutput, Refusal> {
    core.store.view(|view| view.bucket(&input.bucket))?;
    Ok(GetBucketRequestPaymentOutput { payer: Some(Payer::from_static(Payer::BUCKET_OWNER)) })
}
