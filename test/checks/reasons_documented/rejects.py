"""Proves that hack/checks/reasons_documented rejects each broken tree, with the right message."""
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECK = HERE.parents[2] / "hack" / "checks" / "reasons_documented"
UNTOLD = ("is in no table of README.md's section 'Troubleshooting': add a row, or, if it is no reason, add it to "
          "NOT_REASONS in hack/checks/reasons_documented")

# Tree → the whole of what must be printed.
EXPECTED = {
    "bad-untold": f"src/chain/links.c:4: reason 'NoPods' {UNTOLD}",
    "bad-untold-elsewhere": f"src/chain/links.c:5: reason 'APIServiceMissing' {UNTOLD}",
    "bad-gone": "README.md:7: reason 'NoNodes' is nowhere in the code: take it out",
}


def run(tree):
    done = subprocess.run([sys.executable, CHECK, HERE / tree], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip() or done.stderr.strip()


def main():
    failures = []
    on_disk = {p.name for p in HERE.glob("bad-*")}

    for tree in sorted(on_disk ^ set(EXPECTED)):
        failures.append(f"'{tree}' is not both on disk and in the table of this test")
    for tree in sorted(on_disk & set(EXPECTED)):
        got = run(tree)
        if got != (1, EXPECTED[tree]):
            failures.append(f"'{tree}': wanted exit 1 and\n  {EXPECTED[tree]}\ngot {got[0]} and\n  {got[1]}")
    got = run("good")
    if got != (0, "reasons_documented: 2 reasons are told"):
        failures.append(f"'good' was not accepted: exit {got[0]}: {got[1]}")
    if run("missing")[0] != 2:
        failures.append("a tree that is not there was accepted")
    print("\n".join(failures) or f"{len(EXPECTED)} broken trees rejected")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
