"""Finding people by any part of their names, in any script, on either database."""

import re
from typing import Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from messaging.cursors import encode_cursor
from messaging.folding import MOST_WORDS, fold, searchable_words, words
from messaging.ids import MAX_ID, UserId
from messaging.models import NameEntry, User
from messaging.pagination import Page
from messaging.services.consistency import find_inconsistencies, repair_inconsistencies
from messaging.services.conversations import rename_group, start_group
from messaging.services.names import add_entries
from messaging.services.participant_lists import participant_page
from messaging.services.people_search import search_users
from messaging.services.summaries import conversation_page
from messaging.services.users import change_display_name
from tests.conftest import MakeUser
from tests.proofs import membership_of, owned_by
from tests.rows import overwrite

# A name, and what finds it.
FOUND: Final = (
    ("École", "école"),
    ("école", "ÉCOLE"),
    ("École", "ecole"),
    ("Ecole", "école"),
    ("E\u0301cole", "école"),
    ("École", "e\u0301c"),
    ("Résumé", "resume"),
    ("Straße", "STRASSE"),
    ("STRASSE", "straße"),
    ("Weiẞ", "weiss"),
    ("İstanbul", "istanbul"),
    ("Istanbul", "ıstanbul"),
    ("ISPARTA", "ısparta"),
    ("Iğdır", "igdir"),
    ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ("Σίσυφος", "σισυφοσ"),
    ("Ὀδυσσεύς", "οδυσσευς"),
    ("Ｂｏｂ", "bob"),
    ("Bob", "ｂｏｂ"),
    ("ﬁona", "fi"),
    ("ﬁona", "FIO"),
    ("Fiona", "ﬁ"),
    ("Œuvre", "oeu"),
    ("Æsa", "aes"),
    ("Łódź", "lodz"),
    ("Đức", "duc"),
    ("Nguyễn Văn Đức", "nguyen duc"),
    ("Nguye\u0302\u0303n", "Nguyễn"),
    ("Søren", "soren"),
    ("Ångström", "angstrom"),
    ("ŽIŽEK", "zizek"),
    ("Йод", "йод"),
    ("И\u0306од", "йод"),
    ("ЁЛКА", "елка"),
    ("Ґалаґан", "ґала"),
    ("ПРИВЕТ", "прив"),
    ("مُحَمَّد", "محمد"),
    ("محمد", "مُحَمَّد"),
    ("محـــمد", "محمد"),
    ("أحمد", "احمد"),
    ("علی", "علي"),
    ("ﷺ", "صلى"),
    ("می\u200cخواهم", "میخواهم"),
    ("שָׁלוֹם", "שלום"),
    ("שלום", "שָׁלוֹם"),
    ("क़लम", "कलम"),
    ("क\u093cलम", "क़लम"),
    ("हिन्दी", "हिन्"),
    ("தமிழ்", "தமி"),
    ("김철수", "철수"),
    ("\u1100\u1175\u11b7", "김"),
    ("山田太郎", "太郎"),
    ("山田 太郎", "山田太郎"),
    ("山田　太郎", "太郎"),
    ("山田太郎", "田太"),
    ("李小龙", "小"),
    ("ｶﾞﾝﾀﾞﾑ", "ガンダム"),
    ("ガンダム", "ｶﾞﾝ"),
    ("ジョン・レノン", "レノン"),
    ("ジョン・レノン", "ジョンレノン"),
    ("สมชาย ใจดี", "ใจ"),
    ("สมชาย", "ชาย"),
    ("ဒေါ်အောင်", "အောင်"),
    ("សុខា", "ខា"),
    ("Bob李", "李"),
    ("李Bob", "bob"),
    ("🦊 Fox", "🦊"),
    ("🦊 Fox", "fox"),
    ("👩\u200d💻 Ada", "👩💻"),
    ("❤\ufe0f Lee", "❤"),
    ("O'Brien", "obrien"),
    ("O’Brien", "o'brien"),
    ("O'Brien", "brien"),
    ("Anne-Marie", "marie"),
    ("Ann Lee", "lee ann"),
    ("Ann Lee", "  le  an "),
    ("①②", "12"),
    ("Ann", "a\u200bnn"),
    ("...", "..."),
    ("¯\\_(ツ)_/¯", "ツ"),
    # Within a word.
    ("Ann Lee", "ee"),
    ("Ann Lee", "nn"),
    ("Ann Lee", "ee nn"),
    ("École", "COL"),
    ("Straße", "rass"),
    ("O'Brien", "rien"),
    ("Александра", "САНДР"),
    ("Łódź", "odz"),
    ("محمد", "حم"),
    ("김철수", "철"),
    ("हिन्दी", "न्दी"),
)

