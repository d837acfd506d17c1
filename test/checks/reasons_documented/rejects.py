"""Proves that hack/checks/reasons_documented rejects each broken tree, with the right message."""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from proof import prove  # noqa: E402

UNTOLD = ("is in no table of README.md's section 'Troubleshooting': add a row, or, if it is no reason, add it to "
          "NOT_REASONS in hack/checks/reasons_documented")

# Tree → the whole of what must be printed.
EXPECTED = {
    "bad-untold": f"src/chain/links.c:4: reason 'NoPods' {UNTOLD}",
    "bad-untold-elsewhere": f"src/chain/links.c:5: reason 'APIServiceMissing' {UNTOLD}",
    "bad-gone": "README.md:7: reason 'NoNodes' is nowhere in the code: take it out",
}

if __name__ == "__main__":
    sys.exit(prove(HERE, EXPECTED, "reasons_documented: 2 reasons are told"))
