"""The operator's image, unpacked: what is in it is all that the operator has, so it must be enough for TLS."""

import json
import os
import re
import ssl
import subprocess
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from access_fixtures import authority  # noqa: F401  (a fixture is found by its name)
from conftest import REPO

# The sanitizers would want /proc, which an unpacked image has not.
BINARY = REPO / "build" / "dev" / "inference-autoscaler"
PEM = re.compile("-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")
BUNDLE = "etc/ssl/certs/ca-certificates.crt"


def unpack(archive, folder):
    """The files of an OCI archive with one layer."""
    with tarfile.open(archive) as image:
        def blob(digest):
            return image.extractfile(f"blobs/{digest.replace(':', '/')}")

        (entry,) = json.load(image.extractfile("index.json"))["manifests"]
        (layer,) = json.load(blob(entry["digest"]))["layers"]
        with tarfile.open(fileobj=blob(layer["digest"])) as files:
            files.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """hack/image's archive of the operator, made in a cache of its own so that it displaces no release."""
    cache = tmp_path_factory.mktemp("cache")
    done = subprocess.run(
        [REPO / "hack" / "image", "--binary", BINARY, "operator"], capture_output=True, text=True, timeout=120,
        env=os.environ | {"XDG_CACHE_HOME": str(cache)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def image(archive, tmp_path):
    return unpack(archive, tmp_path / "image")


def inside(image, *args):
    """Runs the operator with the image as the whole of its file system."""
    rootless = [] if os.geteuid() == 0 else ["--map-root-user"]
    return subprocess.run(
        ["unshare", *rootless, f"--root={image}", "/usr/bin/inference-autoscaler", *args],
        capture_output=True, text=True, timeout=30, env={},
    )


@pytest.fixture
def https(authority):  # noqa: F811
    """An address behind a certificate that the authority signed, where nothing is found."""

    class Nothing(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(404)

        def log_message(self, *args):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("server"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Nothing)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_program_starts(image):
    done = inside(image, "version")
    assert done.returncode == 0, done.stderr


def test_everybody_may_read_every_file(image):
    """The image runs as a user who owns none of it."""
    files = [path for path in image.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if path.stat().st_mode & 0o444 != 0o444] == []


def test_public_authorities_are_known_and_no_others(image):
    """Whoever builds an image may trust more authorities, which are nobody else's business."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(image / BUNDLE)
    names = {value for ca in context.get_ca_certs() for part in ca["subject"] for _, value in part}
    assert {"ISRG Root X1", "DigiCert Global Root G2"} <= names
    public = "".join(path.read_text() for path in Path("/usr/share/ca-certificates/mozilla").glob("*.crt"))
    assert sorted(PEM.findall((image / BUNDLE).read_text())) == sorted(PEM.findall(public))


def test_a_certificate_is_trusted_by_the_bundle(image, https, authority):  # noqa: F811
    """libcurl looks for the authorities where the image has them: one that is written there is believed."""
    (image / "kubeconfig").write_text(yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "clusters": [{"name": "a", "cluster": {"server": https}}],
        "users": [{"name": "a", "user": {"token": "a"}}],
    }))
    ask = ("explain", "gemma", "--kubeconfig", "/kubeconfig")
    assert "cannot trust the certificate" in inside(image, *ask).stderr
    with open(image / BUNDLE, "a") as bundle:
        bundle.write(authority.ca.read_text())
    done = inside(image, *ask)
    assert "the server answered HTTP 404" in done.stderr, done.stderr
