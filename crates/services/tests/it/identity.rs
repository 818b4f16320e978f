//! IAM and STS, by scenario. Facts are those of their API references.

use stepwell_json::Json;
use stepwell_protocol::account_of_access_key;

use crate::world::{World, both, text};

const TRUST: &str = r#"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"states.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}"#;
const POLICY: &str =
    r#"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}]}"#;
const POLICY_ARN: &str = "arn:aws:iam::000000000000:policy/p";

impl World {
    fn iam(&mut self, action: &str, members: &str) -> Json {
        let input = format!("{{{members}}}");
        self.ask("iam", action, &input).unwrap_or_else(|error| panic!("{action} {input}: {error:?}"))
    }

    fn iam_refused(&mut self, action: &str, members: &str) -> String {
        match self.ask("iam", action, &format!("{{{members}}}")) {
            Err((code, _)) => code,
            Ok(output) => panic!("{action} {members} is not refused: {output:?}"),
        }
    }

    fn role(&mut self, name: &str) {
        self.iam("CreateRole", &format!(r#""RoleName":"{name}","AssumeRolePolicyDocument":"{TRUST}""#));
    }
}

fn count(output: &Json, list: &str) -> usize {
    output.get(list).and_then(Json::as_array).expect("a list").len()
}

#[test]
fn a_role_lives_and_dies_with_nothing_on_it() {
    both(|world| {
        world.role("r");
        let again = format!(r#""RoleName":"R","AssumeRolePolicyDocument":"{TRUST}""#);
        assert_eq!(world.iam_refused("CreateRole", &again), "EntityAlreadyExistsException");
        let role = world.iam("GetRole", r#""RoleName":"r""#);
        assert_eq!(text(&role, &["Role", "Arn"]).as_ref(), "arn:aws:iam::000000000000:role/r");
        assert!(text(&role, &["Role", "RoleId"]).starts_with("AROA"));
        assert!(text(&role, &["Role", "AssumeRolePolicyDocument"]).starts_with("%7B%22Version%22"));
        world.iam("CreatePolicy", &format!(r#""PolicyName":"p","PolicyDocument":"{POLICY}""#));
        world.iam("AttachRolePolicy", &format!(r#""RoleName":"r","PolicyArn":"{POLICY_ARN}""#));
        world.iam("PutRolePolicy", &format!(r#""RoleName":"r","PolicyName":"own","PolicyDocument":"{POLICY}""#));
        world.iam("CreateInstanceProfile", r#""InstanceProfileName":"i""#);
        world.iam("AddRoleToInstanceProfile", r#""InstanceProfileName":"i","RoleName":"r""#);
        let steps = [
            ("DetachRolePolicy", format!(r#""RoleName":"r","PolicyArn":"{POLICY_ARN}""#)),
            ("DeleteRolePolicy", r#""RoleName":"r","PolicyName":"own""#.to_owned()),
            ("RemoveRoleFromInstanceProfile", r#""InstanceProfileName":"i","RoleName":"r""#.to_owned()),
        ];
        for (step, members) in steps {
            assert_eq!(
                world.iam_refused("DeleteRole", r#""RoleName":"r""#),
                "DeleteConflictException",
                "before {step}"
            );
            world.iam(step, &members);
            assert_eq!(world.iam_refused(step, &members), "NoSuchEntityException", "{step} again");
        }
        world.iam("DeleteRole", r#""RoleName":"r""#);
        for action in
            ["GetRole", "DeleteRole", "ListRolePolicies", "ListAttachedRolePolicies", "ListRoleTags", "UpdateRole"]
        {
            assert_eq!(world.iam_refused(action, r#""RoleName":"r""#), "NoSuchEntityException", "{action}");
        }
    });
}

#[test]
fn policies_have_versions_and_go_when_nobody_has_them() {
    both(|world| {
        world.iam("CreatePolicy", &format!(r#""PolicyName":"p","PolicyDocument":"{POLICY}""#));
        let arn = format!(r#""PolicyArn":"{POLICY_ARN}""#);
        world.role("r");
        world.iam("AttachRolePolicy", &format!(r#""RoleName":"r",{arn}"#));
        let having = world.iam("ListEntitiesForPolicy", &arn);
        assert_eq!(text(&having, &["PolicyRoles", "0", "RoleName"]).as_ref(), "r");
        assert_eq!(world.iam_refused("DeletePolicy", &arn), "DeleteConflictException");
        world.iam("DetachRolePolicy", &format!(r#""RoleName":"r",{arn}"#));
        for _ in 0..4 {
            world.iam("CreatePolicyVersion", &format!(r#"{arn},"PolicyDocument":"{POLICY}","SetAsDefault":true"#));
        }
        let full = format!(r#"{arn},"PolicyDocument":"{POLICY}""#);
        assert_eq!(world.iam_refused("CreatePolicyVersion", &full), "LimitExceededException");
        let policy = world.iam("GetPolicy", &arn);
        assert_eq!(text(&policy, &["Policy", "DefaultVersionId"]).as_ref(), "v5");
        assert_eq!(world.iam_refused("DeletePolicy", &arn), "DeleteConflictException");
        assert_eq!(
            world.iam_refused("DeletePolicyVersion", &format!(r#"{arn},"VersionId":"v5""#)),
            "DeleteConflictException"
        );
        world.iam("SetDefaultPolicyVersion", &format!(r#"{arn},"VersionId":"v1""#));
        for number in 2..=5 {
            world.iam("DeletePolicyVersion", &format!(r#"{arn},"VersionId":"v{number}""#));
        }
        assert_eq!(count(&world.iam("ListPolicyVersions", &arn), "Versions"), 1);
        assert_eq!(
            world.iam_refused("GetPolicyVersion", &format!(r#"{arn},"VersionId":"v2""#)),
            "NoSuchEntityException"
        );
        world.iam("DeletePolicy", &arn);
        assert_eq!(world.iam_refused("GetPolicy", &arn), "NoSuchEntityException");
        // Those of AWS need not be there.
        world.iam("AttachRolePolicy", r#""RoleName":"r","PolicyArn":"arn:aws:iam::aws:policy/AWSLambdaExecute""#);
        assert_eq!(world.iam_refused("AttachRolePolicy", &format!(r#""RoleName":"r",{arn}"#)), "NoSuchEntityException");
    });
}

#[test]
fn users_groups_and_keys_hang_together() {
    both(|world| {
        world.iam("CreateUser", r#""UserName":"u","Path":"/team/","Tags":[{"Key":"a","Value":"1"}]"#);
        world.iam("CreateGroup", r#""GroupName":"g""#);
        world.iam("AddUserToGroup", r#""GroupName":"g","UserName":"u""#);
        assert_eq!(count(&world.iam("GetGroup", r#""GroupName":"g""#), "Users"), 1);
        assert_eq!(count(&world.iam("ListGroupsForUser", r#""UserName":"u""#), "Groups"), 1);
        let key = world.iam("CreateAccessKey", r#""UserName":"u""#);
        let id = text(&key, &["AccessKey", "AccessKeyId"]);
        assert_eq!(account_of_access_key(&id).as_deref(), Some("000000000000"));
        world.iam("CreateAccessKey", r#""UserName":"u""#);
        assert_eq!(world.iam_refused("CreateAccessKey", r#""UserName":"u""#), "LimitExceededException");
        world.iam("UpdateAccessKey", &format!(r#""UserName":"u","AccessKeyId":"{id}","Status":"Inactive""#));
        let keys = world.iam("ListAccessKeys", r#""UserName":"u""#);
        assert_eq!(count(&keys, "AccessKeyMetadata"), 2);
        assert!(keys.to_string().contains(r#""Status":"Inactive""#));
        for group_or_keys in ["DeleteUser", "DeleteUser"] {
            assert_eq!(world.iam_refused(group_or_keys, r#""UserName":"u""#), "DeleteConflictException");
        }
        assert_eq!(world.iam_refused("DeleteGroup", r#""GroupName":"g""#), "DeleteConflictException");
        world.iam("RemoveUserFromGroup", r#""GroupName":"g","UserName":"u""#);
        let ids = keys.get("AccessKeyMetadata").and_then(Json::as_array).expect("keys").iter();
        let ids: Vec<_> = ids.map(|key| text(key, &["AccessKeyId"])).collect();
        for id in ids {
            world.iam("DeleteAccessKey", &format!(r#""UserName":"u","AccessKeyId":"{id}""#));
        }
        assert_eq!(count(&world.iam("ListUsers", r#""PathPrefix":"/team/""#), "Users"), 1);
        assert_eq!(count(&world.iam("ListUsers", r#""PathPrefix":"/other/""#), "Users"), 0);
        world.iam("DeleteUser", r#""UserName":"u""#);
    });
}

#[test]
fn lists_come_in_pages() {
    both(|world| {
        for name in ["a", "b", "c"] {
            world.role(name);
        }
        let first = world.iam("ListRoles", r#""MaxItems":2"#);
        let marker = text(&first, &["Marker"]);
        let second = world.iam("ListRoles", &format!(r#""Marker":"{marker}""#));
        assert_eq!((count(&first, "Roles"), count(&second, "Roles")), (2, 1));
        assert_eq!(second.get("IsTruncated"), Some(&Json::Bool(false)));
    });
}

#[test]
fn what_cannot_be_is_refused() {
    both(|world| {
        world.role("r");
        for (action, members, code) in [
            ("CreateRole", r#""RoleName":"a b","AssumeRolePolicyDocument":"{}""#.to_owned(), "ValidationError"),
            ("CreateRole", r#""RoleName":"a""#.to_owned(), "ValidationError"),
            (
                "CreateRole",
                r#""RoleName":"a","AssumeRolePolicyDocument":"x""#.to_owned(),
                "MalformedPolicyDocumentException",
            ),
            (
                "CreateRole",
                format!(r#""RoleName":"a","Path":"x","AssumeRolePolicyDocument":"{TRUST}""#),
                "ValidationError",
            ),
            (
                "CreateRole",
                format!(r#""RoleName":"a","MaxSessionDuration":60,"AssumeRolePolicyDocument":"{TRUST}""#),
                "ValidationError",
            ),
            (
                "CreatePolicy",
                format!(r#""PolicyName":"a","PolicyDocument":"{TRUST}""#),
                "MalformedPolicyDocumentException",
            ),
            (
                "PutRolePolicy",
                r#""RoleName":"r","PolicyName":"a","PolicyDocument":"{}""#.to_owned(),
                "MalformedPolicyDocumentException",
            ),
            ("GetRolePolicy", r#""RoleName":"r","PolicyName":"a""#.to_owned(), "NoSuchEntityException"),
            ("GetPolicy", r#""PolicyArn":"nonsense""#.to_owned(), "ValidationError"),
            ("AttachRolePolicy", r#""RoleName":"r","PolicyArn":"nonsense""#.to_owned(), "ValidationError"),
            ("SimulatePrincipalPolicy", String::new(), "InvalidAction"),
        ] {
            assert_eq!(world.iam_refused(action, &members), code, "{action} {members}");
        }
    });
}

#[test]
fn a_service_has_the_role_it_asks_for() {
    both(|world| {
        let made = world.iam("CreateServiceLinkedRole", r#""AWSServiceName":"states.amazonaws.com""#);
        assert_eq!(
            text(&made, &["Role", "Arn"]).as_ref(),
            "arn:aws:iam::000000000000:role/aws-service-role/states.amazonaws.com/AWSServiceRoleForStates"
        );
        let again = world.iam_refused("CreateServiceLinkedRole", r#""AWSServiceName":"states.amazonaws.com""#);
        assert_eq!(again, "InvalidInputException");
        world.iam("DeleteServiceLinkedRole", r#""RoleName":"AWSServiceRoleForStates""#);
        assert_eq!(world.iam_refused("GetRole", r#""RoleName":"AWSServiceRoleForStates""#), "NoSuchEntityException");
    });
}

#[test]
fn temporary_credentials_say_whose_they_are() {
    both(|world| {
        let me = world.ask("sts", "GetCallerIdentity", "{}").expect("an identity");
        assert_eq!(text(&me, &["Arn"]).as_ref(), "arn:aws:iam::000000000000:root");
        let role = "arn:aws:iam::111122223333:role/path/r";
        let input = format!(r#"{{"RoleArn":"{role}","RoleSessionName":"s1","DurationSeconds":900}}"#);
        let assumed = world.ask("sts", "AssumeRole", &input).expect("assumed");
        assert_eq!(text(&assumed, &["AssumedRoleUser", "Arn"]).as_ref(), "arn:aws:sts::111122223333:assumed-role/r/s1");
        let id = text(&assumed, &["Credentials", "AccessKeyId"]);
        assert!(id.starts_with("ASIA"));
        let until = assumed.get("Credentials").and_then(|made| made.get("Expiration")).and_then(Json::as_i64);
        assert_eq!(until, Some(world.now.0 / 1000 + 900));
        let info = world.ask("sts", "GetAccessKeyInfo", &format!(r#"{{"AccessKeyId":"{id}"}}"#)).expect("info");
        assert_eq!(text(&info, &["Account"]).as_ref(), "111122223333");
        let session = world.ask("sts", "GetSessionToken", "{}").expect("a session");
        let id = text(&session, &["Credentials", "AccessKeyId"]);
        assert_eq!(account_of_access_key(&id).as_deref(), Some("000000000000"));
        for (action, input, code) in [
            ("AssumeRole", r#"{"RoleArn":"nonsense","RoleSessionName":"s1"}"#.to_owned(), "ValidationError"),
            ("AssumeRole", format!(r#"{{"RoleArn":"{role}","RoleSessionName":"s 1"}}"#), "ValidationError"),
            ("AssumeRole", format!(r#"{{"RoleArn":"{role}"}}"#), "ValidationError"),
            (
                "AssumeRole",
                format!(r#"{{"RoleArn":"{role}","RoleSessionName":"s1","DurationSeconds":43201}}"#),
                "ValidationError",
            ),
            ("GetAccessKeyInfo", r#"{"AccessKeyId":"short"}"#.to_owned(), "ValidationError"),
            ("AssumeRoleWithSAML", "{}".to_owned(), "InvalidAction"),
            ("AssumeRoleWithWebIdentity", "{}".to_owned(), "InvalidAction"),
            ("DecodeAuthorizationMessage", "{}".to_owned(), "InvalidAction"),
        ] {
            assert_eq!(
                world.ask("sts", action, &input).map_err(|(code, _)| code),
                Err(code.to_owned()),
                "{action} {input}"
            );
        }
    });
}
