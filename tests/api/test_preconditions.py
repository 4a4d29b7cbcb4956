"""If-Match: a change to the version that was seen, or none."""

import pytest

from messaging.models import Message, MessageHistory, User
from tests.api_client import Answer, ApiClient
from tests.conftest import ClientOf


@pytest.fixture
def message(ann: User, bob: User) -> Message:
    return Message.objects.create(sender=ann, receiver=bob, content="one")


def edit(client: ApiClient, message: Message, content: str, etag: str) -> Answer:
    return client.call(
        "PATCH",
        f"/messages/{message.pk}",
        {"content": content},
        headers={"If-Match": etag},
    )


def test_a_stale_edit_is_refused(
    ann: User, message: Message, client_of: ClientOf
) -> None:
    client = client_of(ann)
    seen = client.get(f"/messages/{message.pk}").headers["ETag"]
    first = edit(client, message, "two", seen)
    assert first.status == 200
    assert first.headers["ETag"] != seen
    second = edit(client, message, "three", seen)
    assert (second.status, second.code) == (412, "stale_version")
    assert second.headers["ETag"] == first.headers["ETag"]
    assert Message.objects.get(pk=message.pk).content == "two"
    assert MessageHistory.objects.count() == 1


def test_a_stale_deletion_deletes_nothing(
    ann: User, message: Message, client_of: ClientOf
) -> None:
    client = client_of(ann)
    path = f"/messages/{message.pk}"
    seen = client.get(path).headers["ETag"]
    client.patch(path, {"content": "two"})
    stale = client.call("DELETE", path, headers={"If-Match": seen})
    assert stale.code == "stale_version"
    assert Message.objects.filter(pk=message.pk).exists()
    current = stale.headers["ETag"]
    assert client.call("DELETE", path, headers={"If-Match": current}).status == 204


def test_without_if_match_the_last_edit_wins_and_history_keeps_both(
    ann: User, message: Message, client_of: ClientOf
) -> None:
    client = client_of(ann)
    for content in ("two", "three"):
        client.patch(f"/messages/{message.pk}", {"content": content})
    kept = MessageHistory.objects.order_by("version").values_list(
        "old_content", flat=True
    )
    assert list(kept) == ["one", "two"]


@pytest.mark.parametrize("named", ["*", '"0.1", {}', "{}"])
def test_any_of_the_named_versions_will_do(
    named: str, ann: User, message: Message, client_of: ClientOf
) -> None:
    client = client_of(ann)
    current = client.get(f"/messages/{message.pk}").headers["ETag"]
    assert edit(client, message, "two", named.format(current)).status == 200


@pytest.mark.parametrize("named", ['"nonsense"', "W/{}", '"999.1"', "bare"])
def test_a_tag_that_names_no_version_of_it_is_stale(
    named: str, ann: User, message: Message, client_of: ClientOf
) -> None:
    client = client_of(ann)
    current = client.get(f"/messages/{message.pk}").headers["ETag"]
    assert edit(client, message, "two", named.format(current)).status == 412
    assert Message.objects.get(pk=message.pk).content == "one"


def test_reading_and_replying_do_not_change_the_tag(
    ann: User, bob: User, message: Message, client_of: ClientOf
) -> None:
    client = client_of(ann)
    path = f"/messages/{message.pk}"
    before = client.get(path).headers["ETag"]
    client_of(bob).put(f"{path}/read")
    Message.objects.create(sender=bob, parent_message=message, content="reply")
    assert client.get(path).headers["ETag"] == before


def test_a_restore_is_a_new_version(
    ann: User, message: Message, client_of: ClientOf
) -> None:
    client = client_of(ann)
    client.patch(f"/messages/{message.pk}", {"content": "two"})
    restored = client.post(f"/messages/{message.pk}/history/1/restore")
    assert restored.json["content"] == "one"
    assert restored.json["version"] == 3
    versions = client.get(f"/messages/{message.pk}/history").items
    assert [version["content"] for version in versions] == ["one", "two", "one"]


def test_a_tombstone_has_no_tag(
    ann: User, bob: User, message: Message, client_of: ClientOf
) -> None:
    Message.objects.create(sender=bob, parent_message=message, content="reply")
    client = client_of(ann)
    client.patch(f"/messages/{message.pk}", {"content": "two"})
    client.delete(f"/messages/{message.pk}")
    left = client.get(f"/messages/{message.pk}")
    assert left.json["deleted"] is True
    assert left.json["version"] == 1
    assert "ETag" not in left.headers