# A name, and what does not find it.
MISSED: Final = (
    ("Ann Lee", "ann lo"),
    ("Ann Lee", "nl"),
    ("Ann Lee", "eel"),
    ("Ann Lee", "annlee"),
    ("Ann", "anna"),
    ("हिन्दी", "हीन"),
    ("नाखून", "नखन"),
    ("か", "が"),
    ("สมชาย", "\u0e34"),
    ("Ann", ""),
    ("Ann", " "),
    ("Ann", "\u200b"),
    ("Ann", "%"),
    ("Ann", "_"),
)


def _found(typed: str) -> list[str]:
    page = search_users(typed=typed, cursor=None, limit=50)
    return [person.username for person in page.items]


def _all_pages(typed: str, limit: int) -> list[str]:
    page = search_users(typed=typed, cursor=None, limit=limit)
    found = [person.username for person in page.items]
    while page.next_cursor is not None:
        page = search_users(typed=typed, cursor=page.next_cursor, limit=limit)
        found += [person.username for person in page.items]
    return found


def _found_in_group(owner: User, typed: str) -> list[str]:
    group = start_group(owner=owner, title="All", usernames=["other"]).conversation
    page = participant_page(
        membership=membership_of(owner, group), cursor=None, limit=50, matching=typed
    )
    return [each.user.username for each in page.items]


@pytest.mark.parametrize(("name", "typed"), FOUND)
def test_a_name_is_found_however_it_is_written(
    name: str, typed: str, make_user: MakeUser
) -> None:
    make_user("other", display_name="Somebody")
    someone = make_user("someone", display_name=name)
    assert _found(typed) == ["someone"]
    assert _found_in_group(someone, typed) == ["someone"]


@pytest.mark.parametrize(("name", "typed"), MISSED)
def test_a_name_is_not_found_by_what_it_is_not(
    name: str, typed: str, make_user: MakeUser
) -> None:
    make_user("other", display_name="Somebody")
    someone = make_user("someone", display_name=name)
    assert _found(typed) == []
    assert _found_in_group(someone, typed) == []


def test_the_tables_are_long_enough() -> None:
    assert len(FOUND) >= 60


def test_people_are_found_by_every_part_of_their_usernames(make_user: MakeUser) -> None:
    for name in ("_", "an_e", "a.b-c", "Bob"):
        make_user(name, display_name="Dora")
    assert _found("_") == ["_", "an_e"]
    assert _found("e") == ["an_e"]
    assert _found("n_") == ["an_e"]
    assert _found(".B-") == ["a.b-c", "Bob"]
    assert _found("an_e") == ["an_e"]
    assert _found("a.b-c") == ["a.b-c"]
    assert _found("bO") == ["Bob"]


def test_results_are_ordered_by_word_and_username(make_user: MakeUser) -> None:
    for username, name in (
        *(
            ("zoe", "Ann"),
            ("bob", "Anna Annabel"),
            ("ann.2", "Lee"),
            ("cleo", "Lee Ánn"),
        ),
        ("dora", "Lee"),
    ):
        make_user(username, display_name=name)
    assert _found("ann") == ["ann.2", "cleo", "zoe", "bob"]


