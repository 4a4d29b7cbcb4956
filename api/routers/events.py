"""Live events."""

from typing import Annotated

from django.http import HttpResponse
from ninja import Header, Query, Router

from api.authentication import ApiRequest, credential_of
from api.events.responses import EventStreamResponse, PollResponse, Start
from api.events.seats import SEATS
from api.operations import operation
from api.schemas.events import (
    EventPage,
    PollQuery,
    StreamEvent,
    StreamQuery,
)
from api.schemas.fields import Text
from messaging.services.events import read_log

LastEventId = Annotated[
    Text | None,
    Header(
        None,
        alias="Last-Event-ID",
        max_length=1000,
        description=(
            "The `id` of the last event you had. Counts instead of `after`, which a "
            "browser's `EventSource` repeats each time it reconnects."
        ),
    ),
]

router = Router(tags=["events"])


@operation(router, "GET", "", "events_stream", {200: StreamEvent})
def stream_events(
    request: ApiRequest,
    parameters: Query[StreamQuery],
    last_event_id: LastEventId,
) -> EventStreamResponse:
    """Listen to what happens, as server-sent events.

    Each frame has the event's `type` as `event`, the event as `data`, and as `id` a cursor:
    sent back as `Last-Event-ID`, or as `after`, it brings every later event once and in
    order. Without one the stream begins with `ready`. `reset` says that some of what came
    after the cursor is not kept any more; `reconnect`, that the server is about to close.
    `typing` and `presence` have no `id`, and are not told again. 429 when you have too many
    streams open.
    """
    log = read_log()
    cursor, field = (
        (last_event_id, "Last-Event-ID")
        if last_event_id
        else (parameters.after, "after")
    )
    position = log.clock if cursor is None else log.position(cursor, field=field)
    # The seat last: after it nothing may fail, or nobody gives it back.
    start = Start(credential_of(request), SEATS.take(request.auth.id), log, position)
    return EventStreamResponse(start, resumed=cursor is not None)


@operation(router, "GET", "/poll", "events_poll", {200: EventPage})
def poll_events(
    request: ApiRequest, parameters: Query[PollQuery]
) -> HttpResponse | PollResponse | EventPage:
    """Wait for what happens, for clients that cannot stream.

    Answers as soon as there are events after the cursor, at the latest after `timeout`
    seconds, then with none. The same events as the stream tells, but for `typing` and
    `presence`.
    """
    log = read_log()
    if parameters.after is None:
        return EventPage(items=[], next_cursor=log.cursor(log.clock))
    position = log.position(parameters.after, field="after")
    # The seat last: after it nothing may fail, or nobody gives it back.
    start = Start(credential_of(request), SEATS.take(request.auth.id), log, position)
    return PollResponse(start, limit=parameters.limit, seconds=parameters.timeout)
