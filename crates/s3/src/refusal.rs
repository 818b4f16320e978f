//! Why a request is not done, as S3 says it: a code, a sentence, and what the error carries beside them.
//!
//! Codes, sentences and statuses are those of "Error responses" in the Amazon S3 API Reference.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderMap, StatusCode};
use s3s::{S3Error, S3ErrorCode};

/// A code: its name, its status, its sentence.
type Row = (&'static str, u16, &'static str);

macro_rules! codes {
    ($($name:ident $code:literal $status:literal $text:literal)*) => {
        $(pub(crate) const $name: Row = ($code, $status, $text);)*
        const ROWS: &[Row] = &[$($name),*];
    };
}

codes! {
    ACCESS_DENIED "AccessDenied" 403 "Access Denied"
    BAD_DIGEST "BadDigest" 400 "The Content-MD5 you specified did not match what we received."
    BUCKET_ALREADY_EXISTS "BucketAlreadyExists" 409 "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."
    BUCKET_ALREADY_OWNED "BucketAlreadyOwnedByYou" 409 "Your previous request to create the named bucket succeeded and you already own it."
    BUCKET_NOT_EMPTY "BucketNotEmpty" 409 "The bucket you tried to delete is not empty"
    CONDITIONAL_CONFLICT "ConditionalRequestConflict" 409 "The conditional request cannot succeed due to a conflicting operation against this resource."
    ENTITY_TOO_LARGE "EntityTooLarge" 400 "Your proposed upload exceeds the maximum allowed size"
    ENTITY_TOO_SMALL "EntityTooSmall" 400 "Your proposed upload is smaller than the minimum allowed size"
    ILLEGAL_LOCATION "IllegalLocationConstraintException" 400 "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to."
    ILLEGAL_VERSIONING "IllegalVersioningConfigurationException" 400 "The Versioning element must be specified"
    INCOMPLETE_BODY "IncompleteBody" 400 "You did not provide the number of bytes specified by the Content-Length HTTP header"
    INTERNAL_ERROR "InternalError" 500 "We encountered an internal error. Please try again."
    INVALID_ARGUMENT "InvalidArgument" 400 "Invalid Argument"
    INVALID_BUCKET_NAME "InvalidBucketName" 400 "The specified bucket is not valid."
    INVALID_BUCKET_STATE "InvalidBucketState" 409 "The request is not valid with the current state of the bucket."
    INVALID_DIGEST "InvalidDigest" 400 "The Content-MD5 you specified was invalid."
    INVALID_LOCATION "InvalidLocationConstraint" 400 "The specified location-constraint is not valid"
    INVALID_PART "InvalidPart" 400 "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."
    INVALID_PART_NUMBER "InvalidPartNumber" 416 "The requested partnumber is not satisfiable"
    INVALID_PART_ORDER "InvalidPartOrder" 400 "The list of parts was not in ascending order. Parts must be ordered by part number."
    INVALID_RANGE "InvalidRange" 416 "The requested range is not satisfiable"
    INVALID_REQUEST "InvalidRequest" 400 "Invalid Request"
    INVALID_STORAGE_CLASS "InvalidStorageClass" 400 "The storage class you specified is not valid"
    INVALID_TAG "InvalidTag" 400 "The tag provided was not a valid tag."
    INVALID_URI "InvalidURI" 400 "Couldn't parse the specified URI."
    KEY_TOO_LONG "KeyTooLongError" 400 "Your key is too long"
    MALFORMED_POLICY "MalformedPolicy" 400 "Policies must be valid JSON and the first byte must be '{'"
    MALFORMED_XML "MalformedXML" 400 "The XML you provided was not well-formed or did not validate against our published schema"
    METADATA_TOO_LARGE "MetadataTooLarge" 400 "Your metadata headers exceed the maximum allowed metadata size"
    METHOD_NOT_ALLOWED "MethodNotAllowed" 405 "The specified method is not allowed against this resource."
    MISSING_CONTENT_LENGTH "MissingContentLength" 411 "You must provide the Content-Length HTTP header."
    NO_SUCH_BUCKET "NoSuchBucket" 404 "The specified bucket does not exist"
    NO_SUCH_KEY "NoSuchKey" 404 "The specified key does not exist."
    NO_SUCH_UPLOAD "NoSuchUpload" 404 "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    NO_SUCH_VERSION "NoSuchVersion" 404 "The specified version does not exist."
    NOT_IMPLEMENTED "NotImplemented" 501 "A header you provided implies functionality that is not implemented"
    NOT_MODIFIED "NotModified" 304 "Not Modified"
    PRECONDITION_FAILED "PreconditionFailed" 412 "At least one of the pre-conditions you specified did not hold"
    REQUEST_EXPIRED "RequestTimeTooSkewed" 403 "The difference between the request time and the current time is too large."
    SIGNATURE_DOES_NOT_MATCH "SignatureDoesNotMatch" 403 "The request signature we calculated does not match the signature you provided. Check your key and signing method."
    UNKNOWN_ACCESS_KEY "InvalidAccessKeyId" 403 "The AWS Access Key Id you provided does not exist in our records."
    XML_TOO_LARGE "MaxMessageLengthExceeded" 400 "Your request was too big."
}

