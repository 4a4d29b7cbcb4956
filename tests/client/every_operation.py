"""Every operation of the API, called by three people and a service.

Written for the asynchronous client; for the synchronous one it is generated, as that
client itself is.
"""

from dataclasses import dataclass

import pytest

from parley_client import (
    AsyncConversation,
    AsyncMessage,
    AsyncParley,
    AsyncThread,
    errors,
)


@dataclass(frozen=True, slots=True)
class Site:
    """An installation, and names that nobody has there yet."""

    url: str
    service_token: str
    names: tuple[str, str, str]
    password: str = "correct horse battery staple"


async def use_every_operation(site: Site) -> None:
    ann_name, bob_name, cleo_name = site.names
    async with (
        await AsyncParley.register(
            site.url, ann_name, site.password, display_name="Ann"
        ) as ann,
        await AsyncParley.register(site.url, bob_name, site.password) as bob,
        AsyncParley(site.url, token=site.service_token) as shop,
    ):
        await send_messages(ann, bob, bob_name)
        await catch_up(bob)
        await read_inbox(bob)
        await manage_group(ann, bob, bob_name)
        await invite(ann, bob)
        await find_and_block(ann, bob_name)
        await look_at_looks(ann)
        await act_as_service(shop, cleo_name)
        await manage_account(site, ann, ann_name)


async def send_messages(ann: AsyncParley, bob: AsyncParley, bob_name: str) -> None:
    conversation = await ann.conversations.start(bob_name)
    assert conversation.kind == "direct"
    assert conversation.participant is not None
    assert conversation.participant.username == bob_name
    hello = await conversation.send("hello")
    assert (hello.sequence, hello.content) == (1, "hello")
    direct = await ann.messages.send(bob_name, "again", reply_to=hello)
    assert direct.parent_message_id == hello.id
    again = await ann.messages.send(bob_name, "once", idempotency_key="the-same")
    assert again == await ann.messages.send(
        bob_name, "once", idempotency_key="the-same"
    )
    await edit_message(hello)
    await answer_message(await bob.messages.get(hello.id))
    await page_through(await conversation.refresh())
    await delete_message(await conversation.send("never mind"))


async def edit_message(hello: AsyncMessage) -> None:
    edited = await hello.edit("hello there")
    # The version in hand is old.
    with pytest.raises(errors.StaleVersionError):
        await hello.edit("too late")
    forced = await hello.edit("hello", overwrite=True)
    assert forced.version == edited.version + 1
    restored = await forced.restore(2)
    assert restored.content == "hello there"
    contents = [version.content async for version in restored.history(page_size=2)]
    assert contents == ["hello", "hello there", "hello", "hello there"]


async def answer_message(hello: AsyncMessage) -> None:
    await hello.mark_read()
    await hello.mark_unread()
    reply = await hello.reply("who is there?")
    assert reply.parent_message_id == hello.id
    thread = await hello.thread(depth=2)
    assert isinstance(thread.replies[-1], AsyncThread)
    nested = await thread.replies[-1].reply("me")
    below = [(found.id, found.depth) async for found in hello.all_replies(page_size=1)]
    assert below[-2:] == [(reply.id, 1), (nested.id, 2)]
    receipts = await hello.receipts().all()
    assert [receipt.read for receipt in receipts] == [False]


async def page_through(conversation: AsyncConversation) -> None:
    newest = [message.sequence async for message in conversation.messages(page_size=2)]
    assert newest == list(range(conversation.last_sequence, 0, -1))
    oldest = [
        message.sequence
        async for message in conversation.messages(page_size=2, after_sequence=1)
    ]
    assert oldest == list(range(2, conversation.last_sequence + 1))
    assert conversation.last_message is not None
    middle = await conversation.messages(around=conversation.last_message).page()
    assert conversation.last_message.id in [message.id for message in middle.items]
    await conversation.last_message.refresh()


async def delete_message(message: AsyncMessage) -> None:
    await message.delete()
    with pytest.raises(errors.MessageNotFoundError):
        await message.refresh()


async def catch_up(bob: AsyncParley) -> None:
    page = await bob.catch_up.page(page_size=1)
    waiting = [each async for each in bob.catch_up]
    assert page.items[0].messages == waiting[0].messages
    assert page.badge_count == sum(len(each.messages) for each in waiting)
    mentions = await bob.catch_up.page(show="mentions")
    assert sum(len(each.messages) for each in mentions.items) == page.mention_count


