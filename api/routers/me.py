"""The caller's own account."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from django.contrib.auth import logout, update_session_auth_hash
from django.http import StreamingHttpResponse
from ninja import Router, Status
from pydantic import BaseModel
from typing_extensions import override

from api.authentication import ApiRequest, still_signed_in
from api.limits import password_attempt
from api.operations import operation
from api.parsing import render_json
from api.resources import ME
from api.schemas.export import NDJSON, EndLine, ExportLine, export_line
from api.schemas.users import (
    DeletionIn,
    DeletionOut,
    MePatch,
    PasswordIn,
    ProfileOut,
    deletion_out,
    profile_out,
)
from messaging.errors import ExportRunningError, UserNotFoundError, WrongPasswordError
from messaging.services import deletion, exports, passwords, presence, users
from messaging.services.exports import Export

router = Router(tags=["me"])


@operation(router, "GET", "", "me_get", {200: ProfileOut})
def get_me(request: ApiRequest) -> ProfileOut:
    """Show your profile.

    It also has your settings: who may add you to groups, whether you show when you are
    online, and which key sends a message.
    """
    return profile_out(request.auth.user)


@operation(
    router,
    "PATCH",
    "",
    "me_update",
    {200: ProfileOut},
    errors=[UserNotFoundError],
    result=ME,
)
def update_me(request: ApiRequest, body: MePatch) -> ProfileOut:
    """Change your display name, or your settings.

    The new name is shown with everything you wrote; your username stays the same. 404
    if another request has just deleted the account.
    """
    user = request.auth.user
    if body.display_name is not None:
        users.change_display_name(user=user, display_name=body.display_name)
    if body.who_may_add is not None:
        users.set_who_may_add(user=user, who_may_add=body.who_may_add)
    if body.shows_presence is not None:
        presence.set_shows_presence(user=user, shows_presence=body.shows_presence)
    if body.send_key is not None:
        users.set_send_key(user=user, send_key=body.send_key)
    return profile_out(user)


@operation(router, "GET", "/deletion", "me_preview_deletion", {200: DeletionOut})
def preview_deletion(request: ApiRequest) -> DeletionOut:
    """Count what deleting your account would delete.

    The deletion answers with the same counts, unless something changes in between.
    """
    return deletion_out(deletion.preview_deletion(user=request.auth.user))


@operation(
    router,
    "DELETE",
    "",
    "me_delete",
    {200: DeletionOut},
    errors=[WrongPasswordError, UserNotFoundError],
)
def delete_me(request: ApiRequest, body: DeletionIn) -> DeletionOut:
    """Delete your account and all its data for good.

    Direct conversations are deleted for both people. Your messages in groups are
    deleted; one with replies leaves an empty tombstone in its place. 403 if the
    password is wrong, 404 if another request has just deleted the account.
    """
    user = request.auth.user
    with password_attempt(request, username=user.username):
        receipt = deletion.delete_account(user=user, password=body.password)
    if request.auth.token_id is None:
        logout(request)
    return deletion_out(receipt)


@operation(
    router,
    "GET",
    "/export",
    "me_export",
    {200: ExportLine},
    errors=[ExportRunningError],
)
def export_me(request: ApiRequest) -> StreamingHttpResponse:
    """Download all your data.

    Each line is a JSON object: your profile, the people you blocked, your
    conversations, the messages you sent (in groups you left, too), each followed by its
    earlier versions, the direct messages you received, and the looks of staff at your
    conversations. The last line has the type `end` and counts the others. A file
    without it is incomplete, because the connection broke or your token was revoked.
    You can have one export at a time: 429 while another one runs. An export ends with
    its connection.
    """
    return StreamingHttpResponse(
        _Lines(request, exports.begin_export(user_id=request.auth.id)),
        content_type=NDJSON,
        headers={
            "Content-Disposition": 'attachment; filename="parley-export.ndjson"',
            "Cache-Control": "no-store",
        },
    )


@operation(
    router,
    "PUT",
    "/password",
    "me_change_password",
    {204: None},
    errors=[WrongPasswordError, UserNotFoundError],
)
def change_password(request: ApiRequest, body: PasswordIn) -> Status[None]:
    """Change your password.

    This ends your other sessions and revokes your other tokens. 403 if the current
    password is wrong, 404 if another request has just deleted the account.
    """
    with password_attempt(request, username=request.auth.user.username):
        passwords.change_password(
            user=request.auth.user,
            current=body.current_password,
            new=body.new_password,
            keep_token=request.auth.token_id,
        )
    if request.auth.token_id is None:
        # The change ended this browser's session, too: give it a new key.
        update_session_auth_hash(request, request.auth.user)
    return Status(204, None)


class _Lines(Iterator[bytes]):
    """The lines of an export. Closing the response releases the export's lease."""

    def __init__(self, request: ApiRequest, export: Export) -> None:
        self._pages = _exported(request, export)
        self._export = export

    @override
    def __next__(self) -> bytes:
        return next(self._pages)

    def close(self) -> None:
        # Here, and not in a `finally` of the generator, which would not run if it never
        # started.
        self._export.end()


def _exported(request: ApiRequest, export: Export) -> Iterator[bytes]:
    """Yield the lines, a page at a time; stop when the caller is signed out."""
    counts = Counter[str]()
    records = export.records()
    while page := [
        export_line(record) for record in islice(records, exports.PAGE_SIZE)
    ]:
        counts.update(line.type for line in page)
        yield b"".join(_rendered(line) for line in page)
        if not (still_signed_in(request, request.auth) and export.goes_on()):
            return
    yield _rendered(EndLine(type="end", counts=counts))


def _rendered(line: BaseModel) -> bytes:
    return render_json(line.model_dump()) + b"\n"
