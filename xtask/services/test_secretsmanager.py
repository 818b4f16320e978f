"""Secrets Manager. Facts are those of its API reference."""

import unittest

from world import ACCOUNT, IS_MOTO, REGION, client, differs, error_of, unique

secrets = client("secretsmanager")


def new_secret(value="one", **more):
    name = unique("secret")
    return name, secrets.create_secret(Name=name, SecretString=value, **more)


class Secrets(unittest.TestCase):
    def test_a_secret_is_created_and_had_by_name_and_arn(self):
        name, made = new_secret(Description="d", Tags=[{"Key": "a", "Value": "1"}])
        self.assertTrue(made["ARN"].startswith(f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-"))
        self.assertEqual(len(made["ARN"].rsplit("-", 1)[1]), 6)
        for id in [name, made["ARN"], made["ARN"].rsplit("-", 1)[0]]:
            got = secrets.get_secret_value(SecretId=id)
            self.assertEqual((got["SecretString"], got["VersionId"]), ("one", made["VersionId"]))
            self.assertEqual((got["Name"], got["VersionStages"]), (name, ["AWSCURRENT"]))
        told = secrets.describe_secret(SecretId=name)
        self.assertEqual((told["Description"], told["Tags"]), ("d", [{"Key": "a", "Value": "1"}]))
        self.assertEqual(told["VersionIdsToStages"], {made["VersionId"]: ["AWSCURRENT"]})
        error = error_of(secrets.create_secret, Name=name, SecretString="other")
        self.assertEqual((error.code, error.status), ("ResourceExistsException", 400))
        with differs("moto says it otherwise"):
            self.assertEqual(error.message, f"The operation failed because the secret {name} already exists.")

    def test_bytes_are_secret_too(self):
        name = unique("secret")
        secrets.create_secret(Name=name, SecretBinary=b"\x00\xff")
        got = secrets.get_secret_value(SecretId=name)
        self.assertEqual(got["SecretBinary"], b"\x00\xff")
        self.assertNotIn("SecretString", got)

    def test_versions_move_through_stages(self):
        name, made = new_secret()
        second = secrets.put_secret_value(SecretId=name, SecretString="two")
        self.assertEqual(second["VersionStages"], ["AWSCURRENT"])
        self.assertEqual(secrets.get_secret_value(SecretId=name)["SecretString"], "two")
        previous = secrets.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")
        self.assertEqual((previous["SecretString"], previous["VersionId"]), ("one", made["VersionId"]))
        by_id = secrets.get_secret_value(SecretId=name, VersionId=made["VersionId"])
        self.assertEqual(by_id["SecretString"], "one")
        secrets.update_secret(SecretId=name, SecretString="three", Description="d")
        self.assertEqual(secrets.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")["SecretString"], "two")
        self.assertEqual(secrets.describe_secret(SecretId=name)["Description"], "d")
        current = secrets.get_secret_value(SecretId=name)["VersionId"]
        secrets.update_secret_version_stage(
            SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=second["VersionId"], RemoveFromVersionId=current
        )
        with differs("moto leaves the stage where it was"):
            self.assertEqual(secrets.get_secret_value(SecretId=name)["SecretString"], "two")
            self.assertEqual(secrets.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")["SecretString"], "three")
        staged = secrets.list_secret_version_ids(SecretId=name)["Versions"]
        self.assertEqual(sorted(stage for version in staged for stage in version.get("VersionStages", [])), ["AWSCURRENT", "AWSPREVIOUS"])

    def test_a_token_makes_one_version(self):
        name, token = unique("secret"), "t" * 32
        made = secrets.create_secret(Name=name, SecretString="v", ClientRequestToken=token)
        self.assertEqual(made["VersionId"], token)
        with differs("moto refuses the same call"):
            self.assertEqual(secrets.create_secret(Name=name, SecretString="v", ClientRequestToken=token)["ARN"], made["ARN"])
        with differs("moto writes over the version"):
            error = error_of(secrets.put_secret_value, SecretId=name, SecretString="w", ClientRequestToken=token)
            self.assertEqual((error.code, error.status), ("ResourceExistsException", 400))

    @differs("moto answers 404 or 500 to some")
    def test_what_is_not_there_is_not_found(self):
        for call, request in [
            (secrets.get_secret_value, {}),
            (secrets.put_secret_value, {"SecretString": "v"}),
            (secrets.update_secret, {"SecretString": "v"}),
            (secrets.describe_secret, {}),
            (secrets.delete_secret, {}),
            (secrets.restore_secret, {}),
            (secrets.list_secret_version_ids, {}),
            (secrets.tag_resource, {"Tags": []}),
            (secrets.untag_resource, {"TagKeys": ["a"]}),
        ]:
            error = error_of(call, SecretId=unique("none"), **request)
            self.assertEqual((error.code, error.status), ("ResourceNotFoundException", 400), call)
            self.assertEqual(error.message, "Secrets Manager can't find the specified secret.")
        name, _ = new_secret()
        error = error_of(secrets.get_secret_value, SecretId=name, VersionStage="NONE")
        self.assertEqual(error.code, "ResourceNotFoundException")
        self.assertIn("staging label: NONE", error.message)

    def test_a_deleted_secret_may_be_had_back(self):
        name, made = new_secret()
        deleted = secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)
        self.assertEqual((deleted["ARN"], deleted["Name"]), (made["ARN"], name))
        error = error_of(secrets.get_secret_value, SecretId=name)
        self.assertEqual((error.code, error.status), ("InvalidRequestException", 400))
        error = error_of(secrets.create_secret, Name=name, SecretString="v")
        with differs("moto says that it exists"):
            self.assertEqual(error.code, "InvalidRequestException")
        listed = lambda **more: [  # noqa: E731
            secret["Name"] for page in secrets.get_paginator("list_secrets").paginate(**more) for secret in page["SecretList"]
        ]
        self.assertNotIn(name, listed())
        self.assertIn(name, listed(IncludePlannedDeletion=True))
        self.assertIn("DeletedDate", secrets.describe_secret(SecretId=name))
        secrets.restore_secret(SecretId=name)
        self.assertEqual(secrets.get_secret_value(SecretId=name)["SecretString"], "one")
        secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        self.assertEqual(error_of(secrets.describe_secret, SecretId=name).code, "ResourceNotFoundException")
        self.assertNotEqual(secrets.create_secret(Name=name, SecretString="v")["ARN"], made["ARN"])

    def test_calls_that_cannot_be_are_refused(self):
        name, _ = new_secret()
        for call, request in [
            (secrets.delete_secret, {"SecretId": name, "RecoveryWindowInDays": 6}),
            (secrets.delete_secret, {"SecretId": name, "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": True}),
            (secrets.create_secret, {"Name": unique(), "SecretString": "v", "SecretBinary": b"v"}),
            (secrets.create_secret, {"Name": unique(), "SecretString": "x" * 65537}),
        ]:
            with differs("moto takes a value of both kinds"):
                error = error_of(call, **request)
                with differs("moto has another code for long values"):
                    self.assertEqual((error.code, error.status), ("InvalidParameterException", 400), str(request)[:60])

    def test_secrets_are_filtered(self):
        name, _ = new_secret(Tags=[{"Key": unique("team"), "Value": "red"}])
        names = lambda key, value: [  # noqa: E731
            one["Name"] for one in secrets.list_secrets(Filters=[{"Key": key, "Values": [value]}])["SecretList"]
        ]
        self.assertEqual(names("name", name), [name])
        tag = secrets.describe_secret(SecretId=name)["Tags"][0]["Key"]
        self.assertEqual(names("tag-key", tag), [name])
        self.assertEqual(names("name", "nothing-is-called-so"), [])

    def test_tags_and_policies_come_and_go(self):
        name, _ = new_secret()
        secrets.tag_resource(SecretId=name, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        secrets.untag_resource(SecretId=name, TagKeys=["a"])
        self.assertEqual(secrets.describe_secret(SecretId=name)["Tags"], [{"Key": "b", "Value": "2"}])
        self.assertNotIn("ResourcePolicy", secrets.get_resource_policy(SecretId=name))
        secrets.put_resource_policy(SecretId=name, ResourcePolicy='{"Version":"2012-10-17","Statement":[]}')
        self.assertIn("Statement", secrets.get_resource_policy(SecretId=name)["ResourcePolicy"])
        secrets.delete_resource_policy(SecretId=name)

    def test_passwords_are_of_what_was_asked_for(self):
        self.assertEqual(len(secrets.get_random_password()["RandomPassword"]), 32)
        digits = secrets.get_random_password(
            PasswordLength=8, ExcludeLowercase=True, ExcludeUppercase=True, ExcludePunctuation=True
        )["RandomPassword"]
        self.assertTrue(digits.isdigit() and len(digits) == 8)

    def test_an_action_that_is_not_here_is_named(self):
        if IS_MOTO:
            self.skipTest("moto has it")
        error = error_of(secrets.rotate_secret, SecretId=new_secret()[0])
        self.assertEqual((error.code, error.status), ("UnknownOperationException", 400))
        self.assertIn("RotateSecret", error.message)


if __name__ == "__main__":
    unittest.main()
