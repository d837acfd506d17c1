"""Container images: the two that every node needs, made from scratch and kept in the cache folder."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import tools
from .failure import Failure
from .progress import say

PAUSE = "localhost/onenode/pause:1"
COREDNS = "localhost/onenode/coredns:1"

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "inference-autoscaler/onenode"
_PAUSE_SOURCE = Path(__file__).with_name("pause.c")


def _run(argv, **more):
    done = subprocess.run([str(word) for word in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          **more)
    if done.returncode:
        raise Failure(f"'{argv[0]}' failed: {' '.join(map(str, argv))}\n{done.stderr.strip()}")
    return done.stdout.strip()


def pause_program():
    """pause.c, compiled once per content."""
    program = _CACHE / f"pause-{hashlib.sha256(_PAUSE_SOURCE.read_bytes()).hexdigest()[:8]}"
    if not program.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as work:
            _run(["gcc", "-static", "-Os", "-s", "-o", f"{work}/pause", _PAUSE_SOURCE])
            Path(work, "pause").rename(program)
    return program


def _archive(reference, program, user):
    """An OCI archive of one program; the program's own cache path says what is in it."""
    key = hashlib.sha256(f"{reference} {program} {user}".encode()).hexdigest()[:8]
    archive = _CACHE / f"{Path(program).name.partition('-')[0]}-{key}.tar"
    if archive.exists():
        return archive
    say(f"building the image '{reference}'")
    with tempfile.TemporaryDirectory(dir=_CACHE) as work:
        buildah = ["buildah", "--storage-driver", "vfs", "--root", f"{work}/storage", "--runroot", f"{work}/run"]
        container = _run([*buildah, "from", "scratch"])
        name = Path(program).name
        _run([*buildah, "copy", "--chmod", "0755", container, program, f"/{name}"])
        _run([*buildah, "config", "--entrypoint", f'["/{name}"]', "--user", user, container])
        image = _run([*buildah, "commit", "--quiet", container])
        # Uncompressed: it is imported on every first boot and never sent over a network.
        _run([*buildah, "push", "--quiet", "--disable-compression", image, f"oci-archive:{work}/image.tar:{reference}"])
        shutil.move(f"{work}/image.tar", archive)
    return archive


def archives():
    """What containerd must hold before a first pod can start."""
    return [_archive(PAUSE, pause_program(), "65535:65535"),
            _archive(COREDNS, tools.program("coredns"), "65532:65532")]


def load(socket, paths):
    """Imports archives (OCI or docker) into the namespace that Kubernetes uses, all at once."""
    ctr = [tools.program("ctr"), "--address", socket, "--namespace", "k8s.io", "images", "import"]
    running = [(path, subprocess.Popen([*ctr, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
               for path in paths]
    for path, child in running:
        output, _ = child.communicate()
        if child.returncode:
            raise Failure(f"'{path}' cannot be imported: {output.strip()}")
