"""Proves that a check of hack/checks accepts the tree 'good' and rejects each tree 'bad-*', with the right message."""
import subprocess
import sys
from pathlib import Path


def prove(folder, expected, accepted, further=lambda tree: ()):
    """The exit code of the proof of the check that the folder is named after.

    `expected`: tree → the whole of what must be printed; `accepted`: what is printed of 'good';
    `further`: the check's arguments after the path of a tree.
    """
    check = Path(__file__).resolve().parents[2] / "hack" / "checks" / folder.name
    failures = []
    on_disk = {path.name for path in folder.glob("bad-*")}

    def run(tree):
        done = subprocess.run([sys.executable, check, folder / tree, *further(folder / tree)], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.strip() or done.stderr.strip()

    for tree in sorted(on_disk ^ set(expected)):
        failures.append(f"'{tree}' is not both on disk and in the table of this test")
    for tree in sorted(on_disk & set(expected)):
        got = run(tree)
        if got != (1, expected[tree]):
            failures.append(f"'{tree}': wanted exit 1 and\n  {expected[tree]}\ngot {got[0]} and\n  {got[1]}")
    got = run("good")
    if got != (0, accepted):
        failures.append(f"'good' was not accepted: exit {got[0]}: {got[1]}")
    if run("missing")[0] != 2:
        failures.append("a tree that is not there was accepted")
    print("\n".join(failures) or f"{len(expected)} broken trees rejected")
    return 1 if failures else 0
