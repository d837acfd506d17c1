"""Proves that hack/checks/dialect rejects each broken tree, with the right message."""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from proof import prove  # noqa: E402

# Tree → the whole of what must be printed.
EXPECTED = {
    "bad-braces": "\n".join((
        "src/page.c:4: 'if' without braces",
        "src/page.c:6: 'if' without braces",
        "src/page.c:8: 'else' without braces",
        "src/page.c:10: 'for' without braces",
        "src/page.c:12: 'while' without braces",
        "src/page.c:14: 'do' without braces",
        "src/page.c:16: 'while' without braces",
        "src/page.c:17: 'json_array_foreach' without braces",
    )),
    "bad-pointers": "\n".join(f"src/page.c:{line}: pointer '{what}' is not compared with NULL" for line, what in (
        (10, "page"), (13, "a"), (16, "b"), (19, "page_text(page)"), (20, "page->type"), (22, "first"),
        (22, "page->done"))),
}

if __name__ == "__main__":
    sys.exit(prove(HERE, EXPECTED, "dialect: 2 files speak it"))
