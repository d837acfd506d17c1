"""The one-node cluster that the end-to-end tests run on, as hack/demo --prepare leaves it."""
import os
import pathlib
import subprocess
import time

import pytest
import yaml
from kubernetes import client, config, dynamic

ROOT = pathlib.Path(__file__).parents[2]


def run(*command, stdin=None):
    """Runs a program of the tree; its output is the failure's text."""
    done = subprocess.run(command, cwd=ROOT, input=stdin, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, f"'{' '.join(command)}' ended {done.returncode}:\n{done.stdout[-6000:]}"
    return done.stdout


@pytest.fixture(scope="session")
def cluster():
    """KUBECONFIG of a node with the metric stack and the operator; taken down unless it was up before, or IA_KEEP is set.
    IA_TEST_KUBECONFIG names one that is prepared already, and stays as it is."""
    if prepared := os.environ.get("IA_TEST_KUBECONFIG"):
        os.environ["KUBECONFIG"] = prepared
        yield prepared
        return
    kept = subprocess.run(["hack/cluster", "status"], cwd=ROOT, capture_output=True).returncode == 0
    try:
        run("hack/demo", "--prepare")
        kubeconfig = run("hack/cluster", "kubeconfig").strip()
        os.environ["KUBECONFIG"] = kubeconfig
        yield kubeconfig
    finally:
        if not kept and not os.environ.get("IA_KEEP"):
            run("hack/cluster", "down")


class Kube:
    """What the tests ask of a cluster, by kind and name."""

    def __init__(self, kubeconfig):
        self.api = config.new_client_from_config(kubeconfig)
        self.dynamic = dynamic.DynamicClient(self.api)

    def resource(self, api_version, kind):
        return self.dynamic.resources.get(api_version=api_version, kind=kind)

    def get(self, api_version, kind, name, namespace=None):
        """The object as a dictionary, or None when it is absent."""
        try:
            return self.resource(api_version, kind).get(name=name, namespace=namespace).to_dict()
        except client.exceptions.ApiException as error:
            if error.status == 404:
                return None
            raise

    def apply(self, text):
        run("kubectl", "apply", "--server-side", "-f", "-", stdin=text)

    def delete(self, api_version, kind, name, namespace):
        self.resource(api_version, kind).delete(name=name, namespace=namespace)


@pytest.fixture(scope="session")
def kube(cluster):
    return Kube(cluster)


@pytest.fixture(scope="session")
def manifest():
    """Reads a manifest of the demo, with this tree's images in it."""
    version = run("hack/image", "--version").strip()

    def read(name):
        return (ROOT / "hack/demo.d" / name).read_text().replace(":VERSION", f":{version}")

    read.version = f":{version}"
    return read


def eventually(what, probe, seconds, period=0.5):
    """Asks until the answer is true, or fails with the last answer; returns the answer and the seconds it took."""
    start = time.monotonic()
    while True:
        answer = probe()
        took = time.monotonic() - start
        if answer:
            return answer, took
        if took > seconds:
            pytest.fail(f"{what}: not within {seconds} s")
        time.sleep(period)
