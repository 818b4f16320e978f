//! SQS in the query protocol, which its model does not describe any more: as its API reference shows it.

use stepwell_json::Json;
use stepwell_protocol::{
    AwsError, Fault, HttpRequest, Protocol, QUERY_ERROR_CODE, decode_request, encode_error, encode_response, service,
};

fn check_request(form: &str, action: &str, input: &str) {
    let sqs = service("sqs").expect("SQS");
    let headers = vec![("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    let request = HttpRequest::received("POST", "/", headers, form.as_bytes().to_vec()).expect("a request");
    let asked = decode_request(sqs, &request).expect("an input");
    assert_eq!((asked.protocol, &*asked.operation.name), (Protocol::Query, action));
    assert_eq!(asked.input, Json::parse(input).expect("JSON"), "{form}");
}

#[test]
fn forms_are_read() {
    for (form, action, input) in [
        (
            "Action=CreateQueue&QueueName=q&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=40&Tag.1.Key=k&Tag.1.Value=v",
            "CreateQueue",
            r#"{"QueueName":"q","Attributes":{"VisibilityTimeout":"40"},"tags":{"k":"v"}}"#,
        ),
        (
            "Action=ReceiveMessage&QueueUrl=u&MaxNumberOfMessages=5&AttributeName.1=All&MessageAttributeName.1=a",
            "ReceiveMessage",
            r#"{"QueueUrl":"u","MaxNumberOfMessages":5,"AttributeNames":["All"],"MessageAttributeNames":["a"]}"#,
        ),
        (
            "Action=SendMessageBatch&QueueUrl=u&SendMessageBatchRequestEntry.1.Id=1&SendMessageBatchRequestEntry.1.MessageBody=b\
             &SendMessageBatchRequestEntry.1.MessageAttribute.1.Name=n\
             &SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType=String\
             &SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue=v",
            "SendMessageBatch",
            r#"{"QueueUrl":"u","Entries":[{"Id":"1","MessageBody":"b",
                "MessageAttributes":{"n":{"DataType":"String","StringValue":"v"}}}]}"#,
        ),
        (
            "Action=AddPermission&QueueUrl=u&Label=l&AWSAccountId.1=1&ActionName.1=SendMessage&ActionName.2=ReceiveMessage",
            "AddPermission",
            r#"{"QueueUrl":"u","Label":"l","AWSAccountIds":["1"],"Actions":["SendMessage","ReceiveMessage"]}"#,
        ),
        ("Action=UntagQueue&QueueUrl=u&TagKey.1=a&TagKey.2=b", "UntagQueue", r#"{"QueueUrl":"u","TagKeys":["a","b"]}"#),
    ] {
        check_request(form, action, input);
    }
}

#[test]
fn answers_are_written() {
    let sqs = service("sqs").expect("SQS");
    let check =
        |action: &str, output: &str, expected: &str| {
            let output = Json::parse(output).expect("JSON");
            let operation = sqs.operation(action).expect("an operation");
            let answer = encode_response(Protocol::Query, sqs, operation, &output, "i").expect("an answer");
            let text = String::from_utf8(answer.body).expect("UTF-8");
            assert!(text.contains(expected), "{text}");
            assert!(text.ends_with(&format!(
                "<ResponseMetadata><RequestId>i</RequestId></ResponseMetadata></{action}Response>"
            )));
        };
    check(
        "ReceiveMessage",
        r#"{"Messages":[{"MessageId":"m","Body":"b","Attributes":{"SenderId":"s"}}]}"#,
        "<ReceiveMessageResult><Message><MessageId>m</MessageId><Body>b</Body><Attribute><Name>SenderId</Name>\
         <Value>s</Value></Attribute></Message></ReceiveMessageResult>",
    );
    check(
        "SendMessageBatch",
        r#"{"Successful":[{"Id":"1","MessageId":"m"}],"Failed":[{"Id":"2","Code":"c"}]}"#,
        "<SendMessageBatchResultEntry><Id>1</Id><MessageId>m</MessageId></SendMessageBatchResultEntry>\
         <BatchResultErrorEntry><Id>2</Id><Code>c</Code></BatchResultErrorEntry>",
    );
    check(
        "ListQueues",
        r#"{"QueueUrls":["u","v"]}"#,
        "<QueueUrl>u</QueueUrl><QueueUrl>v</QueueUrl></ListQueuesResult>",
    );
}

#[test]
fn errors_have_the_code_of_their_protocol() {
    let sqs = service("sqs").expect("SQS");
    let error = AwsError {
        code: "QueueDoesNotExist".into(),
        message: Some("The specified queue does not exist.".into()),
        status: 400,
        fault: Fault::Client,
        request_id: "i".into(),
        members: Json::object([(QUERY_ERROR_CODE, Json::from("AWS.SimpleQueueService.NonExistentQueue"))]),
    };
    let query = encode_error(Protocol::Query, sqs, &error);
    let text = String::from_utf8(query.body).expect("UTF-8");
    assert!(text.contains("<Error><Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code>"), "{text}");
    let json = encode_error(Protocol::Json, sqs, &error);
    assert_eq!(json.header("x-amzn-query-error"), Some("AWS.SimpleQueueService.NonExistentQueue;Sender"));
    let body = Json::parse(std::str::from_utf8(&json.body).expect("UTF-8")).expect("JSON");
    assert_eq!(body.get("__type").and_then(Json::as_str), Some("QueueDoesNotExist"));
    assert!(body.get(QUERY_ERROR_CODE).is_none());
}
