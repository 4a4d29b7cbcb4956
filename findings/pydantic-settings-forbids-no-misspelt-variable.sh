#!/usr/bin/env bash
# pydantic-settings 2.16.3: extra="forbid" forbids no variable of the environment.
#
# Expected: with env_prefix="CHAT_" and extra="forbid", a variable CHAT_HTTP (for CHAT_HTTPS) is an
# error, as an unknown field is everywhere else in pydantic, and in a .env file here.
# Seen: it is ignored, and the default holds: whoever misspelt the switch for TLS runs
# without. The same line in a .env file is an error. Numbers are read as Python writes them (1_0 is
# 10), while a blank around "true" is an error.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pydantic-settings==2.16.3 pydantic==2.14.4

cd "$folder"
venv/bin/python - <<'PYTHON'
import os
import sys
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CHAT_", extra="forbid")

    https: bool = False
    workers: int = 2


def read(**options):
    try:
        return str(Settings(**options))
    except ValidationError as error:
        return f"refused: {error.errors()[0]['type']}"


seen = []
os.environ["CHAT_HTTP"] = "true"
seen.append(("CHAT_HTTP=true in the environment", read(), "https=False workers=2"))
del os.environ["CHAT_HTTP"]
Path(".env").write_text("CHAT_HTTP=true\n")
seen.append(("CHAT_HTTP=true in a .env file", read(_env_file=".env"), "refused: extra_forbidden"))
os.environ["CHAT_WORKERS"] = "1_0"
seen.append(("CHAT_WORKERS=1_0", read(), "https=False workers=10"))
os.environ["CHAT_HTTPS"] = " true "
seen.append(("CHAT_HTTPS=' true '", read(), "refused: bool_parsing"))
for what, found, _ in seen:
    print(f"{what:36} {found}")
sys.exit(any(found != expected for _, found, expected in seen))
PYTHON
