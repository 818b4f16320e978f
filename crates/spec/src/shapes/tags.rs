//! Tags of state machines and activities.

use super::Text;
use super::declare::structures;
use super::scalars::{ARN, TAG_KEY, TAG_KEY_LIST, TAG_LIST, TAG_VALUE};

structures! {
    /// What `TagResource` asks for.
    TagResourceInput {
        resource_arn: Text = "resourceArn" ARN,
        tags: Vec<Tag> = "tags" TAG_LIST,
    }
    /// A name and a value attached to a resource.
    Tag {
        key: Option<Text> = "key" TAG_KEY,
        value: Option<Text> = "value" TAG_VALUE,
    }
    /// What `TagResource` answers.
    TagResourceOutput {}
    /// What `UntagResource` asks for.
    UntagResourceInput {
        resource_arn: Text = "resourceArn" ARN,
        tag_keys: Vec<Text> = "tagKeys" TAG_KEY_LIST,
    }
    /// What `UntagResource` answers.
    UntagResourceOutput {}
    /// What `ListTagsForResource` asks for.
    ListTagsForResourceInput {
        resource_arn: Text = "resourceArn" ARN,
    }
    /// What `ListTagsForResource` answers.
    ListTagsForResourceOutput {
        tags: Option<Vec<Tag>> = "tags" TAG_LIST,
    }
}
