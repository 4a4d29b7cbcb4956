"""The secret key: the one that is set, or one that is made at the first start."""

import os
import secrets
from pathlib import Path

from config.setting_checks import made_folder, require_strong
from config.startup_errors import StartError
from config.variables import Environment


def kept_secret_key(path: Path) -> str:
    """Read this installation's secret key; the first time, create it.

    Several processes may start at once. Each links a complete file into place, and the
    first link wins, so that all of them read the same key.
    """
    if not path.exists():
        made_folder(path.parent)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return path.read_text().strip()


def secret_key_of(env: Environment) -> str:
    """The key that is set, or else the key in the data directory.

    Raises:
        StartError: the key cannot be read or written, or can be guessed.
    """
    path = env.data_dir / "secret-key"
    try:
        key = env.secret_key or kept_secret_key(path)
    except OSError as error:
        raise StartError(f"Cannot keep a key at {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise StartError(f"What stands at {path} is no key.") from error
    require_strong(key, name=str(path))
    return key
