"""S3: buckets, objects, versions, uploads in parts, listings, settings, presigned URLs and notifications."""

import base64
import hashlib
import json
import random
import unittest
import urllib.error
import urllib.request
import zlib

from botocore.exceptions import ClientError
from world import ACCOUNT, IS_MOTO, REGION, URL, client, differs, error_of, eventually, signed, unique

s3 = client("s3")
MIB = 1024 * 1024


def fetch(url, method="GET", data=None, headers=None):
    """The status and body of a plain request, signed by nobody."""
    request = urllib.request.Request(url, data=data, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def crc32(data):
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.bucket = unique("bucket")
        s3.create_bucket(Bucket=self.bucket)

    def put(self, key, body=b"x", **more):
        return s3.put_object(Bucket=self.bucket, Key=key, Body=body, **more)

    def get(self, key, **more):
        return s3.get_object(Bucket=self.bucket, Key=key, **more)

    def read(self, key, **more):
        return self.get(key, **more)["Body"].read()

    def enable_versions(self, status="Enabled"):
        s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": status})

    def keys(self, **more):
        answer = s3.list_objects_v2(Bucket=self.bucket, **more)
        return [one["Key"] for one in answer.get("Contents", [])]

    def refused(self, call, code, status, **request):
        error = error_of(call, Bucket=self.bucket, **request)
        self.assertEqual((error.code, error.status), (code, status), error)
        return error


class Buckets(Case):
    def test_create_list_head_delete(self):
        names = [one["Name"] for one in s3.list_buckets()["Buckets"]]
        self.assertIn(self.bucket, names)
        with differs("moto lists buckets in the order they were made"):
            self.assertEqual(names, sorted(names))
        s3.head_bucket(Bucket=self.bucket)
        s3.delete_bucket(Bucket=self.bucket)
        self.assertEqual(error_of(s3.head_bucket, Bucket=self.bucket)[::2], ("404", 404))
        error = error_of(s3.delete_bucket, Bucket=self.bucket)
        self.assertEqual(error, ("NoSuchBucket", "The specified bucket does not exist", 404))

    def test_an_error_names_the_bucket(self):
        with self.assertRaises(ClientError) as caught:
            s3.list_objects_v2(Bucket="no-such-bucket-here")
        self.assertEqual(caught.exception.response["Error"]["BucketName"], "no-such-bucket-here")
        metadata = caught.exception.response["ResponseMetadata"]
        self.assertTrue(metadata["RequestId"])
        if not IS_MOTO:
            self.assertTrue(metadata["HostId"])

    def test_names(self):
        for name in ["Abc", "a_b", "abc-", "a..b", "192.168.0.1"]:
            status, _, body = signed("s3", "PUT", f"/{name}")
            with differs("moto takes some names that AWS's rules exclude"):
                self.assertEqual((name, status), (name, 400))
                self.assertIn(b"<Code>InvalidBucketName</Code>", body)

    def test_a_bucket_is_made_once(self):
        # In us-east-1 the owner may make a bucket again; elsewhere nobody may.
        s3.create_bucket(Bucket=self.bucket)
        west = client("s3", region="eu-west-1")
        name = unique("west")
        make = {"Bucket": name, "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
        west.create_bucket(**make)
        self.assertEqual(error_of(west.create_bucket, **make)[::2], ("BucketAlreadyOwnedByYou", 409))
        other = client("s3", account="444455556666", region="eu-west-1")
        with differs("moto keeps names apart by account"):
            self.assertEqual(error_of(other.create_bucket, **make)[::2], ("BucketAlreadyExists", 409))
            self.assertEqual(error_of(other.list_objects_v2, Bucket=name)[::2], ("AccessDenied", 403))
        self.assertEqual(west.get_bucket_location(Bucket=name)["LocationConstraint"], "eu-west-1")
        self.assertIsNone(s3.get_bucket_location(Bucket=self.bucket)["LocationConstraint"])

    def test_locations(self):
        west = client("s3", region="eu-west-1")
        error = error_of(west.create_bucket, Bucket=unique())
        self.assertEqual(error.code, "IllegalLocationConstraintException")
        constraint = {"LocationConstraint": "us-east-1"}
        error = error_of(s3.create_bucket, Bucket=unique(), CreateBucketConfiguration=constraint)
        self.assertEqual(error.code, "InvalidLocationConstraint")

    def test_only_an_empty_bucket_goes(self):
        self.put("k")
        error = self.refused(s3.delete_bucket, "BucketNotEmpty", 409)
        self.assertEqual(error.message, "The bucket you tried to delete is not empty")
        s3.delete_object(Bucket=self.bucket, Key="k")
        s3.delete_bucket(Bucket=self.bucket)

    def test_list_buckets_by_prefix_and_page(self):
        names = [f"{self.bucket}-{n}" for n in range(3)]
        for name in names:
            s3.create_bucket(Bucket=name)
        found = [one["Name"] for one in s3.list_buckets(Prefix=f"{self.bucket}-")["Buckets"]]
        self.assertEqual(found, names)
        with differs("moto does not page buckets"):
            page = s3.list_buckets(Prefix=f"{self.bucket}-", MaxBuckets=2)
            self.assertEqual([one["Name"] for one in page["Buckets"]], names[:2])
            rest = s3.list_buckets(Prefix=f"{self.bucket}-", ContinuationToken=page["ContinuationToken"])
            self.assertEqual([one["Name"] for one in rest["Buckets"]], names[2:])

    def test_expected_owner(self):
        with differs("moto does not look at the expected owner"):
            error = error_of(s3.list_objects_v2, Bucket=self.bucket, ExpectedBucketOwner="999999999999")
            self.assertEqual(error[::2], ("AccessDenied", 403))
        s3.list_objects_v2(Bucket=self.bucket, ExpectedBucketOwner=ACCOUNT)


class Settings(Case):
    def check(self, name, setting, read, missing):
        """Puts, reads, deletes and misses a setting."""
        getattr(s3, f"put_{name}")(Bucket=self.bucket, **setting)
        answer = getattr(s3, f"get_{name}")(Bucket=self.bucket)
        for member, value in read.items():
            self.assertEqual(answer[member], value)
        getattr(s3, f"delete_{name.replace('_configuration', '') if 'lifecycle' in name else name}")(Bucket=self.bucket)
        if missing:
            self.refused(getattr(s3, f"get_{name}"), missing, 404)

    def test_policy(self):
        arn = f"arn:aws:s3:::{self.bucket}"
        statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.check("bucket_policy", {"Policy": policy}, {"Policy": policy}, "NoSuchBucketPolicy")
        with differs("moto takes any text for a policy"):
            self.refused(s3.put_bucket_policy, "MalformedPolicy", 400, Policy="no policy")

    def test_cors(self):
        rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]
        self.check(
            "bucket_cors", {"CORSConfiguration": {"CORSRules": rules}}, {"CORSRules": rules}, "NoSuchCORSConfiguration"
        )

    def test_lifecycle(self):
        rules = [{"ID": "r", "Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": 30}}]
        self.check(
            "bucket_lifecycle_configuration",
            {"LifecycleConfiguration": {"Rules": rules}},
            {"Rules": rules},
            "NoSuchLifecycleConfiguration",
        )

    def test_tagging(self):
        tags = [{"Key": "a", "Value": "1"}]
        self.check("bucket_tagging", {"Tagging": {"TagSet": tags}}, {"TagSet": tags}, "NoSuchTagSet")
        twice = {"TagSet": tags + tags}
        self.refused(s3.put_bucket_tagging, "InvalidTag", 400, Tagging=twice)

    def test_website(self):
        site = {"IndexDocument": {"Suffix": "index.html"}}
        self.check("bucket_website", {"WebsiteConfiguration": site}, site, "NoSuchWebsiteConfiguration")

    def test_ownership(self):
        controls = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
        self.check(
            "bucket_ownership_controls",
            {"OwnershipControls": controls},
            {"OwnershipControls": controls},
            "OwnershipControlsNotFoundError",
        )

    def test_public_access_block(self):
        blocks = dict.fromkeys(
            ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"], True
        )
        with differs("moto's new buckets do not block public access, AWS's do since 2023"):
            answer = s3.get_public_access_block(Bucket=self.bucket)
            self.assertEqual(answer["PublicAccessBlockConfiguration"], blocks)
        blocks["BlockPublicAcls"] = False
        self.check(
            "public_access_block",
            {"PublicAccessBlockConfiguration": blocks},
            {"PublicAccessBlockConfiguration": blocks},
            "NoSuchPublicAccessBlockConfiguration",
        )

    def test_encryption(self):
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}}
        with differs("moto has no default encryption"):
            answer = s3.get_bucket_encryption(Bucket=self.bucket)["ServerSideEncryptionConfiguration"]
            default = answer["Rules"][0]["ApplyServerSideEncryptionByDefault"]
            self.assertEqual(default, {"SSEAlgorithm": "AES256"})
        s3.put_bucket_encryption(Bucket=self.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        answer = s3.get_bucket_encryption(Bucket=self.bucket)["ServerSideEncryptionConfiguration"]
        self.assertEqual(answer["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "aws:kms")
        self.assertEqual(self.put("k").get("ServerSideEncryption"), "aws:kms")

    def test_versioning(self):
        self.assertNotIn("Status", s3.get_bucket_versioning(Bucket=self.bucket))
        for status in ["Enabled", "Suspended"]:
            self.enable_versions(status)
            self.assertEqual(s3.get_bucket_versioning(Bucket=self.bucket)["Status"], status)

    def test_what_is_always_so(self):
        self.assertEqual(s3.get_bucket_acl(Bucket=self.bucket)["Grants"][0]["Permission"], "FULL_CONTROL")
        self.assertNotIn("LoggingEnabled", s3.get_bucket_logging(Bucket=self.bucket))
        self.assertNotIn("Status", s3.get_bucket_accelerate_configuration(Bucket=self.bucket))

    @differs("moto does these")
    def test_what_is_not_done_is_named(self):
        for call, action, more in [
            (s3.put_bucket_replication, "PutBucketReplication", {
                "ReplicationConfiguration": {"Role": "r", "Rules": [
                    {"Status": "Enabled", "Destination": {"Bucket": "b"}}]}}),
            (s3.get_bucket_replication, "GetBucketReplication", {}),
            (s3.put_bucket_accelerate_configuration, "PutBucketAccelerateConfiguration", {
                "AccelerateConfiguration": {"Status": "Enabled"}}),
            (s3.list_bucket_inventory_configurations, "ListBucketInventoryConfigurations", {}),
            (s3.get_object_torrent, "GetObjectTorrent", {"Key": "k"}),
            (s3.put_object_acl, "PutObjectAcl", {"Key": "k", "ACL": "private"}),
            (s3.restore_object, "RestoreObject", {"Key": "k", "RestoreRequest": {"Days": 1}}),
            (s3.delete_bucket_metadata_configuration, "DeleteBucketMetadataConfiguration", {}),
            (s3.rename_object, "RenameObject", {"Key": "k", "RenameSource": "b/k"}),
        ]:
            error = self.refused(call, "NotImplemented", 501, **more)
            self.assertIn(action, error.message)
        s3.head_bucket(Bucket=self.bucket)


class Objects(Case):
    def test_put_and_get(self):
        put = self.put("a/b", b"hello", ContentType="text/plain", Metadata={"who": "me"}, CacheControl="no-store")
        self.assertEqual(put["ETag"], '"5d41402abc4b2a76b9719d911017c592"')
        got = self.get("a/b")
        self.assertEqual(got["Body"].read(), b"hello")
        self.assertEqual(got["ContentLength"], 5)
        self.assertEqual(got["ContentType"], "text/plain")
        self.assertEqual(got["CacheControl"], "no-store")
        self.assertEqual(got["Metadata"], {"who": "me"})
        self.assertEqual(got["AcceptRanges"], "bytes")
        self.assertNotIn("VersionId", got)
        head = s3.head_object(Bucket=self.bucket, Key="a/b")
        self.assertEqual((head["ContentLength"], head["ETag"]), (5, put["ETag"]))
        with differs("moto says nothing of AWS's usual encryption"):
            self.assertEqual(put["ServerSideEncryption"], "AES256")
            self.assertEqual(got["ServerSideEncryption"], "AES256")

    def test_the_usual_content_type(self):
        self.put("k")
        self.assertEqual(self.get("k")["ContentType"], "binary/octet-stream")

    def test_empty(self):
        put = self.put("k", b"")
        self.assertEqual(put["ETag"], '"d41d8cd98f00b204e9800998ecf8427e"')
        self.assertEqual(self.read("k"), b"")

    def test_what_is_not_there(self):
        error = self.refused(s3.get_object, "NoSuchKey", 404, Key="k")
        self.assertEqual(error.message, "The specified key does not exist.")
        with self.assertRaises(ClientError) as caught:
            self.get("k")
        self.assertEqual(caught.exception.response["Error"]["Key"], "k")
        self.refused(s3.head_object, "404", 404, Key="k")
        missing = error_of(s3.put_object, Bucket=unique("none"), Key="k", Body=b"")
        self.assertEqual(missing[::2], ("NoSuchBucket", 404))
        s3.delete_object(Bucket=self.bucket, Key="k")

    def test_large_bodies(self):
        for size in [16 * 1024, 16 * 1024 + 1, MIB, 3 * MIB + 17]:
            body = random.Random(size).randbytes(size)
            put = self.put("large", body)
            self.assertEqual(put["ETag"], f'"{hashlib.md5(body).hexdigest()}"')
            self.assertEqual(self.read("large"), body)
            self.assertEqual(self.read("large", Range=f"bytes={size - 3}-"), body[-3:])

    def test_ranges(self):
        self.put("k", b"0123456789")
        for asked, body, told in [
            ("bytes=0-3", b"0123", "bytes 0-3/10"),
            ("bytes=7-", b"789", "bytes 7-9/10"),
            ("bytes=-2", b"89", "bytes 8-9/10"),
            ("bytes=5-100", b"56789", "bytes 5-9/10"),
        ]:
            got = self.get("k", Range=asked)
            self.assertEqual(got["Body"].read(), body)
            self.assertEqual(got["ContentRange"], told)
            self.assertEqual(got["ResponseMetadata"]["HTTPStatusCode"], 206)
        error = self.refused(s3.get_object, "InvalidRange", 416, Key="k", Range="bytes=10-")
        self.assertEqual(error.message, "The requested range is not satisfiable")

    def test_conditions_of_reading(self):
        put = self.put("k")
        modified = self.get("k")["LastModified"]
        self.read("k", IfMatch=put["ETag"])
        self.refused(s3.get_object, "PreconditionFailed", 412, Key="k", IfMatch='"other"')
        self.refused(s3.get_object, "304", 304, Key="k", IfNoneMatch=put["ETag"])
        self.read("k", IfNoneMatch='"other"')
        self.refused(s3.get_object, "304", 304, Key="k", IfModifiedSince=modified)
        self.read("k", IfUnmodifiedSince=modified)
        self.refused(s3.get_object, "PreconditionFailed", 412, Key="k", IfUnmodifiedSince="2001-01-01")

    def test_conditions_of_writing(self):
        put = self.put("k", b"1", IfNoneMatch="*")
        self.refused(s3.put_object, "PreconditionFailed", 412, Key="k", Body=b"2", IfNoneMatch="*")
        with differs("moto does not look at If-Match of a put"):
            self.refused(s3.put_object, "PreconditionFailed", 412, Key="k", Body=b"2", IfMatch='"other"')
            self.refused(s3.put_object, "NoSuchKey", 404, Key="none", Body=b"2", IfMatch='"other"')
        self.put("k", b"2", IfMatch=put["ETag"])
        self.assertEqual(self.read("k"), b"2")

    def test_overridden_headers(self):
        self.put("k", ContentType="text/plain")
        got = self.get("k", ResponseContentType="text/html", ResponseContentDisposition="attachment")
        self.assertEqual((got["ContentType"], got["ContentDisposition"]), ("text/html", "attachment"))

    def test_checksums(self):
        algorithms = ["CRC32", "SHA1", "SHA256"] + ([] if IS_MOTO else ["CRC32C", "CRC64NVME"])
        known = {"CRC32": crc32(b"hello"), "SHA1": base64.b64encode(hashlib.sha1(b"hello").digest()).decode()}
        for algorithm in algorithms:
            try:
                put = self.put(algorithm, b"hello", ChecksumAlgorithm=algorithm)
            except Exception as failure:
                if "botocore[crt]" in str(failure):
                    continue
                raise
            got = self.get(algorithm, ChecksumMode="ENABLED")
            self.assertEqual(got[f"Checksum{algorithm}"], put[f"Checksum{algorithm}"])
            if algorithm in known:
                self.assertEqual(put[f"Checksum{algorithm}"], known[algorithm])
            with differs("moto does not say the type"):
                self.assertEqual(got["ChecksumType"], "FULL_OBJECT")
        self.assertEqual(self.put("usual", b"hello")["ChecksumCRC32"], crc32(b"hello"))

    @differs("moto does not check checksums")
    def test_wrong_digests(self):
        self.refused(s3.put_object, "BadDigest", 400, Key="k", Body=b"hello", ChecksumCRC32=crc32(b"other"))
        self.refused(s3.put_object, "BadDigest", 400, Key="k", Body=b"hello",
                     ContentMD5=base64.b64encode(hashlib.md5(b"other").digest()).decode())
        self.refused(s3.put_object, "InvalidDigest", 400, Key="k", Body=b"hello", ContentMD5="no")
        self.refused(s3.put_object, "InvalidRequest", 400, Key="k", Body=b"hello", ChecksumCRC32="AA==")
        self.refused(s3.get_object, "NoSuchKey", 404, Key="k")

    @differs("moto reads no chunks of a request that nobody signed")
    def test_a_body_that_comes_in_chunks(self):
        body = b"5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:" + crc32(b"hello world").encode() + b"\r\n\r\n"
        headers = {
            "Content-Encoding": "aws-chunked",
            "X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "X-Amz-Decoded-Content-Length": "11",
            "X-Amz-Trailer": "x-amz-checksum-crc32",
        }
        status, _ = fetch(f"{URL}/{self.bucket}/chunked", "PUT", body, headers)
        self.assertEqual(status, 200)
        got = self.get("chunked")
        self.assertEqual(got["Body"].read(), b"hello world")
        self.assertNotIn("ContentEncoding", got)
        wrong = body.replace(crc32(b"hello world").encode(), crc32(b"other").encode())
        status, answer = fetch(f"{URL}/{self.bucket}/wrong", "PUT", wrong, headers)
        self.assertEqual(status, 400)
        self.assertIn(b"<Code>BadDigest</Code>", answer)

    def test_keys_are_only_names(self):
        keys = [
            "../../etc/passwd", "./.", "..", "a//b", "/leading", "trailing/", "ü/é", "a b+c", "Case", "case",
            "back\\slash", "%2e%2e/x", "?query", "#hash", "a&b<c>", "\u2028", "x" * 1024, "é" * 512,
        ]
        for key in keys:
            with self.subTest(key=key), differs("moto trips over some keys"):
                self.put(key, key.encode())
        for key in keys:
            with self.subTest(key=key), differs("moto trips over some keys"):
                self.assertEqual(self.read(key), key.encode())
        with differs("moto trips over some keys"):
            self.assertEqual(self.keys(), sorted(keys, key=lambda key: key.encode()))

    @differs("moto takes keys of any length")
    def test_too_long_keys(self):
        error = self.refused(s3.put_object, "KeyTooLongError", 400, Key="x" * 1025, Body=b"")
        self.assertEqual(error.message, "Your key is too long")

    @differs("moto takes any amount of metadata")
    def test_too_much_metadata(self):
        self.refused(s3.put_object, "MetadataTooLarge", 400, Key="k", Body=b"", Metadata={"a": "x" * 2048})

    def test_storage_class_and_encryption(self):
        self.put("k", StorageClass="STANDARD_IA", ServerSideEncryption="aws:kms", SSEKMSKeyId="key")
        head = s3.head_object(Bucket=self.bucket, Key="k")
        self.assertEqual(head["StorageClass"], "STANDARD_IA")
        self.assertEqual((head["ServerSideEncryption"], head["SSEKMSKeyId"]), ("aws:kms", "key"))
        self.put("usual")
        with differs("moto says the usual class too"):
            self.assertNotIn("StorageClass", s3.head_object(Bucket=self.bucket, Key="usual"))
        self.refused(s3.put_object, "InvalidStorageClass", 400, Key="k", Body=b"", StorageClass="NONE")

    def test_delete_many(self):
        for key in ["a", "b", "c"]:
            self.put(key)
        wanted = {"Objects": [{"Key": "a"}, {"Key": "b"}, {"Key": "none"}]}
        answer = s3.delete_objects(Bucket=self.bucket, Delete=wanted)
        self.assertEqual(sorted(one["Key"] for one in answer["Deleted"]), ["a", "b", "none"])
        self.assertEqual(self.keys(), ["c"])
        quiet = s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": "c"}], "Quiet": True})
        with differs("moto is never quiet"):
            self.assertNotIn("Deleted", quiet)
        too_many = {"Objects": [{"Key": str(n)} for n in range(1001)]}
        with differs("moto deletes any number at once"):
            self.refused(s3.delete_objects, "MalformedXML", 400, Delete=too_many)

    def test_tags(self):
        self.put("k", Tagging="a=1&b=x%20y")
        tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "x y"}]
        self.assertEqual(s3.get_object_tagging(Bucket=self.bucket, Key="k")["TagSet"], tags)
        self.assertEqual(self.get("k")["TagCount"], 2)
        one = {"TagSet": [{"Key": "c", "Value": "3"}]}
        s3.put_object_tagging(Bucket=self.bucket, Key="k", Tagging=one)
        self.assertEqual(s3.get_object_tagging(Bucket=self.bucket, Key="k")["TagSet"], one["TagSet"])
        s3.delete_object_tagging(Bucket=self.bucket, Key="k")
        self.assertEqual(s3.get_object_tagging(Bucket=self.bucket, Key="k")["TagSet"], [])
        many = {"TagSet": [{"Key": str(n), "Value": ""} for n in range(11)]}
        with differs("moto says InvalidTag"):
            self.refused(s3.put_object_tagging, "BadRequest", 400, Key="k", Tagging=many)
        self.refused(s3.get_object_tagging, "NoSuchKey", 404, Key="none")

    def test_attributes(self):
        self.put("k", b"hello", ChecksumAlgorithm="SHA256")
        answer = s3.get_object_attributes(
            Bucket=self.bucket, Key="k", ObjectAttributes=["ETag", "Checksum", "StorageClass", "ObjectSize"]
        )
        self.assertEqual(answer["ETag"], "5d41402abc4b2a76b9719d911017c592")
        self.assertEqual((answer["ObjectSize"], answer["StorageClass"]), (5, "STANDARD"))
        with differs("moto says no checksum here"):
            self.assertEqual(
                answer["Checksum"]["ChecksumSHA256"], base64.b64encode(hashlib.sha256(b"hello").digest()).decode()
            )

    def test_acl(self):
        self.put("k")
        self.assertEqual(s3.get_object_acl(Bucket=self.bucket, Key="k")["Grants"][0]["Permission"], "FULL_CONTROL")


class Copies(Case):
    def copy(self, key, source, **more):
        return s3.copy_object(Bucket=self.bucket, Key=key, CopySource=source, **more)

    def test_copy(self):
        self.put("from", b"hello", ContentType="text/plain", Metadata={"a": "1"}, Tagging="t=1")
        copied = self.copy("to", f"{self.bucket}/from")["CopyObjectResult"]
        self.assertEqual(copied["ETag"], '"5d41402abc4b2a76b9719d911017c592"')
        got = self.get("to")
        self.assertEqual((got["Body"].read(), got["ContentType"], got["Metadata"]), (b"hello", "text/plain", {"a": "1"}))
        self.assertEqual(s3.get_object_tagging(Bucket=self.bucket, Key="to")["TagSet"], [{"Key": "t", "Value": "1"}])
        self.copy("to", {"Bucket": self.bucket, "Key": "from"}, MetadataDirective="REPLACE", Metadata={"b": "2"})
        self.assertEqual(self.get("to")["Metadata"], {"b": "2"})

    def test_strange_keys(self):
        self.put("a b/ü?", b"hello")
        self.copy("to", {"Bucket": self.bucket, "Key": "a b/ü?"})
        self.assertEqual(self.read("to"), b"hello")

    def test_refusals(self):
        self.refused(s3.copy_object, "NoSuchKey", 404, Key="to", CopySource=f"{self.bucket}/none")
        self.refused(s3.copy_object, "NoSuchBucket", 404, Key="to", CopySource=f"{unique('none')}/none")
        self.put("k")
        error = self.refused(s3.copy_object, "InvalidRequest", 400, Key="k", CopySource=f"{self.bucket}/k")
        self.assertTrue(error.message.startswith("This copy request is illegal"))
        self.copy("k", f"{self.bucket}/k", MetadataDirective="REPLACE", Metadata={"a": "1"})
        with differs("moto does not look at conditions of a copy"):
            self.refused(
                s3.copy_object, "PreconditionFailed", 412, Key="to", CopySource=f"{self.bucket}/k",
                CopySourceIfMatch='"other"',
            )


class Listings(Case):
    def setUp(self):
        super().setUp()
        for key in ["a", "b/1", "b/2", "c/x/1", "c/y", "d"]:
            self.put(key)

    def test_all(self):
        answer = s3.list_objects_v2(Bucket=self.bucket)
        self.assertEqual(self.keys(), ["a", "b/1", "b/2", "c/x/1", "c/y", "d"])
        self.assertEqual((answer["KeyCount"], answer["IsTruncated"], answer["MaxKeys"]), (6, False, 1000))
        self.assertEqual(answer["Contents"][0]["Size"], 1)
        self.assertEqual(answer["Contents"][0]["StorageClass"], "STANDARD")

    def test_delimiters(self):
        answer = s3.list_objects_v2(Bucket=self.bucket, Delimiter="/")
        self.assertEqual([one["Key"] for one in answer["Contents"]], ["a", "d"])
        self.assertEqual([one["Prefix"] for one in answer["CommonPrefixes"]], ["b/", "c/"])
        answer = s3.list_objects_v2(Bucket=self.bucket, Delimiter="/", Prefix="c/")
        self.assertEqual([one["Key"] for one in answer["Contents"]], ["c/y"])
        self.assertEqual([one["Prefix"] for one in answer["CommonPrefixes"]], ["c/x/"])

    def test_pages(self):
        for size in [1, 2, 5, 6]:
            for delimiter in ["", "/"]:
                pages = s3.get_paginator("list_objects_v2").paginate(
                    Bucket=self.bucket, Delimiter=delimiter, PaginationConfig={"PageSize": size}
                )
                keys, prefixes = [], []
                for page in pages:
                    keys += [one["Key"] for one in page.get("Contents", [])]
                    prefixes += [one["Prefix"] for one in page.get("CommonPrefixes", [])]
                expected = (["a", "d"], ["b/", "c/"]) if delimiter else (["a", "b/1", "b/2", "c/x/1", "c/y", "d"], [])
                self.assertEqual((keys, prefixes), expected, (size, delimiter))

    @differs("moto repeats common prefixes on later pages")
    def test_pages_of_version_one(self):
        pages = s3.get_paginator("list_objects").paginate(
            Bucket=self.bucket, Delimiter="/", PaginationConfig={"PageSize": 1}
        )
        found = []
        for page in pages:
            found += [one["Key"] for one in page.get("Contents", [])]
            found += [one["Prefix"] for one in page.get("CommonPrefixes", [])]
        self.assertEqual(found, ["a", "b/", "c/", "d"])

    def test_start_after_and_max_keys(self):
        self.assertEqual(self.keys(StartAfter="b/1"), ["b/2", "c/x/1", "c/y", "d"])
        self.assertEqual(self.keys(StartAfter="b"), ["b/1", "b/2", "c/x/1", "c/y", "d"])
        self.assertEqual(self.keys(MaxKeys=0), [])
        answer = s3.list_objects_v2(Bucket=self.bucket, MaxKeys=2)
        self.assertTrue(answer["IsTruncated"])
        with differs("moto fails on a token that is none"):
            error = self.refused(s3.list_objects_v2, "InvalidArgument", 400, ContinuationToken="!")
            self.assertEqual(error.message, "The continuation token provided is incorrect")

    def test_refusals(self):
        error = error_of(s3.list_objects, Bucket=unique("none"))
        self.assertEqual(error, ("NoSuchBucket", "The specified bucket does not exist", 404))
        with differs("moto takes any number"):
            self.refused(s3.list_objects_v2, "InvalidArgument", 400, MaxKeys=-1)


class Versions(Case):
    def setUp(self):
        super().setUp()
        self.put("old", b"before")
        self.enable_versions()

    def listed(self, **more):
        answer = s3.list_object_versions(Bucket=self.bucket, **more)
        return (
            [(one["Key"], one["VersionId"], one["IsLatest"]) for one in answer.get("Versions", [])],
            [(one["Key"], one["VersionId"], one["IsLatest"]) for one in answer.get("DeleteMarkers", [])],
        )

    def test_versions_stay(self):
        first = self.put("k", b"1")["VersionId"]
        second = self.put("k", b"2")["VersionId"]
        self.assertNotEqual(first, second)
        self.assertEqual(self.read("k"), b"2")
        self.assertEqual(self.read("k", VersionId=first), b"1")
        self.assertEqual(self.listed(Prefix="k")[0], [("k", second, True), ("k", first, False)])
        self.refused(s3.get_object, "NoSuchVersion", 404, Key="k", VersionId="x" * 32) if not IS_MOTO else None

    def test_markers(self):
        first = self.put("k", b"1")["VersionId"]
        deleted = s3.delete_object(Bucket=self.bucket, Key="k")
        self.assertTrue(deleted["DeleteMarker"])
        self.refused(s3.get_object, "NoSuchKey", 404, Key="k")
        self.assertEqual(self.keys(Prefix="k"), [])
        versions, markers = self.listed(Prefix="k")
        self.assertEqual(versions, [("k", first, False)])
        self.assertEqual(markers, [("k", deleted["VersionId"], True)])
        with differs("moto does not tell a marker from nothing"):
            error = self.refused(s3.get_object, "MethodNotAllowed", 405, Key="k", VersionId=deleted["VersionId"])
            self.assertEqual(error.message, "The specified method is not allowed against this resource.")
        again = s3.delete_object(Bucket=self.bucket, Key="k", VersionId=deleted["VersionId"])
        with differs("moto does not say that it was a marker"):
            self.assertTrue(again["DeleteMarker"])
        self.assertEqual(self.read("k"), b"1")
        s3.delete_object(Bucket=self.bucket, Key="k", VersionId=first)
        self.assertEqual(self.listed(Prefix="k"), ([], []))

    @differs("moto does not find the version without an id")
    def test_the_version_without_an_id(self):
        self.assertEqual(self.listed(Prefix="old")[0], [("old", "null", True)])
        version = self.put("old", b"after")["VersionId"]
        self.assertEqual(self.read("old", VersionId="null"), b"before")
        self.enable_versions("Suspended")
        self.put("old", b"suspended")
        self.assertEqual(self.read("old", VersionId="null"), b"suspended")
        with differs("moto keeps both versions without an id"):
            self.assertEqual(self.listed(Prefix="old")[0], [("old", "null", True), ("old", version, False)])
        self.assertEqual(self.read("old", VersionId=version), b"after")

    def test_pages(self):
        expected = []
        for key in ["a", "b"]:
            versions = [self.put(key)["VersionId"] for _ in range(3)]
            expected += [(key, version) for version in reversed(versions)]
        expected.append(("old", "null"))
        for size in [1, 2, 3, 7]:
            pages = s3.get_paginator("list_object_versions").paginate(
                Bucket=self.bucket, PaginationConfig={"PageSize": size}
            )
            found = [(one["Key"], one["VersionId"]) for page in pages for one in page.get("Versions", [])]
            self.assertEqual(found, expected, size)

    def test_copies_of_versions(self):
        first = self.put("k", b"1")["VersionId"]
        self.put("k", b"2")
        source = {"Bucket": self.bucket, "Key": "k", "VersionId": first}
        copied = s3.copy_object(Bucket=self.bucket, Key="k", CopySource=source)
        self.assertEqual(copied["CopySourceVersionId"], first)
        self.assertEqual(self.read("k"), b"1")

    def test_delete_many(self):
        first = self.put("k", b"1")["VersionId"]
        answer = s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": "k"}]})["Deleted"][0]
        self.assertTrue(answer["DeleteMarker"])
        marker = answer["DeleteMarkerVersionId"]
        wanted = [{"Key": "k", "VersionId": first}, {"Key": "k", "VersionId": marker}]
        s3.delete_objects(Bucket=self.bucket, Delete={"Objects": wanted})
        self.assertEqual(self.listed(Prefix="k"), ([], []))

    def test_a_bucket_with_old_versions_is_not_empty(self):
        s3.delete_object(Bucket=self.bucket, Key="old")
        error = self.refused(s3.delete_bucket, "BucketNotEmpty", 409)
        with differs("moto says no more than that"):
            self.assertIn("You must delete all versions", error.message)


class Uploads(Case):
    def begin(self, key="k", **more):
        return s3.create_multipart_upload(Bucket=self.bucket, Key=key, **more)["UploadId"]

    def part(self, upload, number, body, key="k", **more):
        sent = s3.upload_part(Bucket=self.bucket, Key=key, UploadId=upload, PartNumber=number, Body=body, **more)
        checksums = {name: value for name, value in sent.items() if name.startswith("Checksum")}
        return {"PartNumber": number, "ETag": sent["ETag"], **checksums}

    def complete(self, upload, parts, key="k", **more):
        return s3.complete_multipart_upload(
            Bucket=self.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **more
        )

    def test_upload(self):
        one, two = b"a" * 5 * MIB, b"b" * 1000
        upload = self.begin(ContentType="text/plain", Metadata={"a": "1"})
        parts = [self.part(upload, 1, one), self.part(upload, 7, two)]
        done = self.complete(upload, parts)
        digest = hashlib.md5(hashlib.md5(one).digest() + hashlib.md5(two).digest()).hexdigest()
        self.assertEqual(done["ETag"], f'"{digest}-2"')
        got = self.get("k")
        self.assertEqual((got["ContentType"], got["Metadata"]), ("text/plain", {"a": "1"}))
        self.assertEqual(got["Body"].read(), one + two)
        self.assertEqual(self.read("k", Range=f"bytes={5 * MIB - 2}-{5 * MIB + 1}"), b"aabb")
        with differs("moto numbers parts otherwise"):
            second = self.get("k", PartNumber=2)
            self.assertEqual((second["Body"].read(), second["PartsCount"]), (two, 2))
            self.refused(s3.get_object, "InvalidPartNumber", 416, Key="k", PartNumber=3)

    def test_checksums(self):
        one, two = b"a" * 5 * MIB, b"b"
        composite = base64.b64encode(
            hashlib.sha256(hashlib.sha256(one).digest() + hashlib.sha256(two).digest()).digest()
        ).decode()
        upload = self.begin(ChecksumAlgorithm="SHA256")
        parts = [self.part(upload, number, body, ChecksumAlgorithm="SHA256") for number, body in [(1, one), (2, two)]]
        done = self.complete(upload, parts)
        with differs("moto makes no checksum of parts here"):
            self.assertEqual(done["ChecksumSHA256"], f"{composite}-2")
        with differs("moto has no checksums of whole objects"):
            upload = self.begin(ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
            parts = [self.part(upload, number, body) for number, body in [(1, one), (2, two)]]
            done = self.complete(upload, parts, ChecksumType="FULL_OBJECT", ChecksumCRC32=crc32(one + two))
            self.assertEqual((done["ChecksumCRC32"], done["ChecksumType"]), (crc32(one + two), "FULL_OBJECT"))

    def test_refusals(self):
        upload = self.begin()
        small = [self.part(upload, 1, b"a"), self.part(upload, 2, b"b")]
        with self.assertRaises(ClientError) as caught:
            self.complete(upload, small)
        self.assertEqual(caught.exception.response["Error"]["Code"], "EntityTooSmall")
        for parts, code in [
            ([small[1], small[0]], "EntityTooSmall" if IS_MOTO else "InvalidPartOrder"),
            ([{"PartNumber": 3, "ETag": small[0]["ETag"]}], "InvalidPart"),
            ([{"PartNumber": 1, "ETag": '"0"'}], "InvalidPart"),
            ([], "MalformedXML"),
        ]:
            with self.assertRaises(ClientError) as caught:
                self.complete(upload, parts)
            self.assertEqual(caught.exception.response["Error"]["Code"], code, parts)
        s3.abort_multipart_upload(Bucket=self.bucket, Key="k", UploadId=upload)
        gone = {"Key": "k", "UploadId": upload}
        self.refused(s3.abort_multipart_upload, "NoSuchUpload", 404, **gone)
        self.refused(s3.list_parts, "NoSuchUpload", 404, **gone)
        with differs("moto fails on a part of no upload"):
            self.refused(s3.upload_part, "NoSuchUpload", 404, PartNumber=1, Body=b"", **gone)
        other = self.begin()
        self.refused(s3.upload_part, "InvalidArgument", 400, PartNumber=10001, Body=b"", Key="k", UploadId=other)

    def test_list_parts(self):
        upload = self.begin()
        for number in [1, 2, 3]:
            self.part(upload, number, b"x" * number)
        self.part(upload, 2, b"again")
        answer = s3.list_parts(Bucket=self.bucket, Key="k", UploadId=upload, MaxParts=2)
        self.assertEqual([(one["PartNumber"], one["Size"]) for one in answer["Parts"]], [(1, 1), (2, 5)])
        self.assertEqual((answer["IsTruncated"], answer["NextPartNumberMarker"]), (True, 2))
        answer = s3.list_parts(Bucket=self.bucket, Key="k", UploadId=upload, PartNumberMarker=2)
        self.assertEqual([one["PartNumber"] for one in answer["Parts"]], [3])

    def test_list_uploads(self):
        ids = {key: self.begin(key) for key in ["a", "b/1", "b/2"]}
        answer = s3.list_multipart_uploads(Bucket=self.bucket)
        found = {one["Key"]: one["UploadId"] for one in answer["Uploads"]}
        self.assertEqual(found, ids)
        with differs("moto does not group or page uploads"):
            answer = s3.list_multipart_uploads(Bucket=self.bucket, Delimiter="/")
            self.assertEqual([one["Key"] for one in answer["Uploads"]], ["a"])
            self.assertEqual([one["Prefix"] for one in answer["CommonPrefixes"]], ["b/"])
            pages = s3.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.bucket, PaginationConfig={"PageSize": 1}
            )
            found = [one["Key"] for page in pages for one in page.get("Uploads", [])]
            self.assertEqual(found, ["a", "b/1", "b/2"])

    def test_copied_parts(self):
        body = random.Random(1).randbytes(6 * MIB)
        self.put("from", body)
        upload = self.begin()
        parts = []
        for number, asked in [(1, f"bytes=0-{5 * MIB - 1}"), (2, f"bytes={5 * MIB}-{6 * MIB - 1}")]:
            copied = s3.upload_part_copy(
                Bucket=self.bucket, Key="k", UploadId=upload, PartNumber=number,
                CopySource=f"{self.bucket}/from", CopySourceRange=asked,
            )
            parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
        self.complete(upload, parts)
        self.assertEqual(self.read("k"), body)
        with differs("moto takes ranges that are too long"):
            self.refused(
                s3.upload_part_copy, "InvalidArgument", 400, Key="k", UploadId=self.begin(), PartNumber=1,
                CopySource=f"{self.bucket}/from", CopySourceRange=f"bytes=0-{6 * MIB}",
            )

    def test_sdk_transfer(self):
        import io

        body = random.Random(2).randbytes(20 * MIB)
        s3.upload_fileobj(io.BytesIO(body), self.bucket, "transfer")
        read = io.BytesIO()
        s3.download_fileobj(self.bucket, "transfer", read)
        self.assertEqual(read.getvalue(), body)


class Addresses(Case):
    def test_presigned(self):
        self.put("a b", b"hello")
        url = s3.generate_presigned_url("get_object", Params={"Bucket": self.bucket, "Key": "a b"})
        self.assertEqual(fetch(url), (200, b"hello"))
        put = s3.generate_presigned_url("put_object", Params={"Bucket": self.bucket, "Key": "new"})
        self.assertEqual(fetch(put, "PUT", b"presigned")[0], 200)
        with differs("moto takes a body as a form when a client says it is one"):
            self.assertEqual(self.read("new"), b"presigned")

    @differs("moto does not look when a URL ends")
    def test_presigned_urls_end(self):
        self.put("k", b"hello")
        url = s3.generate_presigned_url("get_object", Params={"Bucket": self.bucket, "Key": "k"}, ExpiresIn=60)
        if "X-Amz-Date=" in url:
            at = url.index("X-Amz-Date=") + len("X-Amz-Date=")
            url = url[:at] + "20200101T000000Z" + url[at + 16:]
        else:
            import re
            url = re.sub(r"Expires=\d+", "Expires=1577836800", url)
        status, body = fetch(url)
        self.assertEqual(status, 403)
        self.assertIn(b"<Message>Request has expired</Message>", body)

    @differs("moto knows other names of hosts")
    def test_buckets_in_hosts(self):
        self.put("a/b", b"hello")
        port = URL.rsplit(":", 1)[1]
        for host in [f"{self.bucket}.s3.localhost:{port}", f"{self.bucket}.localhost:{port}"]:
            self.assertEqual(fetch(f"{URL}/a/b", headers={"Host": host}), (200, b"hello"))


class Notifications(Case):
    def queue(self):
        sqs = client("sqs")
        url = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

        def receive():
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            for one in answer.get("Messages", []):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
            return [json.loads(one["Body"]) for one in answer.get("Messages", [])]

        return arn, receive

    def set(self, **configuration):
        s3.put_bucket_notification_configuration(Bucket=self.bucket, NotificationConfiguration=configuration)

    def test_queue(self):
        arn, receive = self.queue()
        rules = [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".csv"}]
        events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
        rule = {"Id": "rule", "QueueArn": arn, "Events": events, "Filter": {"Key": {"FilterRules": rules}}}
        self.set(QueueConfigurations=[rule])
        kept = s3.get_bucket_notification_configuration(Bucket=self.bucket)["QueueConfigurations"]
        self.assertEqual((kept[0]["Id"], kept[0]["QueueArn"]), ("rule", arn))
        test = eventually(receive)
        self.assertEqual((test[0]["Event"], test[0]["Bucket"]), ("s3:TestEvent", self.bucket))
        self.put("in/a b.csv", b"hello")
        self.put("in/other.txt", b"hello")
        record = eventually(receive)[0]["Records"][0]
        self.assertEqual(record["eventName"], "ObjectCreated:Put")
        self.assertEqual(record["s3"]["configurationId"], "rule")
        self.assertEqual(record["s3"]["bucket"]["name"], self.bucket)
        with differs("moto encodes the slash too, AWS does not"):
            self.assertEqual(record["s3"]["object"]["key"], "in/a+b.csv")
        self.assertEqual(record["s3"]["object"]["size"], 5)
        self.assertEqual(record["s3"]["object"]["eTag"], "5d41402abc4b2a76b9719d911017c592")
        with differs("moto does not tell of copies and deletions so"):
            s3.copy_object(Bucket=self.bucket, Key="in/c.csv", CopySource=f"{self.bucket}/in/other.txt")
            self.assertEqual(eventually(receive)[0]["Records"][0]["eventName"], "ObjectCreated:Copy")
            s3.delete_object(Bucket=self.bucket, Key="in/c.csv")
            self.assertEqual(eventually(receive)[0]["Records"][0]["eventName"], "ObjectRemoved:Delete")

    def test_topic(self):
        arn, receive = self.queue()
        sns = client("sns")
        topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        self.set(TopicConfigurations=[{"TopicArn": topic, "Events": ["s3:ObjectCreated:Put"]}])
        self.put("k")

        def told():
            return [one for one in receive() if "Records" in one.get("Message", "")]

        message = json.loads(eventually(told)[0]["Message"])
        self.assertEqual(message["Records"][0]["s3"]["object"]["key"], "k")

    @differs("moto does not look whether a target is there")
    def test_targets_must_be_there(self):
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{unique('none')}"
        for configuration in [
            {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
            {"TopicConfigurations": [{"TopicArn": arn.replace("sqs", "sns"), "Events": ["s3:ObjectCreated:*"]}]},
        ]:
            error = self.refused(
                s3.put_bucket_notification_configuration, "InvalidArgument", 400,
                NotificationConfiguration=configuration,
            )
            self.assertEqual(error.message, "Unable to validate the following destination configurations")
        self.assertNotIn("QueueConfigurations", s3.get_bucket_notification_configuration(Bucket=self.bucket))


class Tasks(Case):
    """What state machines see."""

    @differs("moto's state machines call nothing")
    def test_tasks(self):
        states = client("stepfunctions")
        definition = {
            "StartAt": "Put",
            "States": {
                "Put": {
                    "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:putObject", "ResultPath": "$.put",
                    "Parameters": {"Bucket.$": "$.bucket", "Key": "k", "Body": {"a": 1}}, "Next": "Get",
                },
                "Get": {
                    "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:getObject", "ResultPath": "$.get",
                    "Parameters": {"Bucket.$": "$.bucket", "Key": "k"}, "Next": "Miss",
                },
                "Miss": {
                    "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
                    "Parameters": {"Bucket.$": "$.bucket", "Key": "none"}, "End": True,
                    "Catch": [{"ErrorEquals": ["S3.NoSuchKeyException"], "ResultPath": "$.miss", "Next": "Done"}],
                },
                "Done": {"Type": "Succeed"},
            },
        }
        role = f"arn:aws:iam::{ACCOUNT}:role/r"
        arn = states.create_state_machine(name=unique("m"), definition=json.dumps(definition), roleArn=role)
        arn = arn["stateMachineArn"]
        run = states.start_execution(stateMachineArn=arn, input=json.dumps({"bucket": self.bucket}))["executionArn"]
        done = eventually(lambda: states.describe_execution(executionArn=run), lambda run: run["status"] != "RUNNING")
        self.assertEqual(done["status"], "SUCCEEDED", done)
        output = json.loads(done["output"])
        self.assertEqual(output["get"]["Body"], '{"a":1}')
        self.assertEqual(output["get"]["ServerSideEncryption"], "AES256")
        self.assertEqual(output["put"]["ETag"], output["get"]["ETag"])
        self.assertIn("Service: S3, Status Code: 404, Request ID: ", output["miss"]["Cause"])
        self.assertIn("Extended Request ID: ", output["miss"]["Cause"])


if __name__ == "__main__":
    unittest.main()
