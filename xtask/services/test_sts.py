"""STS. Facts are those of its API reference."""

import datetime
import unittest

from world import ACCOUNT, IS_MOTO, REGION, client, differs, error_of, query, unique

sts = client("sts")
ROLE = "arn:aws:iam::444455556666:role/there"


class Credentials(unittest.TestCase):
    def test_a_caller_is_told_who_it_is(self):
        me = sts.get_caller_identity()
        self.assertEqual(me["Account"], ACCOUNT)
        self.assertTrue(me["UserId"])
        self.assertIn(ACCOUNT, me["Arn"])
        status, text = query("sts", "GetCallerIdentity", "2011-06-15")
        self.assertEqual(status, 200)
        self.assertIn(f"<Account>{ACCOUNT}</Account>", text)

    def test_a_role_is_assumed_and_its_account_is_where_its_keys_lead(self):
        before = datetime.datetime.now(datetime.timezone.utc)
        assumed = sts.assume_role(RoleArn=ROLE, RoleSessionName="session", DurationSeconds=900)
        made = assumed["Credentials"]
        self.assertTrue(made["AccessKeyId"].startswith("ASIA"))
        self.assertEqual(len(made["AccessKeyId"]), 20)
        self.assertEqual(len(made["SecretAccessKey"]), 40)
        self.assertLess(abs((made["Expiration"] - before).total_seconds() - 900), 60)
        self.assertEqual(assumed["AssumedRoleUser"]["Arn"], "arn:aws:sts::444455556666:assumed-role/there/session")
        self.assertTrue(assumed["AssumedRoleUser"]["AssumedRoleId"].endswith(":session"))
        there = client("sqs", key=made["AccessKeyId"], token=made["SessionToken"])
        url = there.create_queue(QueueName=unique("queue"))["QueueUrl"]
        self.assertIn("/444455556666/", url)
        self.assertEqual(client("sts", key=made["AccessKeyId"], token=made["SessionToken"]).get_caller_identity()["Account"], "444455556666")

    def test_sessions_that_cannot_be_are_refused(self):
        for request in [
            {"RoleArn": ROLE, "RoleSessionName": "a b"},
            {"RoleArn": ROLE, "RoleSessionName": "session", "DurationSeconds": 43201},
            {"RoleArn": "arn:aws:iam::nonsense", "RoleSessionName": "session"},
        ]:
            with differs("moto checks the duration alone"):
                error = error_of(sts.assume_role, **request)
                self.assertEqual((error.code, error.status), ("ValidationError", 400), request)

    def test_a_session_has_keys_of_the_caller(self):
        made = sts.get_session_token()["Credentials"]
        self.assertTrue({"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"} <= set(made))
        with differs("moto's keys of sessions say nothing"):
            self.assertEqual(sts.get_access_key_info(AccessKeyId=made["AccessKeyId"])["Account"], ACCOUNT)

    def test_what_is_not_here_is_named(self):
        if IS_MOTO:
            self.skipTest("moto has some of it")
        for call, name, request in [
            (sts.decode_authorization_message, "DecodeAuthorizationMessage", {"EncodedMessage": "x"}),
            (
                sts.assume_role_with_saml,
                "AssumeRoleWithSAML",
                {"RoleArn": ROLE, "PrincipalArn": ROLE, "SAMLAssertion": "xxxx"},
            ),
        ]:
            error = error_of(call, **request)
            self.assertEqual((error.code, error.status), ("InvalidAction", 400))
            self.assertIn(name, error.message)


if __name__ == "__main__":
    unittest.main()
