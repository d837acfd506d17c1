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
def _paths():
    lines = subprocess.run([_BUILD, "--list"], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return {words[0]: words[3] for words in map(str.split, lines)}


def program(name, module=None):
    """The absolute path of one; of another version's when a module such as kubernetes-1.29 is named."""
    return _paths()[f"{module}/{name}" if module else name]
