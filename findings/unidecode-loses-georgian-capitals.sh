#!/usr/bin/env bash
# Unidecode 1.4.0, text-unidecode 1.3 and python-slugify 9.2.0: a Georgian name in capitals is nothing.
#
# Expected: folding to ASCII does not depend on the case: "გიორგი" is "giorgi", and its upper() is
# "GIORGI". Georgian is in every table of this kind.
# Seen: Unicode 11 gave Georgian capitals, and Python's upper() and swapcase() write them; Unidecode
# has none, and answers "". python-slugify's slug is then empty too, and text-unidecode has "[?]" for
# each letter. All such names are equal when they are compared. anyascii 0.3.3 knows them;
# casefold() before folding helps the others.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    Unidecode==1.4.0 text-unidecode==1.3 python-slugify==9.2.0 anyascii==0.3.3

"$folder/venv/bin/python" - <<'PYTHON'
import sys

from anyascii import anyascii
from slugify import slugify
from text_unidecode import unidecode as text_unidecode
from unidecode import unidecode

FOLDS = {
    "Unidecode": unidecode,
    "text-unidecode": text_unidecode,
    "python-slugify": slugify,
    "anyascii": anyascii,
}
seen = {
    "გიორგი": ["giorgi", "giorgi", "giorgi", "giorgi"],
    "გიორგი".upper(): ["", "[?][?][?][?][?][?]", "", "GIORGI"],
    "ნინო".upper(): ["", "[?][?][?][?]", "", "NINO"],
    "ნინო".upper().casefold(): ["nino", "nino", "nino", "nino"],
}
same = True
for name, expected in seen.items():
    found = [fold(name) for fold in FOLDS.values()]
    print(name, "  ".join(f"{which}: {folded!r}" for which, folded in zip(FOLDS, found)))
    same = same and found == expected
sys.exit(not same)
PYTHON
