"""Oneself."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from django.contrib.auth import logout, update_session_auth_hash
from django.http import StreamingHttpResponse
from ninja import Router, Status
from pydantic import BaseModel

from api.authentication import ApiRequest, still_signed_in
from api.limits import password_guess
from api.operations import operation
from api.parsing import render_json
from api.resources import ME
from api.schemas.export import NDJSON, EndLine, ExportLine, export_line
from api.schemas.people import (
    DeletionIn,
    DeletionOut,
    MePatch,
    PasswordIn,
    UserOut,
    deletion_out,
    user_out,
)
from messaging.services import deletion, exports, passwords, users

router = Router(tags=["me"])


@operation(router, "GET", "", "me_get", {200: UserOut})
def get_me(request: ApiRequest) -> UserOut:
    """Show your profile.

    As everyone sees it.
    """
    return user_out(request.auth.user)


@operation(router, "PATCH", "", "me_update", {200: UserOut}, refusals=[404], result=ME)
def update_me(request: ApiRequest, body: MePatch) -> UserOut:
    """Change your display name, on everything you wrote.

    Your username stays. 404 when another request has just deleted the account.
    """
    return user_out(
        users.change_display_name(
            user=request.auth.user, display_name=body.display_name
        )
    )


@operation(router, "GET", "/deletion", "me_preview_deletion", {200: DeletionOut})
def preview_deletion(request: ApiRequest) -> DeletionOut:
    """Show what deleting your account would take away.

    The receipt of the deletion says the same, if nothing happens in between.
    """
    return deletion_out(deletion.preview_deletion(user=request.auth.user))


@operation(router, "DELETE", "", "me_delete", {200: DeletionOut}, refusals=[404])
def delete_me(request: ApiRequest, body: DeletionIn) -> DeletionOut:
    """Delete your account for good, and everything of you with it.

    Direct conversations go on both sides. In groups your messages go; where someone replied
    below, an empty tombstone stays in their place. 403 when the password is wrong, 404 when
    another request has just deleted the account.
    """
    user = request.auth.user
    with password_guess(request, username=user.username):
        receipt = deletion.delete_account(user=user, password=body.password)
    if request.auth.token_id is None:
        logout(request)
    return deletion_out(receipt)


@operation(router, "GET", "/export", "me_export", {200: ExportLine})
def export_me(request: ApiRequest) -> StreamingHttpResponse:
    """Download everything of yours.

    One JSON object a line: your profile, whom you blocked, your conversations, the messages you sent, each
    followed by what it said before its edits, in groups you left too, and the direct
    messages you received. The last line is of type `end` and counts the others; a file
    without it is not whole, because the connection broke or your token was revoked.
    """
    return StreamingHttpResponse(
        _exported(request),
        content_type=NDJSON,
        headers={
            "Content-Disposition": 'attachment; filename="parley-export.ndjson"',
            "Cache-Control": "no-store",
        },
    )


@operation(
    router, "PUT", "/password", "me_change_password", {204: None}, refusals=[404]
)
def change_password(request: ApiRequest, body: PasswordIn) -> Status[None]:
    """Change your password.

    Ends your other sessions and revokes your tokens, all but the one of this request. 403
    when the current password is wrong, 404 when another request has just deleted the account.
    """
    with password_guess(request, username=request.auth.user.username):
        passwords.change_password(
            user=request.auth.user,
            current=body.current_password,
            new=body.new_password,
            keep_token=request.auth.token_id,
        )
    if request.auth.token_id is None:
        # This browser's session ended as well; it goes on as a new one.
        update_session_auth_hash(request, request.auth.user)
    return Status(204, None)


def _exported(request: ApiRequest) -> Iterator[bytes]:
    """The lines, a page at a time; no more of them once the caller is signed out."""
    counts = Counter[str]()
    records = exports.export_account(person=request.auth.id)
    while page := [
        export_line(record) for record in islice(records, exports.PAGE_SIZE)
    ]:
        counts.update(line.type for line in page)
        yield b"".join(_rendered(line) for line in page)
        if not still_signed_in(request, request.auth):
            return
    yield _rendered(EndLine(type="end", counts=counts))


def _rendered(line: BaseModel) -> bytes:
    return render_json(line.model_dump()) + b"\n"
