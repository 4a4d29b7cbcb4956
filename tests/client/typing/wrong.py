"""Wrong uses of the client, each of which must be an error."""

from parley_client import (
    AsyncParley,
    Conversation,
    Event,
    Message,
    MessageCreated,
    Parley,
    errors,
)


def arguments(parley: Parley, conversation: Conversation, message: Message) -> None:
    Parley("https://chat.example.org", "secret")  # E: call-arg
    Parley("https://chat.example.org", token=b"secret")  # E: arg-type
    parley.conversations.start(message)  # E: arg-type
    parley.conversations.start_group("Team", 1)  # E: arg-type
    conversation.send()  # E: call-arg
    conversation.send(b"hello")  # E: arg-type
    conversation.send("hello", reply_to=message.id)  # E: arg-type
    conversation.send("hello", parent=message)  # E: call-arg
    conversation.messages(limit=10)  # E: call-arg
    conversation.mark_read(up_to_sequence="3")  # E: arg-type
    conversation.mark_seen(message)  # E: arg-type
    message.edit(None)  # E: arg-type
    message.edit("hello", "1.1")  # E: call-arg
    message.restore("1")  # E: arg-type
    parley.messages.get("1")  # E: arg-type
    parley.me.delete()  # E: call-arg
    parley.me.change_password("old", "new")  # E: call-arg
    parley.inbox.mark_read(3)  # E: arg-type


def results(parley: Parley, message: Message) -> str:
    message.contents  # E: attr-defined
    message.sender.username  # E: union-attr
    message.content = "changed"  # E: misc
    parley.conversations.start("bob").participant.username  # E: union-attr
    parley.conversations.list()[0]  # E: index
    parley.conversations.list().first().title  # E: union-attr
    parley.tokens = parley.users  # E: assignment
    len(parley.inbox.summary())  # E: arg-type
    return message.timestamp  # E: return-value


def comparisons(conversation: Conversation) -> bool:
    return conversation.kind == "grupo"  # E: comparison-overlap


async def awaiting(parley: AsyncParley) -> None:
    parley.me.get()  # E: unused-coroutine
    (await parley.me.get()).name  # E: attr-defined
    for _ in parley.conversations.list():  # E: attr-defined
        pass
    async for message in (await parley.conversations.start("bob")).messages():
        await message.reply(message)  # E: arg-type


def sorts(event: Event) -> str:
    match event:
        case MessageCreated(notification=_):  # E: misc
            return ""
        case _:
            return event.message  # E: union-attr


def refusals(error: errors.RefusedError) -> int:
    return error.code  # E: return-value
