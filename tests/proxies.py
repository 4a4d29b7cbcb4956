"""HAProxy and nginx before nodes of a test, as `deploy/` configures them."""

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import pytest
from django.conf import settings

from tests.live_server import free_port

# Named in the files of `deploy/`, and in the certificate.
_HOST: Final = "chat.example.org"
_NODES: Final = {"one": "10.0.0.11:8000", "two": "10.0.0.12:8000"}
_TIMEOUT: Final = 60
# As HAProxy shows a node that answers its checks.
_IS_UP: Final = "2"

# What nodes behind these proxies are told.
SETTINGS: Final[Mapping[str, str]] = {
    "PARLEY_ALLOWED_HOSTS": f"{_HOST},127.0.0.1",
    "PARLEY_HTTPS": "true",
    "PARLEY_TRUSTED_PROXIES": "1",
}


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(
        bool(missing) and "CI" not in os.environ,
        reason=f"no {' and no '.join(missing)} to start",
    )


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy; `status` is HAProxy's socket."""

    url: str
    certificate: Path
    status: Path | None = None
    clients: list[httpx.Client] = field(default_factory=list)

    def client(self, path: str = "", *, address: str | None = None) -> httpx.Client:
        """A client that comes from this address of the machine.

        Closed with the proxy.
        """
        transport = httpx.HTTPTransport(
            verify=ssl.create_default_context(cafile=self.certificate),
            local_address=address,
        )
        client = httpx.Client(
            base_url=f"{self.url}{path}", transport=transport, timeout=_TIMEOUT
        )
        self.clients.append(client)
        return client

    def await_nodes(self) -> None:
        """Until it counts on all nodes; nginx always does."""
        if self.status is not None:
            _await(lambda: self._column("state", "srv_op_state") == [_IS_UP] * 2)

    def take_out(self, node: int) -> None:
        """Send HAProxy's node nothing new, and wait until it has answered the rest."""
        self._told(f"set server requests/{[*_NODES][node]} state drain")
        _await(lambda: self._column("conn", "used_cur")[node] == "0")

    def put_back(self, node: int) -> None:
        self._told(f"set server requests/{[*_NODES][node]} state ready")

    def _column(self, table: str, name: str) -> list[str]:
        """What HAProxy shows of each node, but for streams."""
        shown = self._told(f"show servers {table} requests")
        _, _, below = shown.partition("# ")
        names, *rows = [line.split() for line in below.splitlines() if line]
        return [row[names.index(name)] for row in rows]

    def _told(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.status))
            connection.sendall(f"{command}\n".encode())
            with connection.makefile() as answer:
                return answer.read()


@contextmanager
def haproxy_before(nodes: Sequence[str], folder: Path) -> Iterator[Proxy]:
    port, certificate = free_port(), _certificate(folder)
    status = folder / "admin.sock"
    both = folder / "both.pem"
    both.write_bytes(certificate.read_bytes() + _key(certificate).read_bytes())
    configuration = _filled(
        "haproxy.cfg",
        nodes,
        {
            "bind :80\n": f"bind 127.0.0.1:{free_port()}\n",
            "bind :443 ": f"bind 127.0.0.1:{port} ",
            f"/etc/haproxy/{_HOST}.pem": str(both),
            "/run/haproxy/admin.sock": str(status),
        },
    )
    file = folder / "haproxy.cfg"
    file.write_text(configuration)
    proxy = Proxy(f"https://127.0.0.1:{port}", certificate, status)
    with _running(proxy, "haproxy", "-db", "-f", str(file), log=folder / "haproxy.log"):
        yield proxy


@contextmanager
def nginx_before(nodes: Sequence[str], folder: Path) -> Iterator[Proxy]:
    port, certificate = free_port(), _certificate(folder)
    configuration = _filled(
        "nginx.conf",
        nodes,
        {
            "listen 80;": f"listen 127.0.0.1:{free_port()};",
            "listen 443 ": f"listen 127.0.0.1:{port} ",
            f"/etc/nginx/{_HOST}.crt": str(certificate),
            f"/etc/nginx/{_HOST}.key": str(_key(certificate)),
            "/var/log/nginx": str(folder),
        },
    )
    site, file = folder / "parley.conf", folder / "nginx.conf"
    site.write_text(configuration)
    file.write_text(_around(site))
    proxy = Proxy(f"https://127.0.0.1:{port}", certificate)
    command = ("nginx", "-p", str(folder), "-e", "stderr", "-c", str(file))
    with _running(proxy, *command, log=folder / "nginx.log"):
        yield proxy


def _filled(name: str, nodes: Sequence[str], places: Mapping[str, str]) -> str:
    """The configuration that operators are given, with a test's own addresses."""
    text = (settings.BASE_DIR / "deploy" / name).read_text()
    addresses = [node.removeprefix("http://") for node in nodes]
    for place, value in {
        **places,
        **dict(zip(_NODES.values(), addresses, strict=True)),
    }.items():
        assert place in text, place
        text = text.replace(place, value)
    return text


def _around(site: Path) -> str:
    """What Debian's nginx.conf is around a site, but in the foreground and in one folder."""
    temporary = "\n".join(
        f"{kind}_temp_path {site.parent / kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Somebody else could not enter the folder.
    user = "" if os.geteuid() else "user root;"
    return (
        f"{user} daemon off; pid {site.parent / 'nginx.pid'};\n"
        f"events {{}}\nhttp {{\n{temporary}\ninclude {site};\n}}\n"
    )


def _certificate(folder: Path) -> Path:
    """A certificate that signs itself, with its key beside it."""
    file = folder / "parley.crt"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", f"/CN={_HOST}"),
            *("-addext", f"subjectAltName=DNS:{_HOST},IP:127.0.0.1"),
            *("-keyout", str(_key(file)), "-out", str(file)),
        ],
        check=True,
        capture_output=True,
    )
    return file


def _key(certificate: Path) -> Path:
    return certificate.with_suffix(".key")


@contextmanager
def _running(proxy: Proxy, *command: str, log: Path) -> Iterator[None]:
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            client = proxy.client()
            _await(lambda: _is_served(client, process))
            yield
        finally:
            for each in proxy.clients:
                each.close()
            process.terminate()
            process.wait(_TIMEOUT)


def _is_served(client: httpx.Client, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None
    try:
        client.get("/readyz").raise_for_status()
    except httpx.ConnectError:
        return False
    return True


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
