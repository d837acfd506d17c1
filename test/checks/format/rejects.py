"""Proves that hack/checks/format rejects each broken tree, with the right message."""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from proof import prove  # noqa: E402

# Tree → the whole of what must be printed.
EXPECTED = {
    "bad-indented": "src/twice.c: not as clang-format writes it: run hack/checks/format --fix",
}

if __name__ == "__main__":
    sys.exit(prove(HERE, EXPECTED, "format: 1 files are as they should be"))
