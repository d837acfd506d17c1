"""Two replicas, one Lease: who leads, how soon the other one does, and that only the leader writes.

Both run with the rights of the chart and as the same user, but each with a token of its own, which the
API server's audit log tells apart.
"""

import base64
import json
import os
import signal
import time
from datetime import datetime, timezone

import pytest
import yaml

from conftest import eventually
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    USER,
    Autoscaler,
    Operator,
    engine_port,
    operator_kubeconfig,
    stack,
    target,
)

pytestmark = pytest.mark.alone

SYSTEM = "inference-autoscaler-system"
LEASE = "inference-autoscaler"
LEASE_S = 15
CLEAN_S = 2


class Replica(Operator):
    """An operator that takes part in the election, with a token of its own."""

    def __init__(self, cluster, kubeconfig, folder, name):
        account = USER.rsplit(":", 1)[1]
        token = cluster.kubectl("-n", SYSTEM, "create", "token", account, "--duration=1h").stdout.strip()
        mine = yaml.safe_load(open(kubeconfig))
        mine["users"][0]["user"] = {"token": token}
        path = folder / f"{name}.kubeconfig"
        path.write_text(yaml.safe_dump(mine))
        self.name, self.token = name, token
        super().__init__(
            path, folder / f"{name}.log", "--leader-elect", "--lease-namespace", SYSTEM, "--lease-name", LEASE,
            env={"POD_NAME": name},
        )

    def credential(self):
        """What the audit log calls its token."""
        body = self.token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return f"JTI={claims['jti']}"

    def leads(self):
        assert self.process.poll() is None, f"{self.name} ended {self.process.returncode}:\n{self.log()}"
        return "leading" in self.log() and "caches synced" in self.log()


