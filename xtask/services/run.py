"""Runs the tests of one service: run.py SERVICE. The last line of what it prints is `SERVICE: 3 passed, 1 failed, 0 differ`."""

import sys
import unittest

service = sys.argv[1]
suite = unittest.defaultTestLoader.loadTestsFromName(f"test_{service}")
result = unittest.TextTestRunner(stream=sys.stderr, verbosity=1).run(suite)
failed = len({str(test) for test, _ in result.failures + result.errors})
for test, reason in result.skipped:
    print(f"{service}: {test.id().split('.')[-1]}: {reason}", file=sys.stderr)
passed = result.testsRun - failed - len(result.skipped)
print(f"{service}: {passed} passed, {failed} failed, {len(result.skipped)} differ")
sys.exit(1 if failed or not passed else 0)
