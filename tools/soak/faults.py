"""The faults of ChatHub and Redis, each with the trace that it leaves in the service's metrics: a
fault that leaves none was not in place, and a soak without it would prove nothing."""

import json
import signal
import urllib.request
from dataclasses import dataclass

from samples import labelled

# What the metrics call ChatHub's endpoints.
CALLS = {"operator-token": "operator/get-token", "company-token": "company/get-token", "operators": "operator"}


@dataclass(frozen=True)
class Fault:
    endpoint: str
    kind: object

    @property
    def name(self):
        kind = self.kind if isinstance(self.kind, str) else " ".join(f"{key} {value}" for key, value in self.kind.items())
        return f"{self.endpoint}: {kind}"

    def traces(self, begun, ended, samples):
        """How many failed or slow calls there were meanwhile; of Redis, which was there before, in
        how many samples it was missed."""
        if self.endpoint == "redis":
            was_there = not begun["open_chat_redis_degraded"]
            return was_there * int(sum(sample["Redis away"] for sample in samples))
        call = CALLS[self.endpoint]
        return int(max(count(ended, call) - count(begun, call) for count in (failed, slow)))


def failed(seen, call):
    requests = "chathub_requests_total"
    return labelled(seen, requests, endpoint=call) - labelled(seen, requests, endpoint=call, outcome="ok")


def slow(seen, call):
    seconds = "chathub_request_duration_seconds"
    return labelled(seen, f"{seconds}_count", endpoint=call) - labelled(seen, f"{seconds}_bucket", endpoint=call, le="1")


FAULTS = [
    Fault("operator-token", {"status": 500}),
    Fault("operator-token", "silence"),
    Fault("operator-token", {"late": 1500}),
    Fault("operator-token", "reset"),
    Fault("operator-token", {"throttled": 1}),
    Fault("operator-token", {"body": "not JSON"}),
    Fault("operator-token", {"nested": 100_000}),
    Fault("operator-token", "endless"),
    Fault("company-token", {"status": 503}),
    Fault("operators", {"status": 500}),
    Fault("redis", "stopped"),
]


class Upstreams:
    """ChatHub and Redis, as processes of this run."""

    def __init__(self, store, chathub):
        self.store = store
        self.chathub = chathub

    def begin(self, fault):
        if fault.endpoint == "redis":
            self.store.process.send_signal(signal.SIGSTOP)
            return
        self.script(fault.endpoint, fault.kind)
        if fault.endpoint == "company-token":
            # The service logs in again when its session is refused.
            self.script("operator-token", {"status": 401})

    def end(self, fault):
        if fault.endpoint == "redis":
            self.store.process.send_signal(signal.SIGCONT)
        else:
            self.script(fault.endpoint, None)
            self.script("operator-token", None)

    def script(self, endpoint, kind):
        body = json.dumps({"endpoint": endpoint, "fault": kind, "always": True}).encode()
        request = urllib.request.Request(self.chathub.url + "/simulator/faults", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=5).close()
