"""Proves that hack/checks/structure rejects each broken tree, with the right message."""
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from proof import prove  # noqa: E402

# Tree → the whole of what must be printed.
EXPECTED = {
    "bad-circle": "circle: src/line.c <-> src/page.c <-> src/words.c",
    "bad-long": "\n".join((
        "include/page.h: 402 lines, at most 400: a file is one noun",
        "src/page.c: 401 lines, at most 400: a file is one noun")),
}


def build(tree, folder):
    """Compiles the tree's files into the folder, where CMake would leave the objects."""
    for source in sorted(tree.glob("src/*.c")):
        output = folder / tree.name / "src" / (source.name + ".o")
        output.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-c", "-o", output, source], check=True)
    return [folder / tree.name]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        sys.exit(prove(HERE, EXPECTED, "structure: 3 files without a circle", lambda tree: build(tree, Path(place))))
