"""Bodies as servers get them: in chunks, too large, on connections that are kept."""

import re
import socket

import httpx
import pytest

from tests.live.concurrent_calls import People, send, start_group
from tests.live_server import LiveServer

MEGABYTE = 1024 * 1024
TIMEOUT = 60
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@pytest.mark.django_db
def test_a_body_in_chunks_is_read(servers: LiveServer, people: People) -> None:
    client = servers.client(0, people[0])
    answer = client.patch(
        "/me",
        content=iter([b'{"display_', b'name": "In chunks"}']),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200
    assert client.get("/me").json()["display_name"] == "In chunks"


@pytest.mark.django_db
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_that_is_too_large_is_refused_and_the_connection_kept(
    chunked: bool, servers: LiveServer, people: People
) -> None:
    client = servers.client(0, people[0])
    body = [b'"', b"x" * 3 * MEGABYTE, b'"']
    answer = client.patch(
        "/me",
        content=iter(body) if chunked else b"".join(body),
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert client.get("/me").status_code == 200


@pytest.mark.django_db
def test_chunks_that_are_none_are_the_senders_fault(servers: LiveServer) -> None:
    url = httpx.URL(servers.urls[0])
    with socket.create_connection((url.host, url.port), TIMEOUT) as connection:
        connection.sendall(
            b"PATCH /api/v1/me HTTP/1.1\r\nHost: localhost\r\n"
            b"Transfer-Encoding: chunked\r\n\r\nno size\r\n"
        )
        with connection.makefile("rb") as answer:
            assert answer.readline() == b"HTTP/1.1 400 Bad Request\r\n"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "parameter",
    [
        *("charset=rot13", "charset=hex", "charset=undefined", "charset=no-such-one"),
        *("charset*=utf-8''rot13", "x*=rot13''x", 'CharSet = "punycode"'),
    ],
)
def test_an_address_means_the_same_whatever_charset_is_named(
    parameter: str, servers: LiveServer, people: People
) -> None:
    client = servers.client(0, people[0])
    answer = client.get(
        f"/users?query={people[1].username}",
        headers={"Content-Type": f"text/plain; {parameter}"},
    )
    assert answer.status_code == 200
    assert [user["username"] for user in answer.json()["items"]] == [people[1].username]


@pytest.mark.django_db
def test_nobody_puts_another_page_in_the_cache_by_naming_a_charset(
    servers: LiveServer, people: People
) -> None:
    ann, bob = (servers.client(0, person) for person in people[:2])
    conversation = start_group(ann, people[1])
    for number in range(3):
        send(ann, conversation, str(number))
    page = f"/conversations/{conversation}/messages?after_sequence=2"
    odd = {"Content-Type": "text/plain; charset=cp037"}
    for answer in (bob.get(page, headers=odd), ann.get(page)):
        assert [item["sequence"] for item in answer.json()["items"]] == [3]


@pytest.mark.django_db
def test_a_form_is_read_as_utf_8_whatever_charset_is_named(servers: LiveServer) -> None:
    with httpx.Client(base_url=servers.urls[0], timeout=TIMEOUT) as browser:
        token = CSRF.search(browser.get("/sign-in").text)
        assert token
        fields = {
            "csrfmiddlewaretoken": token[1],
            "username": "\\ud800é",
            "password": "x",
        }
        form = "".join(
            f'--XX\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        answer = browser.post(
            "/sign-in",
            content=f"{form}--XX--\r\n".encode(),
            headers={
                "Content-Type": 'multipart/form-data; boundary="XX"; charset=unicode_escape'
            },
        )
    assert answer.status_code == 200
    assert 'value="\\ud800é"' in answer.text