async def read_inbox(bob: AsyncParley) -> None:
    unread = [message async for message in bob.inbox]
    summary = await bob.inbox.summary()
    assert summary.unread_count == len(unread) > 1
    notification = await bob.notifications.list(page_size=1).first()
    assert notification is not None
    assert notification.message.id == unread[0].id
    await notification.mark_read()
    await bob.notifications.mark_read(notification.id)
    page = await bob.inbox.page(page_size=1)
    assert len(page.items) == 1
    await bob.inbox.mark_read(page.up_to)
    assert (await bob.inbox.summary()).unread_count == 0
    conversations = [each async for each in bob.conversations]
    assert conversations == await bob.conversations.list().all()
    [conversation, *_] = conversations
    # Only mentions and replies are kept.
    assert not [each async for each in bob.notifications if each.kind == "message"]
    # The message of the notification is one of them.
    there = [each for each in unread if each.conversation_id == conversation.id]
    await there[0].mark_unread()
    await conversation.mark_seen(there[1:])
    assert (await conversation.refresh()).unread_count == 1
    await conversation.mark_seen(there)
    assert (await conversation.refresh()).unread_count == 0
    await conversation.mark_read()


async def invite(ann: AsyncParley, bob: AsyncParley) -> None:
    group = await ann.conversations.start_group("Invited", [])
    issued = await group.invite(max_uses=2, expires_in=3600)
    code = issued.invite_code
    assert issued.url.endswith(f"/join/{code}")
    invited = await bob.invitations.get(code)
    assert (invited.kind, invited.title) == ("group", "Invited")
    assert (await bob.invitations.accept(code)).id == group.id
    [listed] = await group.invitations(page_size=1).all()
    assert (listed.id, listed.used, listed.max_uses) == (issued.id, 1, 2)
    await group.revoke_invitation(issued.id)
    with pytest.raises(errors.InvalidInviteError):
        await bob.invitations.get(code)


async def manage_group(ann: AsyncParley, bob: AsyncParley, bob_name: str) -> None:
    group = await ann.conversations.start_group("Team", [])
    assert (group.role, group.kind) == ("owner", "group")
    await group.add(bob_name)
    assert (await group.rename("The team")).title == "The team"
    roles = {one.role async for one in group.participants(page_size=1)}
    assert roles == {"owner", "member"}
    [found] = await group.participants(matching=bob_name[1:]).all()
    assert (found.user.username, found.online, found.last_seen_at) == (
        *(bob_name, False),
        None,
    )
    await group.add_owner(bob_name)
    await group.remove_owner(bob_name)
    await group.hand_over(bob_name)
    await group.mute()
    assert (await group.refresh()).muted
    await group.unmute()
    await group.hide()
    assert (await group.refresh()).hidden
    await group.unhide()
    seen = await bob.conversations.get(group.id)
    assert seen.role == "owner"
    await seen.remove(bob_name)


async def find_and_block(ann: AsyncParley, bob_name: str) -> None:
    assert [user.username async for user in ann.users.search(bob_name)] == [bob_name]
    await ann.blocks.add(bob_name)
    assert [block.user.username async for block in ann.blocks.list()] == [bob_name]
    with pytest.raises(errors.NotDeliverableError):
        await ann.messages.send(bob_name, "hello?")
    await ann.blocks.remove(bob_name)


async def look_at_looks(ann: AsyncParley) -> None:
    assert [look async for look in ann.looks.list()] == []
    await ann.looks.mark_seen(1)
    assert (await ann.inbox.summary()).new_looks == 0


async def act_as_service(shop: AsyncParley, cleo_name: str) -> None:
    brought = await shop.service.create_user(cleo_name, external_id=cleo_name)
    assert brought.external_id == cleo_name
    minted = await shop.service.create_token(cleo_name, expires_in=60)
    async with AsyncParley(shop.url, token=minted.token) as cleo:
        assert (await cleo.me.get()).username == cleo_name


async def manage_account(site: Site, ann: AsyncParley, ann_name: str) -> None:
    assert (await ann.me.update(display_name="Ann B.")).display_name == "Ann B."
    assert (await ann.me.get()).display_name == "Ann B."
    await ann.me.change_password(current=site.password, new="another, longer one")
    issued = await ann.tokens.create(username=ann_name, password="another, longer one")
    assert issued.id in [token.id async for token in ann.tokens.list()]
    await ann.tokens.revoke(issued.id)
    async with await AsyncParley.sign_in(
        site.url, ann_name, "another, longer one"
    ) as elsewhere:
        await elsewhere.tokens.revoke_current()
    lines = [line async for line in ann.me.export()]
    assert (lines[0].type, lines[-1].type) == ("profile", "end")
    preview = await ann.me.preview_deletion()
    assert await ann.me.delete(password="another, longer one") == preview
