from typing import Annotated

from django.http import HttpResponse
from ninja import Header, Query, Router

from api.authentication import ApiRequest, credential_of
from api.events.responses import EventStreamResponse, PollResponse, Start
from api.events.stream_slots import STREAM_SLOTS
from api.operations import operation
from api.schemas.events import EventPage, PollQuery, StreamEvent, StreamQuery
from api.schemas.fields import Text
from messaging.errors import TooManyStreamsError
from messaging.ids import Position
from messaging.services.events import Log, read_log

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


@operation(
    router,
    "GET",
    "",
    "events_stream",
    {200: StreamEvent},
    errors=[TooManyStreamsError],
)
def stream_events(
    request: ApiRequest,
    parameters: Query[StreamQuery],
    last_event_id: LastEventId,
) -> EventStreamResponse:
    """Stream events, as server-sent events.

    A frame has the event's type as `event`, the event as `data`, and a cursor as `id`.
    Send the cursor back as `Last-Event-ID`, or as `after`, to get every later event
    once and in order. Without a cursor, the stream begins with `ready`. `reset` says
    that events after the cursor are missing, because they are not kept any longer;
    `reconnect`, that the server is about to close the stream. `typing` and `presence`
    have no `id` and are not repeated after a reconnect. 429 if you have too many
    streams open.
    """
    log = read_log()
    cursor, field = (
        (last_event_id, "Last-Event-ID")
        if last_event_id
        else (parameters.after, "after")
    )
    position = log.clock if cursor is None else log.position(cursor, field=field)
    start = _start(request, log, position)
    return EventStreamResponse(start, resumed=cursor is not None)


@operation(
    router,
    "GET",
    "/poll",
    "events_poll",
    {200: EventPage},
    errors=[TooManyStreamsError],
)
def poll_events(
    request: ApiRequest, parameters: Query[PollQuery]
) -> HttpResponse | PollResponse | EventPage:
    """Wait for events (long polling), for clients that cannot stream.

    Answers as soon as there are events after the cursor, and after `timeout` seconds
    with no events. It gives the same events as the stream, except `typing` and
    `presence`.
    """
    log = read_log()
    if parameters.after is None:
        return EventPage(items=[], next_cursor=log.cursor(log.clock))
    position = log.position(parameters.after, field="after")
    start = _start(request, log, position)
    return PollResponse(start, limit=parameters.limit, seconds=parameters.timeout)


def _start(request: ApiRequest, log: Log, position: Position | None) -> Start:
    """Take a stream slot, which the response releases.

    The response must be returned next: if anything failed in between, the slot would be
    lost.
    """
    credential = credential_of(request)
    return Start(credential, STREAM_SLOTS.take(request.auth.id), log, position)
