"""IAM, as deployment tools use it. Facts are those of its API reference."""

import json
import unittest

from world import ACCOUNT, IS_MOTO, client, differs, error_of, unique

iam = client("iam")
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})


def new_role(**more):
    name = unique("role")
    return name, iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **more)["Role"]


def new_policy():
    return iam.create_policy(PolicyName=unique("policy"), PolicyDocument=POLICY)["Policy"]["Arn"]


class Roles(unittest.TestCase):
    def test_a_role_is_created_told_changed_and_deleted(self):
        name, made = new_role(Path="/team/", Description="one", Tags=[{"Key": "a", "Value": "1"}])
        self.assertEqual(made["Arn"], f"arn:aws:iam::{ACCOUNT}:role/team/{name}")
        self.assertTrue(made["RoleId"].startswith("AROA"))
        role = iam.get_role(RoleName=name)["Role"]
        self.assertEqual(role["AssumeRolePolicyDocument"], json.loads(TRUST))
        self.assertEqual((role["Description"], role["MaxSessionDuration"], role["Path"]), ("one", 3600, "/team/"))
        self.assertEqual(role["Tags"], [{"Key": "a", "Value": "1"}])
        error = error_of(iam.create_role, RoleName=name, AssumeRolePolicyDocument=TRUST)
        self.assertEqual((error.code, error.status), ("EntityAlreadyExists", 409))
        self.assertEqual(error.message, f"Role with name {name} already exists.")
        iam.update_role(RoleName=name, Description="two", MaxSessionDuration=7200)
        changed = iam.get_role(RoleName=name)["Role"]
        self.assertEqual((changed["Description"], changed["MaxSessionDuration"]), ("two", 7200))
        other = json.loads(TRUST)
        other["Statement"][0]["Principal"] = {"AWS": "*"}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(other))
        self.assertEqual(iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"], other)
        listed = [role["RoleName"] for page in iam.get_paginator("list_roles").paginate(PathPrefix="/team/") for role in page["Roles"]]
        self.assertIn(name, listed)
        iam.delete_role(RoleName=name)
        error = error_of(iam.get_role, RoleName=name)
        self.assertEqual((error.code, error.status), ("NoSuchEntity", 404))
        with differs("moto says it otherwise"):
            self.assertEqual(error.message, f"The role with name {name} cannot be found.")

    def test_tags_come_and_go(self):
        name, _ = new_role()
        iam.tag_role(RoleName=name, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        iam.untag_role(RoleName=name, TagKeys=["a"])
        self.assertEqual(iam.list_role_tags(RoleName=name)["Tags"], [{"Key": "b", "Value": "2"}])

    def test_policies_of_its_own(self):
        name, _ = new_role()
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=POLICY)
        self.assertEqual(iam.list_role_policies(RoleName=name)["PolicyNames"], ["own"])
        got = iam.get_role_policy(RoleName=name, PolicyName="own")
        self.assertEqual((got["RoleName"], got["PolicyDocument"]), (name, json.loads(POLICY)))
        error = error_of(iam.delete_role, RoleName=name)
        self.assertEqual((error.code, error.status), ("DeleteConflict", 409))
        iam.delete_role_policy(RoleName=name, PolicyName="own")
        for call in [iam.get_role_policy, iam.delete_role_policy]:
            error = error_of(call, RoleName=name, PolicyName="own")
            self.assertEqual((error.code, error.status), ("NoSuchEntity", 404))
        iam.delete_role(RoleName=name)

    def test_managed_policies_are_attached(self):
        name, _ = new_role()
        arn = new_policy()
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        (attached,) = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        self.assertEqual(attached, {"PolicyName": arn.rsplit("/", 1)[1], "PolicyArn": arn})
        self.assertEqual(iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"], 1)
        self.assertEqual([role["RoleName"] for role in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]], [name])
        for call, request in [(iam.delete_role, {"RoleName": name}), (iam.delete_policy, {"PolicyArn": arn})]:
            if IS_MOTO and call == iam.delete_policy:
                continue  # moto deletes what is attached
            error = error_of(call, **request)
            self.assertEqual((error.code, error.status), ("DeleteConflict", 409))
        iam.detach_role_policy(RoleName=name, PolicyArn=arn)
        error = error_of(iam.detach_role_policy, RoleName=name, PolicyArn=arn)
        self.assertEqual((error.code, error.status), ("NoSuchEntity", 404))
        error = error_of(iam.attach_role_policy, RoleName=name, PolicyArn=arn + "x")
        self.assertEqual((error.code, error.status), ("NoSuchEntity", 404))
        iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")

    def test_documents_and_names_that_cannot_be_are_refused(self):
        name, _ = new_role()
        for call, request in [
            (iam.create_role, {"RoleName": unique(), "AssumeRolePolicyDocument": "nonsense"}),
            (iam.create_policy, {"PolicyName": unique(), "PolicyDocument": "nonsense"}),
            (iam.put_role_policy, {"RoleName": name, "PolicyName": "p", "PolicyDocument": '{"Version":"2012-10-17"}'}),
            (iam.create_policy, {"PolicyName": unique(), "PolicyDocument": '{"Statement":{"Effect":"Allow","Action":"*"}}'}),
        ]:
            with differs("moto takes any document that says who may assume a role"):
                error = error_of(call, **request)
                self.assertEqual((error.code, error.status), ("MalformedPolicyDocument", 400), request)
        for bad in ["a b", "x" * 65]:
            with differs("moto looks at the length alone"):
                error = error_of(iam.create_role, RoleName=bad, AssumeRolePolicyDocument=TRUST)
                self.assertEqual((error.code, error.status), ("ValidationError", 400))

    def test_a_service_has_a_role_of_its_own(self):
        suffix = unique("s").replace("-", "")
        role = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix=suffix)["Role"]
        self.assertTrue(role["RoleName"].endswith(suffix))
        self.assertEqual(role["Path"], "/aws-service-role/autoscaling.amazonaws.com/")
        self.assertIn("DeletionTaskId", iam.delete_service_linked_role(RoleName=role["RoleName"]))

    def test_an_action_that_is_not_here_is_named(self):
        if IS_MOTO:
            self.skipTest("moto has some of it")
        error = error_of(iam.simulate_principal_policy, PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/r", ActionNames=["s3:*"])
        self.assertEqual((error.code, error.status), ("InvalidAction", 400))
        self.assertIn("SimulatePrincipalPolicy", error.message)


class Policies(unittest.TestCase):
    def test_versions_come_and_go(self):
        arn = new_policy()
        self.assertTrue(iam.get_policy(PolicyArn=arn)["Policy"]["PolicyId"].startswith("A"))
        second = iam.create_policy_version(PolicyArn=arn, PolicyDocument=POLICY, SetAsDefault=True)["PolicyVersion"]
        self.assertEqual((second["VersionId"], second["IsDefaultVersion"]), ("v2", True))
        self.assertEqual(iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"], "v2")
        self.assertEqual(iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"], json.loads(POLICY))
        self.assertEqual(len(iam.list_policy_versions(PolicyArn=arn)["Versions"]), 2)
        for call, request in [(iam.delete_policy, {}), (iam.delete_policy_version, {"VersionId": "v2"})]:
            with differs("moto deletes a policy with all of its versions"):
                error = error_of(call, PolicyArn=arn, **request)
                self.assertEqual((error.code, error.status), ("DeleteConflict", 409))
        if not IS_MOTO:
            iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
            iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
            iam.delete_policy(PolicyArn=arn)
        error = error_of(iam.get_policy, PolicyArn=arn)
        self.assertEqual((error.code, error.status), ("NoSuchEntity", 404))

    def test_names_are_taken_once(self):
        name = unique("policy")
        iam.create_policy(PolicyName=name, PolicyDocument=POLICY)
        error = error_of(iam.create_policy, PolicyName=name, PolicyDocument=POLICY)
        self.assertEqual((error.code, error.status), ("EntityAlreadyExists", 409))
        listed = [policy["PolicyName"] for page in iam.get_paginator("list_policies").paginate(Scope="Local") for policy in page["Policies"]]
        self.assertIn(name, listed)


class Others(unittest.TestCase):
    def test_an_instance_profile_has_a_role(self):
        (role, _), name = new_role(), unique("profile")
        made = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        self.assertEqual((made["Arn"], made["Roles"]), (f"arn:aws:iam::{ACCOUNT}:instance-profile/{name}", []))
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
        got = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        self.assertEqual([one["RoleName"] for one in got["Roles"]], [role])
        of_role = iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"]
        self.assertEqual([one["InstanceProfileName"] for one in of_role], [name])
        error = error_of(iam.add_role_to_instance_profile, InstanceProfileName=name, RoleName=new_role()[0])
        self.assertEqual((error.code, error.status), ("LimitExceeded", 409))
        iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role)
        iam.delete_instance_profile(InstanceProfileName=name)
        error = error_of(iam.get_instance_profile, InstanceProfileName=name)
        self.assertEqual((error.code, error.status), ("NoSuchEntity", 404))

    def test_a_user_has_groups_and_keys(self):
        user, group = unique("user"), unique("group")
        self.assertEqual(iam.create_user(UserName=user)["User"]["Arn"], f"arn:aws:iam::{ACCOUNT}:user/{user}")
        iam.create_group(GroupName=group)
        iam.add_user_to_group(GroupName=group, UserName=user)
        self.assertEqual([one["UserName"] for one in iam.get_group(GroupName=group)["Users"]], [user])
        self.assertEqual([one["GroupName"] for one in iam.list_groups_for_user(UserName=user)["Groups"]], [group])
        key = iam.create_access_key(UserName=user)["AccessKey"]
        self.assertEqual((key["UserName"], key["Status"], key["AccessKeyId"][:4]), (user, "Active", "AKIA"))
        iam.update_access_key(UserName=user, AccessKeyId=key["AccessKeyId"], Status="Inactive")
        (listed,) = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        self.assertEqual((listed["AccessKeyId"], listed["Status"]), (key["AccessKeyId"], "Inactive"))
        with differs("moto deletes a user that has something"):
            error = error_of(iam.delete_user, UserName=user)
            self.assertEqual((error.code, error.status), ("DeleteConflict", 409))
        if not IS_MOTO:
            iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
            iam.remove_user_from_group(GroupName=group, UserName=user)
            iam.delete_user(UserName=user)
        error = error_of(iam.get_user, UserName=user)
        self.assertEqual((error.code, error.status), ("NoSuchEntity", 404))


if __name__ == "__main__":
    unittest.main()