def lease(cluster):
    return cluster.request("GET", f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/{LEASE}")[1]["spec"]


def holder(cluster):
    return lease(cluster).get("holderIdentity")


def seconds_until(probe, timeout):
    start = time.monotonic()
    eventually(probe, timeout=timeout, interval=0.01)
    return time.monotonic() - start


@pytest.fixture
def replicas(cluster, operator_kubeconfig, tmp_path):
    """Starts a replica by name; all are ended, and none may have a sanitizer's report."""
    started = []

    def start(name):
        started.append(Replica(cluster, operator_kubeconfig, tmp_path, name))
        return started[-1]

    cluster.kubectl("-n", SYSTEM, "delete", "lease", LEASE, "--ignore-not-found")
    yield start
    for replica in started:
        if replica.process.poll() is None:
            replica.stop()
        assert "Sanitizer" not in replica.log(), replica.log()


def stamp(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()


def writes(cluster, replica):
    """(received, answered, resource, ok, holder written) of each write with the replica's token, in order."""
    found = []
    with open(os.path.join(os.path.dirname(cluster.kubeconfig), "logs", "audit.log")) as lines:
        for line in lines:
            # Others' events are most of the log, and long.
            if replica.credential() not in line:
                continue
            event = json.loads(line)
            credentials = event["user"].get("extra", {}).get("authentication.kubernetes.io/credential-id", [])
            if replica.credential() not in credentials or event["stage"] != "ResponseComplete":
                continue
            if event["verb"] in {"get", "list"}:
                continue
            body = event.get("requestObject")
            spec = body.get("spec") if isinstance(body, dict) else None  # a JSON patch is a list
            found.append((
                stamp(event["requestReceivedTimestamp"]), stamp(event["stageTimestamp"]),
                event.get("objectRef", {}).get("resource"), event["responseStatus"]["code"] < 300,
                spec.get("holderIdentity") if isinstance(spec, dict) else None,
            ))
    return sorted(found)


def acted(cluster, replica):
    """Whether it has written anything but the Lease."""
    return any(resource != "leases" for _, _, resource, _, _ in writes(cluster, replica))


def assert_wrote_only_as_leader(cluster, *replicas):
    """Each write lies between its writer's taking of the Lease and its letting go, or the next one's taking."""
    claims = sorted(
        (answered, received, replica.name, written)
        for replica in replicas
        for received, answered, resource, ok, written in writes(cluster, replica)
        if resource == "leases" and ok
    )
    assert claims, "the audit log shows no write of the Lease: this test would see nothing"
    total = 0
    for replica in replicas:
        for received, answered, resource, ok, written in writes(cluster, replica):
            if resource == "leases":
                continue
            total += 1
            before = [claim for claim in claims if claim[0] <= received]
            assert before, f"{replica.name} wrote {resource} before anybody held the Lease"
            assert before[-1][3] == replica.name, (
                f"{replica.name} wrote {resource} at {received}, when the Lease was {before[-1][3] or 'nobody'}'s"
            )
            # Nor was it overtaken while it was under way; one that came to nothing is none.
            assert not ok or not [c for c in claims if received < c[1] < answered and c[3] != replica.name]
    return total


def test_a_clean_stop_hands_over_within_two_seconds(cluster, target, replicas):
    first = replicas("first")
    eventually(first.leads, timeout=20)
    second = replicas("second")
    Autoscaler(cluster, target).create().waits_for_children()
    time.sleep(3)  # a stand-by has no event to show: give it time to write if it would
    assert holder(cluster) == "first"
    assert writes(cluster, second) == []

    first.process.send_signal(signal.SIGTERM)
    took = seconds_until(lambda: holder(cluster) == "second", timeout=10)
    acts = took + seconds_until(second.leads, timeout=10)
    assert first.process.wait(timeout=15) == 0, first.log()
    print(f"\nclean stop: the other replica holds the Lease after {took:.2f} s and acts after {acts:.2f} s")
    assert took <= CLEAN_S

    Autoscaler(cluster, target).patch({"maxReplicas": 7})
    eventually(lambda: acted(cluster, second), timeout=10)
    total = assert_wrote_only_as_leader(cluster, first, second)
    print(f"{total} writes, each by the holder of the Lease")
    assert total > 5


def test_a_crash_hands_over_within_the_leases_duration(cluster, target, replicas):
    first = replicas("first")
    eventually(first.leads, timeout=20)
    second = replicas("second")
    Autoscaler(cluster, target).create().waits_for_children()
    assert lease(cluster)["leaseDurationSeconds"] == LEASE_S
    eventually(lambda: "started" in second.log(), timeout=10)
    # In the middle between two renewals, which are two seconds apart.
    renewed = lease(cluster)["renewTime"]
    eventually(lambda: lease(cluster)["renewTime"] != renewed, interval=0.01)
    time.sleep(1)
    first.stop(signal.SIGKILL)
    took = seconds_until(lambda: holder(cluster) == "second", timeout=30)
    acts = took + seconds_until(second.leads, timeout=10)
    print(f"\nkill -9: the other replica holds the Lease after {took:.2f} s and acts after {acts:.2f} s")
    assert took <= LEASE_S

    Autoscaler(cluster, target).patch({"maxReplicas": 7})
    eventually(lambda: acted(cluster, second), timeout=10)
    print(f"{assert_wrote_only_as_leader(cluster, first, second)} writes, each by the holder of the Lease")


def test_a_frozen_leader_that_wakes_up_writes_nothing(cluster, target, replicas):
    first = replicas("first")
    eventually(first.leads, timeout=20)
    second = replicas("second")
    one = Autoscaler(cluster, target).create()
    one.waits_for_children()
    # In the midst of its work: it may have sent half a request.
    first.process.send_signal(signal.SIGSTOP)
    eventually(lambda: holder(cluster) == "second", timeout=30)
    eventually(second.leads, timeout=10)
    # Work waits for it when it wakes up, and its time is long over.
    one.patch({"maxReplicas": 7})
    eventually(lambda: one.child("HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 7)
    first.process.send_signal(signal.SIGCONT)
    assert first.process.wait(timeout=10) != 0
    assert "the Lease was lost, leaving" in first.log()
    assert_wrote_only_as_leader(cluster, first, second)


def connections(pid, port):
    """Established TCP connections of a process to a port."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            inodes.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            continue
    found = 0
    for table in ("tcp", "tcp6"):
        for line in open(f"/proc/{pid}/net/{table}").readlines()[1:]:
            fields = line.split()
            found += (fields[3] == "01" and int(fields[2].rsplit(":", 1)[1], 16) == port
                      and f"socket:[{fields[9]}]" in inodes)
    return found


def test_the_lease_has_a_connection_of_its_own(cluster, target, replicas):
    server = yaml.safe_load(open(cluster.kubeconfig))["clusters"][0]["cluster"]["server"]
    port = int(server.rsplit(":", 1)[1])
    leader = replicas("leader")
    eventually(leader.leads, timeout=20)
    standby = replicas("standby")
    # A stand-by watches as a leader does, and what it lists at first comes as its watches do: over one more.
    eventually(lambda: connections(standby.process.pid, port) == 2)
    # What a leader asks and writes has another.
    eventually(lambda: connections(leader.process.pid, port) == 3)
