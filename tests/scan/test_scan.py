"""What scan.py makes of findings and of what is accepted."""

import unittest

from scan import Finding, compare, trivy_place

KNOWN = Finding("checkov CKV_K8S_8", "open Pod/chat-test", "Liveness Probe Should be Configured")
ENTRY = {"title": "No probes", "reason": "It ends.", "rules": ["checkov CKV_K8S_8"], "where": ["* Pod/*-test"]}


class Compare(unittest.TestCase):
    def test_what_is_accepted_is_silent(self):
        self.assertEqual(list(compare([KNOWN], [ENTRY])), [])

    def test_another_rule_is_new(self):
        found = Finding("checkov CKV_K8S_16", "open Pod/chat-test", "Privileged")
        self.assertEqual(list(compare([KNOWN, found], [ENTRY])), ["new: checkov CKV_K8S_16, in open Pod/chat-test: Privileged"])

    def test_an_accepted_rule_is_new_elsewhere(self):
        found = Finding("checkov CKV_K8S_8", "open Deployment/chat", "Liveness")
        self.assertEqual(list(compare([KNOWN, found], [ENTRY])), ["new: checkov CKV_K8S_8, in open Deployment/chat: Liveness"])

    def test_what_is_accepted_must_be_found(self):
        self.assertEqual(
            list(compare([KNOWN], [ENTRY | {"rules": ["checkov CKV_K8S_8", "checkov CKV_K8S_9"]}])),
            ["accepted.toml: No probes: checkov CKV_K8S_9 is not found any more; take it out"],
        )
        self.assertEqual(
            list(compare([KNOWN], [ENTRY | {"where": ["* Pod/*-test", "sso Pod/*"]}])),
            ["accepted.toml: No probes: nothing is found in sso Pod/* any more; take it out"],
        )


class Places(unittest.TestCase):
    def test_trivy_s_messages_name_an_object(self):
        message = "Container 'click' of Pod 'chat-test' should set 'resources.limits.cpu'"
        self.assertEqual(trivy_place("open.yaml", message), "open Pod/chat-test click")
        self.assertEqual(trivy_place("open.yaml", "ConfigMap 'agents' in 'chats' namespace stores"), "open ConfigMap/agents")
        self.assertEqual(trivy_place("open.yaml", "'deployment' 'chat' in 'chats' namespace"), "open.yaml")


if __name__ == "__main__":
    unittest.main()
