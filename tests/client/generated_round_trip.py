"""Two people talk, through the client that openapi-python-client generates."""

import sys

from parley_generated import AuthenticatedClient, Client
from parley_generated.api.auth import auth_register
from parley_generated.api.conversations import messages_send
from parley_generated.api.inbox import inbox_list
from parley_generated.api.messages import (
    messages_edit,
    messages_send_direct,
    threads_get,
)
from parley_generated.models import (
    DirectMessageIn,
    InboxPage,
    MessageIn,
    MessageOut,
    MessagePatch,
    Problem,
    RegisteredOut,
    RegisterIn,
    ThreadOut,
)


def register(url: str, username: str) -> AuthenticatedClient:
    body = RegisterIn(username=username, password="correct horse battery staple")
    registered = auth_register.sync(client=Client(url), body=body)
    assert isinstance(registered, RegisteredOut), registered
    return AuthenticatedClient(url, registered.token)


def main(url: str, ann_name: str, bob_name: str) -> None:
    ann, bob = register(url, ann_name), register(url, bob_name)
    hello = messages_send_direct.sync(
        client=ann,
        body=DirectMessageIn(receiver=bob_name, content="hello"),
        idempotency_key="hello",
    )
    assert isinstance(hello, MessageOut), hello
    inbox = inbox_list.sync(client=bob, limit=1)
    assert isinstance(inbox, InboxPage), inbox
    assert inbox.items[0].content == "hello"
    reply = messages_send.sync(
        hello.conversation_id,
        client=bob,
        body=MessageIn(content="again", parent_message_id=hello.id),
    )
    assert isinstance(reply, MessageOut), reply
    thread = threads_get.sync(hello.id, client=ann)
    assert isinstance(thread, ThreadOut), thread
    assert [below.content for below in thread.replies] == ["again"]
    refused = messages_edit.sync(
        hello.id, client=bob, body=MessagePatch(content="mine now")
    )
    assert isinstance(refused, Problem), refused
    assert refused.code == "not_sender"
    print("done")


main(*sys.argv[1:])
