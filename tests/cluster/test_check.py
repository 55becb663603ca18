"""`open-chat check`, run in the pod that it is about."""

import subprocess
import unittest

from kube import HELMS, Namespace, in_cluster, until

VALUES = {
    "access": "pass",
    "existingSecrets": {
        "chathub": {"CHATHUB_LOGIN": "login", "CHATHUB_PASSWORD": "password"},
        "keys": {"PASS_SECRET": "pass"},
    },
}


class Check(unittest.TestCase):
    def test_it_tells_a_right_password_from_a_wrong_one(self):
        with Namespace("check") as space:
            space.secret("keys", {"pass": "canary-pass-secret-of-32-bytes-or-more"})
            space.secret("chathub", {"login": "acme", "password": "canary-password"})
            space.install(HELMS[1], "buttons", in_cluster(VALUES))
            good = self.check(space)
            self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
            self.assertIn("every setting is good", good.stdout)

            # A pod never gets ready with it, but it runs, and can be asked.
            space.secret("chathub", {"login": "acme", "password": "canary-wrong"})
            space.kubectl("rollout", "restart", "deployment/buttons-open-chat")
            bad = until("it sees the new password", lambda: self.refused(space))
            self.assertEqual(bad.returncode, 1)
            said = bad.stdout + bad.stderr
            self.assertIn("CHATHUB_PASSWORD", said)
            self.assertNotIn("canary", said)

    def refused(self, space):
        done = self.check(space)
        return done if done.returncode == 1 and "CHATHUB_PASSWORD" in done.stdout + done.stderr else None

    @staticmethod
    def check(space):
        command = ("kubectl", f"--namespace={space.name}", "exec", "deployment/buttons-open-chat", "--", "/open-chat", "check")
        return subprocess.run(command, capture_output=True, text=True, check=False)
