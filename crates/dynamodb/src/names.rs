//! What the library calls things and what AWS calls them: members of the model, and ARNs with an account and a region.
//!
//! Both ways follow the model, so that what stands in items is never touched.

use std::sync::Arc;

use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::{Kind, Place, Service, Use};
use stepwell_spec::partition_of;

/// What stands in the library's ARNs for region and account.
const THEIR_PLACE: &str = ":dynoxide:000000000000:";

/// The whole of an ARN of its own, up to the resource.
const THEIR_ARN: &str = "arn:aws:dynamodb:dynoxide:000000000000:";

/// The caller that errors of its name.
const THEIR_CALLER: &str = "arn:aws:iam::000000000000:root";

/// The shape of typed attributes, whose inside is the caller's.
const ATTRIBUTE: &str = "AttributeValue";

/// A resource that is named by an ARN of another account or region.
#[derive(Debug)]
pub(crate) struct Elsewhere;

/// Names of one place.
pub(crate) struct Names<'a> {
    service: &'a Service,
    place: &'a Place,
    /// `arn:aws:dynamodb:us-east-1:123456789012:`
    prefix: String,
}

impl Names<'_> {
    pub(crate) fn new<'a>(service: &'a Service, place: &'a Place) -> Names<'a> {
        Names { service, place, prefix: place.arn("dynamodb", "") }
    }

    /// An input as the library reads it: members that are null or unknown left out, tables by their names, other resources
    /// by its ARNs.
    pub(crate) fn theirs(&self, part: &Use, value: &Json) -> Result<Json, Elsewhere> {
        let shape = self.service.shape(part.shape);
        match (&shape.kind, value) {
            _ if &*shape.name == ATTRIBUTE => Ok(value.clone()),
            (Kind::Structure(_), Json::Object(object)) => {
                let mut members = ObjectBuilder::with_capacity(object.len());
                for (name, value) in object {
                    if let Some(member) = shape.member(name).filter(|_| !value.is_null()) {
                        members.insert(name.clone(), self.theirs(&member.part, value)?);
                    }
                }
                Ok(Json::from(members.build()))
            }
            (Kind::List(item), Json::Array(items)) => {
                Ok(Json::array(items.iter().map(|value| self.theirs(item, value)).collect::<Result<_, _>>()?))
            }
            (Kind::Map(key, of), Json::Object(object)) => {
                let mut members = ObjectBuilder::with_capacity(object.len());
                for (name, value) in object {
                    let name = self.their_name(&self.service.shape(key.shape).name, name)?;
                    members.insert(name.as_str(), self.theirs(of, value)?);
                }
                Ok(Json::from(members.build()))
            }
            (Kind::String, Json::String(text)) if names_resource(&shape.name) => {
                Ok(Json::from(self.their_name(&shape.name, text)?))
            }
            _ => Ok(value.clone()),
        }
    }

    fn their_name(&self, shape: &str, text: &str) -> Result<String, Elsewhere> {
        let is_arn = text.starts_with("arn:") && text.split(':').nth(2) == Some("dynamodb");
        if !names_resource(shape) || !is_arn {
            return Ok(text.to_owned());
        }
        let resource = text.strip_prefix(&self.prefix).ok_or(Elsewhere)?;
        match resource.strip_prefix("table/") {
            Some(table) if shape == "TableArn" => Ok(table.to_owned()),
            _ => Ok(format!("{THEIR_ARN}{resource}")),
        }
    }

    /// An output or an error's members as the model has them: what it does not have left out, ARNs those of the place.
    /// Maps come out of the library in an order of chance, and go on in that of their names.
    pub(crate) fn ours(&self, part: &Use, value: &Json) -> Json {
        let shape = self.service.shape(part.shape);
        match (&shape.kind, value) {
            _ if &*shape.name == ATTRIBUTE => attribute(value),
            (Kind::Structure(_), Json::Object(object)) => {
                let mut members = ObjectBuilder::with_capacity(object.len());
                for (name, value) in object {
                    let Some(member) = shape.member(name).filter(|_| !value.is_null()) else { continue };
                    let value = match &**name {
                        // A record of a stream has it by itself.
                        "awsRegion" => Json::string(self.place.region.clone()),
                        _ => self.ours(&member.part, value),
                    };
                    members.insert(name.clone(), value);
                }
                Json::from(members.build())
            }
            (Kind::List(item), Json::Array(items)) => {
                Json::array(items.iter().map(|value| self.ours(item, value)).collect())
            }
            (Kind::Map(_, of), Json::Object(object)) => {
                in_order(object.iter().map(|(name, value)| (name.clone(), self.ours(of, value))))
            }
            (Kind::String, Json::String(text)) if text.starts_with("arn:") => Json::from(self.our_text(text)),
            _ => value.clone(),
        }
    }

    /// A message with the place's ARNs in it.
    pub(crate) fn our_text(&self, text: &str) -> String {
        let Place { account, region } = self.place;
        let caller = format!("arn:{}:iam::{account}:root", partition_of(region));
        let partition = format!("arn:{}:", partition_of(region));
        text.replace(THEIR_ARN, &self.prefix)
            .replace(THEIR_CALLER, &caller)
            .replace(&format!("arn:aws:kms{THEIR_PLACE}"), &format!("{partition}kms:{region}:{account}:"))
    }
}

