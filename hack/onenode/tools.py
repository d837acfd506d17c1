"""The programs of hack/tools, seen from Python."""

import subprocess
from functools import cache
from pathlib import Path

from .failure import Failure

_BUILD = Path(__file__).parents[1] / "tools/build"


def build(group):
    if subprocess.run([_BUILD, group]).returncode:
        raise Failure(f"the programs of the group '{group}' are missing and did not build; see above")


@cache
def program(name):
    """The absolute path of one."""
    return subprocess.run([_BUILD, "--print-path", name], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip()
