//! A service as its model describes it: operations, shapes, and how a shape is used.

use std::sync::Arc;

/// A wire protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// JSON 1.0 and 1.1: the operation in a header, the input as one object.
    Json,
    /// Paths and verbs, with JSON bodies.
    RestJson,
    /// Paths and verbs, with XML bodies.
    RestXml,
    /// Smithy RPC v2 over CBOR.
    Cbor,
    /// A form there, XML back.
    Query,
    /// EC2's own kind of the query protocol.
    Ec2,
}

/// What is known of a service without unpacking its model.
#[derive(Debug)]
pub struct ServiceName {
    /// Botocore's name: `sqs`, `stepfunctions`, `events`.
    pub name: Arc<str>,
    /// The service's id, for people: `CloudWatch Logs`.
    pub id: Arc<str>,
    /// The client's name in the AWS SDK for Java 2, which prefixes errors: `CloudWatchLogs`, `DynamoDb`, `Sfn`.
    pub client: Arc<str>,
    /// The name in `arn:aws:states:::aws-sdk:NAME`: the client's in small letters.
    pub sdk_name: Arc<str>,
    /// `2012-11-05`
    pub api_version: Arc<str>,
    /// What hosts begin with: `PREFIX.us-east-1.amazonaws.com`.
    pub endpoint_prefix: Arc<str>,
    /// The service's name in a credential scope.
    pub signing_name: Arc<str>,
    /// `1.0` or `1.1`; empty without the JSON protocol.
    pub json_version: Arc<str>,
    /// What `X-Amz-Target` begins with; empty without the JSON protocol.
    pub target_prefix: Arc<str>,
    /// The namespace of XML answers; may be empty.
    pub xml_namespace: Arc<str>,
    /// The one host of a service without regions; mostly empty.
    pub global_endpoint: Arc<str>,
    /// Protocols it speaks, in the order in which botocore prefers them. Never empty.
    pub protocols: Vec<Protocol>,
    /// Whether errors also bear the codes of the query protocol the service once spoke.
    pub query_compatible: bool,
    /// Whether requests are signed with access keys.
    pub signed: bool,
}

/// A service whose model has been unpacked.
#[derive(Debug)]
pub struct Service {
    /// Its names and protocols.
    pub names: &'static ServiceName,
    /// Its operations, by name.
    pub operations: Vec<Operation>,
    /// Its shapes; a [`ShapeId`] is a place among them.
    pub shapes: Vec<Shape>,
    /// Every shape that is an error.
    pub errors: Vec<ShapeId>,
}

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// `SendMessage`
    pub name: Arc<str>,
    /// The verb.
    pub method: Arc<str>,
    /// The path with its labels: `/{Bucket}/{Key+}?acl`.
    pub uri: Arc<str>,
    /// The status of success.
    pub status: u16,
    /// What stands before the host, with labels in braces.
    pub host_prefix: Option<Arc<str>>,
    /// Its input, when it has one.
    pub input: Option<Use>,
    /// Its output, when it has one.
    pub output: Option<Use>,
    /// Errors it declares.
    pub errors: Vec<ShapeId>,
    /// Whether the body stays out of the signature.
    pub unsigned_payload: bool,
    /// Whether anybody may call it, without a signature.
    pub anonymous: bool,
    /// Whether a checksum of the body must come with it.
    pub checksum_required: bool,
    /// Whether calling it twice does no more than calling it once.
    pub idempotent: bool,
    /// Whether another operation took its place.
    pub deprecated: bool,
}

/// The place of a shape in its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShapeId(pub u32);

/// A type of the service.
#[derive(Debug)]
pub struct Shape {
    /// `SendMessageRequest`
    pub name: Arc<str>,
    /// What it is made of.
    pub kind: Kind,
    /// What it is when it is thrown.
    pub error: Option<ErrorTraits>,
    /// One member only may be set.
    pub union: bool,
    /// A list or map in which null is a value.
    pub sparse: bool,
    /// Any JSON.
    pub document: bool,
    /// Not to be logged.
    pub sensitive: bool,
    /// A stream of events.
    pub event_stream: bool,
    /// The member that is the body.
    pub payload: Option<Arc<str>>,
    /// The values a string may have; services accept others that came later.
    pub choices: Vec<Arc<str>>,
    /// A regular expression.
    pub pattern: Option<Arc<str>>,
    /// The least length, count or value, as the model writes it.
    pub min: Option<Arc<str>>,
    /// The greatest.
    pub max: Option<Arc<str>>,
}

/// What a shape is when it is thrown.
#[derive(Debug)]
pub struct ErrorTraits {
    /// Its code where that is not the shape's name.
    pub code: Option<Arc<str>>,
    /// Its HTTP status, when the model says.
    pub status: Option<u16>,
    /// Whether it is the service's fault.
    pub fault: bool,
}