/// The sentence that goes with a code.
pub(crate) fn sentence(code: &str) -> Option<&'static str> {
    ROWS.iter().find(|(known, _, _)| *known == code).map(|(_, _, sentence)| *sentence)
}

#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) status: u16,
    pub(crate) message: Cow<'static, str>,
    /// Elements of the error beside code and message.
    pub(crate) members: Vec<(&'static str, String)>,
    pub(crate) headers: Option<Box<HeaderMap>>,
    broken: bool,
}

impl Refusal {
    pub(crate) fn of((code, status, message): Row) -> Refusal {
        let message = Cow::Borrowed(message);
        Refusal { code, status, message, members: Vec::new(), headers: None, broken: false }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl fmt::Display) -> Refusal {
        self.members.push((name, value.to_string()));
        self
    }

    pub(crate) fn saying(mut self, message: impl Into<Cow<'static, str>>) -> Refusal {
        self.message = message.into();
        self
    }

    pub(crate) fn with_headers(mut self, headers: HeaderMap) -> Refusal {
        self.headers = Some(Box::new(headers));
        self
    }

    pub(crate) fn no_such_bucket(name: &str) -> Refusal {
        Refusal::of(NO_SUCH_BUCKET).with("BucketName", name)
    }

    pub(crate) fn no_such_key(key: &str) -> Refusal {
        Refusal::of(NO_SUCH_KEY).with("Key", key)
    }

    pub(crate) fn argument(name: &str, value: impl fmt::Display, message: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal::of(INVALID_ARGUMENT).saying(message).with("ArgumentName", name).with("ArgumentValue", value)
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal::of(INVALID_REQUEST).saying(message)
    }

    pub(crate) fn condition(name: &str) -> Refusal {
        Refusal::of(PRECONDITION_FAILED).with("Condition", name)
    }

    /// The disk, the database or what they hold is not as it should be.
    pub(crate) fn broken(what: impl fmt::Display) -> Refusal {
        let mut refusal = Refusal::of(INTERNAL_ERROR).saying(format!("We encountered an internal error: {what}"));
        refusal.broken = true;
        refusal
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl From<Refusal> for S3Error {
    fn from(refusal: Refusal) -> S3Error {
        let code = S3ErrorCode::from_bytes(refusal.code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
        let mut error = S3Error::with_message(code, refusal.message);
        error.set_status_code(StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        if let Some(headers) = refusal.headers {
            error.set_headers(*headers);
        }
        error
    }
}

macro_rules! broken_by {
    ($($error:ty)*) => {
        $(impl From<$error> for Refusal {
            fn from(error: $error) -> Refusal {
                Refusal::broken(error)
            }
        })*
    };
}

broken_by! { redb::StorageError redb::TableError redb::TransactionError redb::CommitError std::io::Error }