def test_who_has_it_within_a_word_comes_after_who_has_a_word_of_it(
    make_user: MakeUser,
) -> None:
    for username, name in (
        *(("zoe", "Joanna"), ("bob", "Susann Ann"), ("max", "Hanna Lee")),
        *(("ann", "Cleo"), ("dora", "Lee")),
    ):
        make_user(username, display_name=name)
    assert _found("ann") == ["ann", "bob", "zoe", "max"]
    assert _found("ee ann") == ["max"]


def test_pages_go_on_from_beginnings_to_what_is_within(make_user: MakeUser) -> None:
    for number in range(6):
        make_user(f"u{number}", display_name="Ann" if number % 2 else "Hanna")
    User.objects.filter(username="u4").update(is_active=False)
    everyone = ["u1", "u3", "u5", "u0", "u2"]
    for limit in (1, 2, 3, 4, 5, 6):
        assert _all_pages("ann", limit) == everyone


def test_a_cursor_beyond_all_accounts_ends_the_search(ann: User) -> None:
    cursor = encode_cursor("users within", MAX_ID)
    assert search_users(typed="nn", cursor=cursor, limit=5) == Page([], None)


def test_a_page_reads_a_bounded_number_of_names(
    make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.services.people_search._MOST_SCANNED", 4)
    for number in range(11):
        make_user(f"u{number:02}", display_name="Hanna" if number == 10 else "Bee")
    first = search_users(typed="anna", cursor=None, limit=5)
    assert (list(first.items), first.next_cursor is None) == ([], False)
    assert _all_pages("anna", 5) == ["u10"]


def test_pages_follow_one_another_without_gaps_or_repeats(make_user: MakeUser) -> None:
    for number in range(9):
        make_user(f"u{number}", display_name=f"Ann Anna {number} Annabel Ana")
    User.objects.filter(username__in=["u3", "u4"]).update(is_active=False)
    assert _all_pages("an", 2) == ["u0", "u1", "u2", "u5", "u6", "u7", "u8"]


def test_a_page_reads_a_bounded_number_of_rows(
    make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where all that is read is of people who do not fit."""
    monkeypatch.setattr("messaging.services.people_search._MOST_EXAMINED", 8)
    for number in range(30):
        make_user(f"u{number:02}", display_name="Ann")
    make_user("zoe", display_name="Ann Bee")
    with CaptureQueriesContext(connection) as asked:
        page = search_users(typed="ann bee", cursor=None, limit=2)
    assert len(asked) <= 3
    assert (list(page.items), page.next_cursor is None) == ([], False)
    cursor, found = page.next_cursor, []
    while cursor is not None:
        page = search_users(typed="ann bee", cursor=cursor, limit=2)
        found += [person.username for person in page.items]
        cursor = page.next_cursor
    assert found == ["zoe"]


def test_a_new_name_is_found_at_once_and_the_old_one_no_more(ann: User) -> None:
    change_display_name(user=ann, display_name="Zoë")
    assert _found("zoe") == ["ann"]
    ann.username = "anna"
    ann.save()
    assert _found("anna") == _found("ann") == ["anna"]
    change_display_name(user=ann, display_name="Lee")
    assert _found("zoe") == []


def test_a_deleted_account_leaves_no_search_entry(ann: User, bob: User) -> None:
    ann.delete()
    assert set(NameEntry.objects.values_list("user", flat=True)) == {bob.pk}


def test_a_filter_of_conversations_folds_as_the_search_does(
    ann: User, make_user: MakeUser
) -> None:
    make_user("dora", display_name="Dora")
    group = start_group(owner=ann, title="ÉCOLE", usernames=["dora"]).conversation

    def named(typed: str) -> int:
        page = conversation_page(
            reader=UserId(ann.pk), cursor=None, limit=5, matching=typed
        )
        return len(page.items)

    assert [named(typed) for typed in ("école", "co", "ecole", "\u200b", "x")] == [
        *(1, 1, 1, 0, 0)
    ]
    rename_group(group=owned_by(ann, group), title="Straße")
    assert (named("STRASS"), named("école")) == (1, 0)


@pytest.mark.parametrize("size", [40, 400])
@pytest.mark.parametrize("typed", ["a", "ann b"])
def test_a_page_is_read_in_the_order_of_an_index(
    size: int, typed: str, db: None
) -> None:
    _crowd(size)
    with CaptureQueriesContext(connection) as asked:
        search_users(typed=typed, cursor=None, limit=5)
    (statement,) = (query["sql"] for query in asked.captured_queries)
    plan = _plan(statement)
    assert not re.search(r"TEMP B-TREE|\bSort\b", plan), plan
    if connection.vendor == "sqlite":
        assert "SCAN" not in plan, plan
        assert "(entry>? AND entry<?)" in plan, plan
    else:
        assert "Index Scan using name_entry_once" in plan, plan
        assert "Seq Scan" not in plan, plan


@pytest.mark.skipif("connection.vendor == 'sqlite'")
def test_the_rows_read_for_a_page_do_not_grow(db: None) -> None:
    read = []
    for size in (200, 1000):
        _crowd(size)
        with CaptureQueriesContext(connection) as asked:
            search_users(typed="a", cursor=None, limit=5)
        (statement,) = (query["sql"] for query in asked.captured_queries)
        plan = _plan(statement, analyze=True)
        read.append(_rows_of_index(plan))
    assert read[0] == read[1] == 6


def _rows_of_index(plan: str) -> int:
    found = re.search(r"using name_entry_once.*actual .*?rows=(\d+)", plan)
    assert found, plan
    return int(found[1])


def _crowd(size: int) -> None:
    """So many more people whose names begin alike."""
    first = User.objects.count()
    User.objects.bulk_create(
        User(username=f"ann{number}", display_name="Ann Bee", password="!")
        for number in range(first, first + size)
    )
    add_entries(User.objects.filter(name_entries__isnull=True))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE messaging_nameentry; ANALYZE messaging_user")
            cursor.execute("SET LOCAL enable_seqscan = off")


def _plan(statement: str, *, analyze: bool = False) -> str:
    explain = "EXPLAIN QUERY PLAN"
    if connection.vendor == "postgresql":
        explain = "EXPLAIN ANALYZE" if analyze else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {statement}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


@given(st.text())
def test_case_folding_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=120))
def test_every_word_is_a_place_and_none_is_too_long(text: str) -> None:
    found = searchable_words(text)
    assert len(found) <= MOST_WORDS
    assert all(0 < len(place) <= 64 and " " not in place for place in found)
    assert set(words(text)[:50]) <= found


def _broken() -> dict[str, int]:
    return {finding.promise: finding.count for finding in find_inconsistencies()}


def _repaired() -> dict[str, int]:
    return {repair.promise: repair.count for repair in repair_inconsistencies()}


NAMES = "people are found by the words of their names, and by no others"
TITLES = "a group is found by its title"


def test_what_people_are_found_by_is_checked_and_put_right(
    ann: User, bob: User, cleo: User
) -> None:
    assert _broken() == {}
    User.objects.filter(pk=ann.pk).update(display_name="Zoë")
    NameEntry.objects.filter(user=bob).delete()
    User.objects.filter(pk=cleo.pk).update(folded_name="")
    assert _broken() == {NAMES: 3}
    assert _repaired() == {NAMES: 3}
    assert _broken() == {}
    assert _found("zoe") == ["ann"]


def test_what_a_group_is_found_by_is_checked_and_put_right(
    ann: User, bob: User
) -> None:
    group = start_group(owner=ann, title="École", usernames=["bob"]).conversation
    overwrite(type(group).objects.filter(pk=group.pk), folded_title="x")
    assert _broken() == {TITLES: 1}
    assert _repaired() == {TITLES: 1}
    assert _broken() == {}
