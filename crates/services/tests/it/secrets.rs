//! Secrets Manager, by scenario. Facts are those of its API reference.

use stepwell_json::Json;

use crate::world::{World, both, text};

const DAY_MS: u64 = 86_400_000;

impl World {
    fn secrets(&mut self, action: &str, members: &str) -> Json {
        let input = format!("{{{members}}}");
        self.ask("secretsmanager", action, &input).unwrap_or_else(|error| panic!("{action} {input}: {error:?}"))
    }

    fn secrets_refused(&mut self, action: &str, members: &str) -> (String, String) {
        match self.ask("secretsmanager", action, &format!("{{{members}}}")) {
            Err(refused) => refused,
            Ok(output) => panic!("{action} {members} is not refused: {output:?}"),
        }
    }

    fn value(&mut self, members: &str) -> String {
        text(&self.secrets("GetSecretValue", members), &["SecretString"]).to_string()
    }
}

#[test]
fn values_have_versions_in_stages() {
    both(|world| {
        let made = world.secrets("CreateSecret", r#""Name":"a/b","SecretString":"one""#);
        let arn = text(&made, &["ARN"]);
        assert!(arn.starts_with("arn:aws:secretsmanager:us-east-1:000000000000:secret:a/b-"), "{arn}");
        let without_letters = &arn[..arn.len() - 7];
        for id in ["a/b", &arn, without_letters] {
            assert_eq!(world.value(&format!(r#""SecretId":"{id}""#)), "one", "{id}");
        }
        let second = world.secrets("PutSecretValue", r#""SecretId":"a/b","SecretString":"two""#);
        assert_eq!(world.value(r#""SecretId":"a/b""#), "two");
        assert_eq!(world.value(r#""SecretId":"a/b","VersionStage":"AWSPREVIOUS""#), "one");
        world.secrets("UpdateSecret", r#""SecretId":"a/b","SecretString":"three","Description":"d""#);
        assert_eq!(world.value(r#""SecretId":"a/b","VersionStage":"AWSPREVIOUS""#), "two");
        let id = text(&second, &["VersionId"]);
        assert_eq!(world.value(&format!(r#""SecretId":"a/b","VersionId":"{id}""#)), "two");
        // The first is in no stage.
        let listed = world.secrets("ListSecretVersionIds", r#""SecretId":"a/b""#);
        assert_eq!(listed.get("Versions").and_then(Json::as_array).map(|list| list.len()), Some(2));
        let current = text(&world.secrets("GetSecretValue", r#""SecretId":"a/b""#), &["VersionId"]);
        let back = format!(
            r#""SecretId":"a/b","VersionStage":"AWSCURRENT","MoveToVersionId":"{id}","RemoveFromVersionId":"{current}""#
        );
        world.secrets("UpdateSecretVersionStage", &back);
        assert_eq!(world.value(r#""SecretId":"a/b""#), "two");
        assert_eq!(world.value(r#""SecretId":"a/b","VersionStage":"AWSPREVIOUS""#), "three");
        assert_eq!(text(&world.secrets("DescribeSecret", r#""SecretId":"a/b""#), &["Description"]).as_ref(), "d");
    });
}

#[test]
fn a_token_makes_one_version() {
    both(|world| {
        let token = "t".repeat(32);
        let create = |value: &str| format!(r#""Name":"s","SecretString":"{value}","ClientRequestToken":"{token}""#);
        let made = world.secrets("CreateSecret", &create("v"));
        assert_eq!(world.secrets("CreateSecret", &create("v")), made);
        assert_eq!(world.secrets_refused("CreateSecret", &create("w")).0, "ResourceExistsException");
        let put = |value: &str| format!(r#""SecretId":"s","SecretString":"{value}","ClientRequestToken":"{token}""#);
        world.secrets("PutSecretValue", &put("v"));
        assert_eq!(world.secrets_refused("PutSecretValue", &put("w")).0, "ResourceExistsException");
    });
}

#[test]
fn a_deleted_secret_comes_back_until_its_day() {
    both(|world| {
        world.secrets("CreateSecret", r#""Name":"s","SecretString":"v""#);
        world.secrets("DeleteSecret", r#""SecretId":"s","RecoveryWindowInDays":7"#);
        for (action, members) in [
            ("GetSecretValue", r#""SecretId":"s""#),
            ("PutSecretValue", r#""SecretId":"s","SecretString":"w""#),
            ("UpdateSecret", r#""SecretId":"s""#),
            ("CreateSecret", r#""Name":"s","SecretString":"w""#),
        ] {
            assert_eq!(world.secrets_refused(action, members).0, "InvalidRequestException", "{action}");
        }
        assert_eq!(world.secrets("ListSecrets", "").to_string(), r#"{"SecretList":[]}"#);
        assert!(world.secrets("DescribeSecret", r#""SecretId":"s""#).get("DeletedDate").is_some());
        world.secrets("RestoreSecret", r#""SecretId":"s""#);
        assert_eq!(world.value(r#""SecretId":"s""#), "v");
        world.secrets("DeleteSecret", r#""SecretId":"s","RecoveryWindowInDays":7"#);
        world.pass_ms(7 * DAY_MS + 1_000);
        assert_eq!(world.secrets_refused("RestoreSecret", r#""SecretId":"s""#).0, "ResourceNotFoundException");
        world.secrets("CreateSecret", r#""Name":"s","SecretString":"new""#);
        world.secrets("DeleteSecret", r#""SecretId":"s","ForceDeleteWithoutRecovery":true"#);
        assert_eq!(world.secrets_refused("DescribeSecret", r#""SecretId":"s""#).0, "ResourceNotFoundException");
        assert_eq!(world.rows("secrets"), 0);
    });
}

#[test]
fn secrets_are_listed_by_filters_and_in_pages() {
    both(|world| {
        for name in ["a", "ab", "b"] {
            let tags = r#"[{"Key":"team","Value":"red"}]"#;
            world.secrets(
                "CreateSecret",
                &format!(r#""Name":"{name}","SecretString":"v","Description":"Of {name}","Tags":{tags}"#),
            );
        }
        world.secrets("UntagResource", r#""SecretId":"b","TagKeys":["team"]"#);
        let names = |world: &mut World, members: &str| {
            let list = world.secrets("ListSecrets", members);
            let items = list.get("SecretList").and_then(Json::as_array).expect("a list");
            items.iter().map(|item| text(item, &["Name"]).to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(world, r#""Filters":[{"Key":"name","Values":["a"]}]"#), ["a", "ab"]);
        assert_eq!(names(world, r#""Filters":[{"Key":"name","Values":["!a"]}]"#), ["b"]);
        assert_eq!(names(world, r#""Filters":[{"Key":"tag-key","Values":["team"]}]"#), ["a", "ab"]);
        assert_eq!(names(world, r#""Filters":[{"Key":"description","Values":["B"]}]"#), ["b"]);
        let first = world.secrets("ListSecrets", r#""MaxResults":2"#);
        let token = text(&first, &["NextToken"]);
        assert_eq!(names(world, &format!(r#""NextToken":"{token}""#)), ["b"]);
    });
}

#[test]
fn what_cannot_be_is_refused() {
    both(|world| {
        world.secrets("CreateSecret", r#""Name":"s""#);
        for (action, members, code) in [
            ("CreateSecret", r#""Name":"a b""#.to_owned(), "ValidationException"),
            ("CreateSecret", r#""Name":"""#.to_owned(), "InvalidParameterException"),
            (
                "CreateSecret",
                r#""Name":"a","SecretString":"x","SecretBinary":"eA==""#.to_owned(),
                "InvalidParameterException",
            ),
            (
                "CreateSecret",
                format!(r#""Name":"a","SecretString":"{}""#, "x".repeat(65_537)),
                "InvalidParameterException",
            ),
            ("CreateSecret", r#""Name":"a","ClientRequestToken":"short""#.to_owned(), "InvalidParameterException"),
            ("GetSecretValue", r#""SecretId":"none""#.to_owned(), "ResourceNotFoundException"),
            ("GetSecretValue", r#""SecretId":"s""#.to_owned(), "ResourceNotFoundException"),
            ("PutSecretValue", r#""SecretId":"s""#.to_owned(), "InvalidParameterException"),
            ("DeleteSecret", r#""SecretId":"s","RecoveryWindowInDays":6"#.to_owned(), "InvalidParameterException"),
            (
                "DeleteSecret",
                r#""SecretId":"s","RecoveryWindowInDays":7,"ForceDeleteWithoutRecovery":true"#.to_owned(),
                "InvalidParameterException",
            ),
            ("ListSecrets", r#""NextToken":"?""#.to_owned(), "InvalidNextTokenException"),
            ("GetRandomPassword", r#""PasswordLength":3"#.to_owned(), "InvalidRequestException"),
            ("RotateSecret", r#""SecretId":"s""#.to_owned(), "UnknownOperationException"),
        ] {
            assert_eq!(world.secrets_refused(action, &members).0, code, "{action} {members:.60}");
        }
    });
}

#[test]
fn passwords_are_of_what_was_asked_for() {
    both(|world| {
        let password = |world: &mut World, members: &str| {
            text(&world.secrets("GetRandomPassword", members), &["RandomPassword"]).to_string()
        };
        let all = password(world, "");
        assert_eq!(all.chars().count(), 32);
        assert!(
            all.chars().any(|letter| letter.is_ascii_digit())
                && all.chars().any(|letter| letter.is_ascii_punctuation())
        );
        let digits = password(
            world,
            r#""PasswordLength":8,"ExcludeLowercase":true,"ExcludeUppercase":true,"ExcludePunctuation":true"#,
        );
        assert!(digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{digits}");
    });
}