/// Whether a text of this shape may be an ARN of ours.
fn names_resource(shape: &str) -> bool {
    matches!(shape, "TableArn" | "ResourceArnString" | "StreamArn")
}

/// A typed attribute with the maps in it in order.
fn attribute(value: &Json) -> Json {
    let Json::Object(object) = value else { return value.clone() };
    let inside = |(kind, value): (&Arc<str>, &Json)| {
        let value = match (&**kind, value) {
            ("M", Json::Object(map)) => in_order(map.iter().map(|(name, value)| (name.clone(), attribute(value)))),
            ("L", Json::Array(items)) => Json::array(items.iter().map(attribute).collect()),
            (_, scalar) => scalar.clone(),
        };
        (kind.clone(), value)
    };
    Json::object(object.iter().map(inside))
}

fn in_order(members: impl Iterator<Item = (Arc<str>, Json)>) -> Json {
    let mut members: Vec<(Arc<str>, Json)> = members.collect();
    members.sort_by(|one, other| one.0.cmp(&other.0));
    Json::object(members)
}

#[cfg(test)]
mod tests {
    use stepwell_json::Json;
    use stepwell_protocol::{Place, service};

    use super::Names;

    fn place() -> Place {
        Place { account: "123456789012".into(), region: "cn-north-1".into() }
    }

    #[test]
    fn inputs_name_what_the_library_knows() {
        let check = |action: &str, input: &str, expected: Option<&str>| {
            let service = service("dynamodb").expect("a service");
            let part = service.operation(action).and_then(|operation| operation.input.as_ref()).expect("an input");
            let place = place();
            let theirs = Names::new(service, &place).theirs(part, &Json::parse(input).expect("JSON"));
            assert_eq!(theirs.ok().map(|input| input.to_string()).as_deref(), expected, "{input}");
        };
        let arn = "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/tab";
        check(
            "PutItem",
            &format!(r#"{{"TableName":"{arn}","Item":{{"a":{{"S":"{arn}"}}}},"Expected":null,"Unknown":1}}"#),
            Some(&format!(r#"{{"TableName":"tab","Item":{{"a":{{"S":"{arn}"}}}}}}"#)),
        );
        check(
            "BatchGetItem",
            &format!(r#"{{"RequestItems":{{"{arn}":{{}}}}}}"#),
            Some(r#"{"RequestItems":{"tab":{}}}"#),
        );
        check(
            "TagResource",
            &format!(r#"{{"ResourceArn":"{arn}"}}"#),
            Some(r#"{"ResourceArn":"arn:aws:dynamodb:dynoxide:000000000000:table/tab"}"#),
        );
        check("GetItem", r#"{"TableName":"arn:aws:dynamodb:us-east-1:123456789012:table/tab"}"#, None);
    }

    #[test]
    fn outputs_are_those_of_the_model() {
        let service = service("dynamodb").expect("a service");
        let part =
            service.operation("DescribeTable").and_then(|operation| operation.output.as_ref()).expect("an output");
        let output =
            r#"{"Table":{"TableArn":"arn:aws:dynamodb:dynoxide:000000000000:table/t","Ours":1,"ItemCount":null}}"#;
        let place = place();
        let ours = Names::new(service, &place).ours(part, &Json::parse(output).expect("JSON"));
        assert_eq!(ours.to_string(), r#"{"Table":{"TableArn":"arn:aws-cn:dynamodb:cn-north-1:123456789012:table/t"}}"#);
        let part = service.operation("GetItem").and_then(|operation| operation.output.as_ref()).expect("an output");
        let output = r#"{"Item":{"b":{"L":[{"M":{"d":{"S":"arn:aws:dynamodb:dynoxide:000000000000:t"},"c":{"N":"1"}}}]},"a":{"S":"dynoxide"}}}"#;
        let ours = Names::new(service, &place).ours(part, &Json::parse(output).expect("JSON"));
        assert_eq!(
            ours.to_string(),
            r#"{"Item":{"a":{"S":"dynoxide"},"b":{"L":[{"M":{"c":{"N":"1"},"d":{"S":"arn:aws:dynamodb:dynoxide:000000000000:t"}}}]}}}"#
        );
    }
}
