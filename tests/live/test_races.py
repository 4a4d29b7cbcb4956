"""Concurrent requests through different processes end in a valid state."""

from functools import partial
from itertools import combinations

import httpx

from tests.live.concurrent_calls import (
    ROUNDS,
    People,
    clients,
    concurrently,
    send,
    start_group,
    statuses,
)
from tests.live_server import PASSWORD, LiveServer, Person


def _direct(sender: httpx.Client, receiver: Person) -> httpx.Response:
    return sender.post(
        "/messages", json={"receiver": receiver.username, "content": "First!"}
    )


def test_two_first_messages_open_one_direct_conversation(
    servers: LiveServer, people: People
) -> None:
    for one, other in combinations(people, 2):
        first, second = clients(servers, one)[0], clients(servers, other)[1]
        answers = concurrently(
            partial(_direct, first, other), partial(_direct, second, one)
        )
        assert statuses(answers) == [201, 201]
        assert len({answer.json()["conversation_id"] for answer in answers}) == 1
        assert sorted(answer.json()["sequence"] for answer in answers) == [1, 2]


def test_all_who_start_one_direct_conversation_get_the_same(
    servers: LiveServer, people: People
) -> None:
    ann = clients(servers, people[0])
    for number in range(ROUNDS // 2):
        guest = servers.register(f"guest{number}")
        theirs = clients(servers, guest)
        yours = {"kind": "direct", "participant": people[0].username}
        mine = {"kind": "direct", "participant": guest.username}
        answers = concurrently(
            *(partial(client.post, "/conversations", json=mine) for client in ann),
            *(partial(client.post, "/conversations", json=yours) for client in theirs),
        )
        assert statuses(answers) == [200, 200, 200, 200, 200, 201]
        assert len({answer.json()["id"] for answer in answers}) == 1
        shown = answers[0].json()
        assert (shown["participant_count"], shown["last_sequence"]) == (2, 0)


def test_two_edits_at_once_keep_both_old_contents(
    servers: LiveServer, people: People
) -> None:
    ann = clients(servers, people[0])
    conversation = start_group(ann[0], people[1])
    for _ in range(ROUNDS):
        message = send(ann[0], conversation, "original")
        answers = concurrently(
            *(
                partial(client.patch, f"/messages/{message}", json={"content": text})
                for client, text in ((ann[1], "one"), (ann[2], "two"))
            )
        )
        assert statuses(answers) == [200, 200]
        versions = ann[0].get(f"/messages/{message}/history").json()["items"]
        assert [version["version"] for version in versions] == [1, 2, 3]
        original, *edits = (version["content"] for version in versions)
        assert original == "original"
        assert sorted(edits) == ["one", "two"]
        assert ann[0].get(f"/messages/{message}").json()["content"] == edits[-1]


def test_of_two_last_readers_the_second_makes_the_message_read(
    servers: LiveServer, people: People
) -> None:
    ann = clients(servers, people[0])[0]
    bob, cleo = clients(servers, people[1])[1], clients(servers, people[2])[2]
    conversation = start_group(ann, people[1], people[2])
    for _ in range(ROUNDS):
        message = send(ann, conversation, "Who is in?")
        assert ann.get(f"/messages/{message}").json()["read"] is False
        answers = concurrently(
            partial(bob.put, f"/messages/{message}/read"),
            partial(cleo.put, f"/messages/{message}/read"),
        )
        assert statuses(answers) == [204, 204]
        assert ann.get(f"/messages/{message}").json()["read"] is True


def test_of_a_reader_and_one_who_goes_the_last_makes_the_message_read(
    servers: LiveServer, people: People
) -> None:
    ann = clients(servers, people[0])[0]
    bob, cleo = clients(servers, people[1])[1], clients(servers, people[2])[2]
    for _ in range(ROUNDS):
        conversation = start_group(ann, people[1], people[2])
        message = send(ann, conversation, "Who stays?")
        participant_url = (
            f"/conversations/{conversation}/participants/{people[2].username}"
        )
        answers = concurrently(
            partial(bob.put, f"/messages/{message}/read"),
            partial(cleo.delete, participant_url),
        )
        assert statuses(answers) == [204, 204]
        assert ann.get(f"/messages/{message}").json()["read"] is True


def test_a_reply_never_has_a_deleted_parent(
    servers: LiveServer, people: People
) -> None:
    ann, bob = clients(servers, people[0])[1], clients(servers, people[1])[2]
    conversation = start_group(ann, people[1])
    for _ in range(ROUNDS):
        parent = send(ann, conversation, "Anybody there?")
        reply, deletion = concurrently(
            partial(
                bob.post,
                f"/conversations/{conversation}/messages",
                json={"content": "Here!", "parent_message_id": parent},
            ),
            partial(ann.delete, f"/messages/{parent}"),
        )
        assert deletion.status_code == 204
        kept = ann.get(f"/messages/{parent}")
        if reply.status_code == 201:
            tombstone = kept.raise_for_status().json()
            assert (tombstone["deleted"], tombstone["reply_count"]) == (True, 1)
            thread = ann.get(f"/messages/{parent}/thread").json()
            assert [below["id"] for below in thread["replies"]] == [reply.json()["id"]]
        else:
            assert reply.json()["code"] in {"unknown_parent", "message_deleted"}
            assert kept.status_code == 404


def test_deleting_the_last_two_replies_concurrently_deletes_their_tombstone(
    servers: LiveServer, people: People
) -> None:
    ann, bob = clients(servers, people[0]), clients(servers, people[1])
    conversation = start_group(ann[0], people[1])
    for _ in range(ROUNDS):
        parent = send(ann[0], conversation, "Anybody there?")
        mine = send(ann[0], conversation, "Me.", parent)
        yours = send(bob[0], conversation, "Me too.", parent)
        ann[0].delete(f"/messages/{parent}").raise_for_status()
        answers = concurrently(
            partial(ann[1].delete, f"/messages/{mine}"),
            partial(bob[2].delete, f"/messages/{yours}"),
        )
        assert statuses(answers) == [204, 204]
        page = ann[0].get(f"/conversations/{conversation}/messages").json()
        assert page["items"] == []


def test_one_username_in_two_cases_is_registered_once(servers: LiveServer) -> None:
    for number in range(ROUNDS // 2):
        answers = concurrently(
            *(
                partial(
                    servers.client(process).post,
                    "/auth/register",
                    json={"username": name, "password": PASSWORD},
                )
                for process, name in enumerate((f"Twin{number}", f"twin{number}"))
            )
        )
        assert statuses(answers) == [201, 409]
        refusal = max(answers, key=lambda answer: answer.status_code)
        assert refusal.json()["code"] == "username_taken"


def test_a_group_handed_over_twice_at_once_has_one_owner(
    servers: LiveServer, people: People
) -> None:
    ann = clients(servers, people[0])
    for _ in range(ROUNDS):
        conversation = start_group(ann[0], people[1], people[2])
        participants_url = f"/conversations/{conversation}/participants"
        answers = concurrently(
            *(
                partial(
                    client.put,
                    f"{participants_url}/{new_owner.username}",
                    json={"role": "owner"},
                )
                for client, new_owner in ((ann[1], people[1]), (ann[2], people[2]))
            )
        )
        assert statuses(answers) == [204, 403]
        roles = [
            participant["role"]
            for participant in ann[0].get(participants_url).json()["items"]
        ]
        assert sorted(roles) == ["member", "member", "owner"]


def test_two_handovers_along_a_chain_end_with_one_owner(
    servers: LiveServer, people: People
) -> None:
    ann, bob = clients(servers, people[0])[1], clients(servers, people[1])[2]
    for _ in range(ROUNDS):
        conversation = start_group(ann, people[1], people[2])
        participants_url = f"/conversations/{conversation}/participants"
        first, second = concurrently(
            partial(
                ann.put,
                f"{participants_url}/{people[1].username}",
                json={"role": "owner"},
            ),
            partial(
                bob.put,
                f"{participants_url}/{people[2].username}",
                json={"role": "owner"},
            ),
        )
        owner = people[2] if second.status_code == 204 else people[1]
        assert first.status_code == 204
        assert second.status_code in {204, 403}
        assert [
            part["user"]["username"]
            for part in ann.get(participants_url).json()["items"]
            if part["role"] == "owner"
        ] == [owner.username]


def test_of_two_owners_who_remove_each_other_one_stays(
    servers: LiveServer, people: People
) -> None:
    ann, bob = clients(servers, people[0])[1], clients(servers, people[1])[2]
    for _ in range(ROUNDS):
        conversation = start_group(ann, people[1], people[2])
        owners_url = f"/conversations/{conversation}/owners"
        ann.put(f"{owners_url}/{people[1].username}").raise_for_status()
        answers = concurrently(
            partial(ann.delete, f"{owners_url}/{people[1].username}"),
            partial(bob.delete, f"{owners_url}/{people[0].username}"),
        )
        assert statuses(answers) == [204, 403]
        assert _roles(ann, conversation) == ["member", "member", "owner"]


def test_of_two_owners_who_step_down_at_once_one_stays(
    servers: LiveServer, people: People
) -> None:
    ann, bob = clients(servers, people[0])[1], clients(servers, people[1])[2]
    for _ in range(ROUNDS):
        conversation = start_group(ann, people[1], people[2])
        owners_url = f"/conversations/{conversation}/owners"
        ann.put(f"{owners_url}/{people[1].username}").raise_for_status()
        answers = concurrently(
            *(
                partial(client.delete, f"{owners_url}/{person.username}")
                for client, person in ((ann, people[0]), (bob, people[1]))
            )
        )
        assert statuses(answers) == [204, 409]
        assert _roles(ann, conversation) == ["member", "member", "owner"]


def _roles(client: httpx.Client, conversation: int) -> list[str]:
    page = client.get(f"/conversations/{conversation}/participants").json()
    return sorted(participant["role"] for participant in page["items"])


def test_of_many_senders_at_once_no_message_is_lost(
    servers: LiveServer, people: People
) -> None:
    senders, each = 8, 10
    ann = clients(servers, people[0])[0]
    conversation = start_group(ann, *people[1:])

    def send_all(number: int) -> httpx.Response:
        sender = clients(servers, people[number % len(people)])[number % 3]
        for turn in range(each - 1):
            send(sender, conversation, f"{number} {turn}")
        return sender.post(
            f"/conversations/{conversation}/messages",
            json={"content": f"{number} {each - 1}"},
        )

    answers = concurrently(*(partial(send_all, number) for number in range(senders)))
    assert statuses(answers) == [201] * senders
    path = f"/conversations/{conversation}/messages?after_sequence=0&limit=200"
    items = ann.get(path).json()["items"]
    assert [item["sequence"] for item in items] == list(range(1, senders * each + 1))
    assert {item["content"] for item in items} == {
        f"{number} {turn}" for number in range(senders) for turn in range(each)
    }


def test_of_two_deletions_of_one_account_one_does_it(
    servers: LiveServer, people: People
) -> None:
    ann = clients(servers, people[0])[0]
    for number in range(ROUNDS // 2):
        guest = servers.register(f"going{number}")
        theirs = clients(servers, guest)
        conversation = start_group(ann, guest)
        send(theirs[0], conversation, "bye")
        body = {"password": PASSWORD}
        answers = concurrently(
            *(
                partial(client.request, "DELETE", "/me", json=body)
                for client in theirs[:2]
            )
        )
        # The slower one may find its token gone, too.
        assert statuses(answers)[0] == 200
        assert statuses(answers)[1] in {401, 404}
        page = ann.get(f"/conversations/{conversation}/messages").json()
        assert page["items"] == []


def test_a_concurrent_sign_in_with_the_old_password_fails(
    servers: LiveServer,
) -> None:
    for _ in range(ROUNDS // 2):
        person = servers.register("rachel")
        owner, thief = clients(servers, person)[0], servers.client(1)
        old = {"username": person.username, "password": PASSWORD}
        new = {"current_password": PASSWORD, "new_password": "what was chosen just now"}
        change, *guesses = concurrently(
            partial(owner.put, "/me/password", json=new),
            *(partial(thief.post, "/auth/tokens", json=old) for _ in range(3)),
        )
        assert change.status_code == 204
        for guess in guesses:
            assert guess.status_code in {201, 401}
            if guess.status_code == 201:
                token = f"Bearer {guess.json()['token']}"
                answer = thief.get("/me", headers={"Authorization": token})
                assert answer.status_code == 401


def test_of_two_concurrent_password_changes_one_succeeds(servers: LiveServer) -> None:
    for _ in range(ROUNDS // 2):
        person = servers.register("rachel")
        one, other = clients(servers, person)[:2]
        answers = concurrently(
            *(
                partial(
                    client.put,
                    "/me/password",
                    json={
                        "current_password": PASSWORD,
                        "new_password": f"{new}, chosen",
                    },
                )
                for client, new in ((one, "the one"), (other, "the other"))
            )
        )
        assert statuses(answers) == [204, 403]
