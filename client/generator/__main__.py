"""Reads the OpenAPI document from standard input, and writes the generated modules."""

import argparse
import sys
from pathlib import Path
from typing import Final

from generator.document import read_document
from generator.models import models
from generator.operations import operations
from generator.sync import synchronous

_SOURCE: Final = Path(__file__).parent.parent / "src" / "parley_client"


def main() -> None:
    parser = argparse.ArgumentParser(prog="generator", description=__doc__)
    parser.add_argument("output", nargs="?", type=Path, default=_SOURCE)
    output = Path(vars(parser.parse_args())["output"])
    document = read_document(sys.stdin.buffer.read())
    (output / "_sync").mkdir(parents=True, exist_ok=True)
    (output / "models.py").write_text(models(document))
    (output / "operations.py").write_text(operations(document))
    for module in sorted((_SOURCE / "_async").glob("*.py")):
        (output / "_sync" / module.name).write_text(synchronous(module))


if __name__ == "__main__":
    main()
