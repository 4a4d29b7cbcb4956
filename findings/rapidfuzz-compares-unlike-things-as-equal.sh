#!/usr/bin/env bash
# RapidFuzz 3.14.6: elements of lists that are not equal have distance 0.
#
# Expected: the distance of two lists is 0 only where their elements are equal, as
# difflib.SequenceMatcher has it and as the type hints (Sequence[Hashable]) say.
# Seen: elements are compared by a number alone, their hash, and a text of one character by its code
# point: ["a"] and [97] are the same, as are [2**61 - 1] and [0]. The edits between two versions are
# then empty though something changed. Longer texts have random hashes, and are safe.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rapidfuzz==3.14.6

"$folder/venv/bin/python" - <<'PYTHON'
import sys

from rapidfuzz.distance import Levenshtein

cases = [
    (["a"], [97], 0),
    (["€", "x"], [8364, "x"], 0),
    ([2**61 - 1], [0], 0),
    (["ab"], [97], 1),
]
same = True
for one, other, expected in cases:
    found = Levenshtein.distance(one, other)
    edits = list(Levenshtein.editops(one, other))
    print(f"{one!r:24} {other!r:14} equal: {one == other}  distance: {found}  edits: {edits}")
    same = same and one != other and found == expected
sys.exit(not same)
PYTHON
