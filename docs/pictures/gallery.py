"""Runs every script of examples/ and writes docs/gallery.md: `python docs/pictures/gallery.py`.

A picture is kept where a script saves one in the folder in which it runs. Names after the command run those alone and
leave the rest of the page.
"""

import ast
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent
EXAMPLES = DOCS.parent / "examples"
PAGE = DOCS / "gallery.md"
HEAD = """# Gallery

What the scripts of [examples](../examples) print and draw; each runs in about a minute or less. This page is written by
`python docs/pictures/gallery.py`.
"""


def section(script: Path) -> str:
    """Title, first lines, output and picture of one script."""
    words = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    with tempfile.TemporaryDirectory() as folder:
        here = os.environ | {"TMPDIR": folder}
        done = subprocess.run(
            [sys.executable, script], cwd=folder, env=here, capture_output=True, text=True, check=True
        )
        drawn = []
        for picture in sorted(Path(folder).rglob("*.png")):
            kept = DOCS / "pictures" / f"gallery-{script.stem}-{picture.name}"
            kept.write_bytes(picture.read_bytes())
            drawn.append(f"![{picture.stem} of {script.name}](pictures/{kept.name})\n")
    link = f"[examples/{script.name}](../examples/{script.name})"
    return "\n".join(
        [
            f"## {script.stem}\n",
            f"{words}\n\n{link}\n",
            "```",
            re.sub(r"\S*/(\w+\.png)", r"\1", done.stdout).rstrip(),
            "```\n",
            *drawn,
        ]
    )


def main() -> None:
    asked = sys.argv[1:]
    old = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)) if PAGE.is_file() else {}
    sections = []
    for script in sorted(EXAMPLES.glob("*.py")):
        known = script.stem in old and asked and script.stem not in asked
        sections.append(f"## {script.stem}\n{old[script.stem]}".rstrip() + "\n" if known else section(script))
    PAGE.write_text("\n".join([HEAD, *sections]), encoding="utf-8")


if __name__ == "__main__":
    main()