/// What a shape is made of.
#[derive(Debug)]
pub enum Kind {
    /// Members, in the model's order.
    Structure(Vec<Member>),
    /// Items.
    List(Use),
    /// Keys, which are strings, and values.
    Map(Use, Use),
    /// Text.
    String,
    /// true or false
    Boolean,
    /// 32 bits.
    Integer,
    /// 64 bits.
    Long,
    /// Single precision, or the texts `NaN`, `Infinity`, `-Infinity`.
    Float,
    /// Double precision, or those texts.
    Double,
    /// Seconds since 1970, in a tree.
    Timestamp,
    /// Bytes: base 64 in a tree.
    Blob,
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    /// Its name in trees.
    pub name: Arc<str>,
    /// Its shape, and where it stands.
    pub part: Use,
}

/// A use of a shape: as a member, an item, a key, a value, an input or an output.
#[derive(Debug)]
pub struct Use {
    /// The shape.
    pub shape: ShapeId,
    /// Whether it must be there.
    pub required: bool,
    /// Where in a request or an answer it stands.
    pub location: Location,
    /// How a moment is spelled, when not as the protocol does.
    pub time_format: Option<TimeFormat>,
    /// Whether a list or map has no element of its own around its items.
    pub flattened: bool,
    /// Whether it is an attribute of its XML element.
    pub xml_attribute: bool,
    /// Whether it is a body of any length.
    pub streaming: bool,
    /// Whether it makes repeated requests one, and is drawn when it is missing.
    pub idempotency_token: bool,
    /// Whether it stands in the host's name.
    pub host_label: bool,
    /// Whether it is a text of JSON, which goes over in base 64.
    pub json_value: bool,
    /// Its name on the wire, where that is another.
    pub location_name: Option<Arc<str>>,
    /// Its name in the query protocols, where that is yet another.
    pub query_name: Option<Arc<str>>,
    /// The namespace of its XML element.
    pub xml_namespace: Option<Arc<str>>,
    /// The prefix of that namespace.
    pub xml_prefix: Option<Arc<str>>,
    /// The element around a result, in the query protocol.
    pub result_wrapper: Option<Arc<str>>,
}

/// Where in a request or an answer a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// In the body.
    Body,
    /// In the path.
    Uri,
    /// In the query string.
    Query,
    /// In one header.
    Header,
    /// In all headers with a prefix.
    Headers,
    /// It is the status.
    Status,
}

/// How a moment is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// `2015-08-30T12:36:00Z`
    Iso8601,
    /// `1440938160`
    Unix,
    /// `Sun, 30 Aug 2015 12:36:00 GMT`
    Rfc822,
}

impl Service {
    /// The shape at this place.
    pub fn shape(&self, id: ShapeId) -> &Shape {
        // Places are checked where the model is unpacked.
        &self.shapes[id.0 as usize]
    }

    /// The operation of this name, as the model spells it.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        let place = self.operations.binary_search_by(|operation| (*operation.name).cmp(name)).ok()?;
        self.operations.get(place)
    }

    /// The members of a structure; none of anything else.
    pub fn members(&self, part: &Use) -> &[Member] {
        match &self.shape(part.shape).kind {
            Kind::Structure(members) => members,
            _ => &[],
        }
    }

    /// The error shape with this code, or of this name.
    pub fn error(&self, code: &str) -> Option<&Shape> {
        let errors = || self.errors.iter().map(|id| self.shape(*id));
        errors().find(|shape| shape.code() == code).or_else(|| errors().find(|shape| &*shape.name == code))
    }

    pub(crate) fn speaks(&self, protocol: Protocol) -> bool {
        self.names.protocols.contains(&protocol)
    }
}

impl Shape {
    /// The code of an error: its own, or the shape's name.
    pub fn code(&self) -> &str {
        self.error.as_ref().and_then(|error| error.code.as_deref()).unwrap_or(&self.name)
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        match &self.kind {
            Kind::Structure(members) => members.iter().find(|member| &*member.name == name),
            _ => None,
        }
    }
}

impl Member {
    /// The name on the wire.
    pub(crate) fn wire_name(&self) -> &Arc<str> {
        self.part.location_name.as_ref().unwrap_or(&self.name)
    }
}

impl Use {
    /// A shape without anything said about its use.
    pub(crate) fn of(shape: ShapeId) -> Use {
        Use {
            shape,
            required: false,
            location: Location::Body,
            time_format: None,
            flattened: false,
            xml_attribute: false,
            streaming: false,
            idempotency_token: false,
            host_label: false,
            json_value: false,
            location_name: None,
            query_name: None,
            xml_namespace: None,
            xml_prefix: None,
            result_wrapper: None,
        }
    }
}

impl ServiceName {
    /// The protocol a client speaks.
    pub fn protocol(&self) -> Protocol {
        self.protocols.first().copied().unwrap_or(Protocol::Json)
    }
}
