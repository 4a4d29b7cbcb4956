"""Projections: dataclasses that are read from rows, at half the cost of model instances.

A page has hundreds of rows. The fields of a projection are the only list of what is
shown: the query's columns, the constructor's arguments and the API's JSON all follow
from them, by name. To change a message, fetch it by `access` instead. See decision
0026.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from typing import Annotated, Final, Self, cast, get_args, get_origin, get_type_hints

from messaging.ids import ConversationId, MessageId, NotificationId, UserId

_PREVIEW_LENGTH: Final = 60

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class From:
    """The column of a field with another name: `From("content_version")`.

    For a field that is a projection it is the relation; `From("")` means the same row.
    """

    path: str


class Projection:
    """The base of dataclasses that are read from the rows of a query.

    Fields with a default or with `init=False` are not read. A field that is a
    projection itself is read through the relation of its name. If it may be None, its
    first field is its key: where the key is null, the field is None, and rows with the
    same key share one object.
    """

    __slots__ = ()

    @classmethod
    def columns(cls, relation: str = "") -> tuple[str, ...]:
        """The columns for `values_list()` or `only()`, with the path of a relation before them."""
        prefix = relation and f"{relation}__"
        return tuple(f"{prefix}{column}" for column in _plan(cls).columns)

    @classmethod
    def from_rows(cls, rows: Iterable[Row]) -> list[Self]:
        """Make projections of rows, which must have the columns of `columns()`."""
        return cast("list[Self]", _plan(cls).read(rows))

    @classmethod
    def from_instance(cls, instance: object) -> Self:
        """Make a projection of a model instance, by the same columns."""
        row = tuple(_value(instance, column) for column in _plan(cls).columns)
        return cls.from_rows([row])[0]


def preview(content: str) -> str:
    """The first 60 characters; if there are more, the last one is an ellipsis."""
    if len(content) <= _PREVIEW_LENGTH:
        return content
    return f"{content[: _PREVIEW_LENGTH - 1]}…"


# Not frozen: that doubles the time to make an instance. Nobody changes one.
@dataclass(slots=True)
class UserProjection(Projection):
    """A user, as everyone sees them."""

    id: UserId
    username: str
    display_name: str

    @property
    def pk(self) -> UserId:
        return self.id


@dataclass(slots=True)
class MessageProjection(Projection):
    """A message or a tombstone, as every participant sees it."""

    id: MessageId
    conversation_id: ConversationId
    sequence: int
    sender: UserProjection | None
    receiver: UserProjection | None
    content: str
    timestamp: datetime
    read: bool
    edited: bool
    deleted: bool = field(init=False)
    version: Annotated[int, From("content_version")]
    parent_message_id: MessageId | None
    reply_count: int

    def __post_init__(self) -> None:
        self.deleted = self.sender is None

    @property
    def pk(self) -> MessageId:
        return self.id

    @property
    def sender_id(self) -> UserId | None:
        return None if self.sender is None else self.sender.id

    @property
    def content_preview(self) -> str:
        return preview(self.content)


@dataclass(slots=True)
class NotificationProjection(Projection):
    """A notification, as its user sees it; its id is that of the message."""

    id: Annotated[NotificationId, From("message_id")]
    kind: str
    message: MessageProjection
    created_at: datetime
    is_read: bool
    silent: bool

    @property
    def pk(self) -> NotificationId:
        return self.id


@dataclass(frozen=True, slots=True)
class _Plan:
    """The columns of a projection, and the function that reads rows of them."""

    columns: Sequence[str]
    read: Callable[[Iterable[Row]], list[Projection]]


# Not `functools.cache`: mypy thinks that a class whose instances are unhashable is so,
# too.
_PLANS: Final[dict[type[Projection], _Plan]] = {}


def _plan(projection: type[Projection]) -> _Plan:
    if projection not in _PLANS:
        _PLANS[projection] = _compile_plan(projection)
    return _PLANS[projection]


def _compile_plan(projection: type[Projection]) -> _Plan:
    """Compile a function that reads rows, as `dataclass` compiles a constructor.

    Its source names each column and calls each constructor directly. To look up for
    every row which value is for which field would take twice as long.
    """
    source = _Source()
    call = source.constructor_call(projection)
    known = "".join(f"    known_{name} = {{}}\n" for name in source.classes)
    function = (
        f"def read(rows):\n{known}"
        f"    return [{call} for {', '.join(source.columns)}, in rows]\n"
    )
    scope = dict[str, object](source.classes)
    exec(function, scope)  # noqa: S102  # made of our own names alone
    read = cast("Callable[[Iterable[Row]], list[Projection]]", scope["read"])
    return _Plan(source.columns, read)


class _Source:
    """Writes the source of an expression that makes a projection of a row.

    Each column is a variable of its own name. `known_…` are dictionaries of projections
    that rows share, by key.
    """

    def __init__(self) -> None:
        self.columns: list[str] = []
        self.classes: dict[str, type[Projection]] = {}

    def constructor_call(
        self, projection: type[Projection], *, prefix: str = ""
    ) -> str:
        self.classes[projection.__name__] = projection
        hints = get_type_hints(projection, include_extras=True)
        arguments = [
            self._argument(each.name, hints[each.name], prefix=prefix)
            # mypy accepts only a subclass of `Projection` as a dataclass.
            for each in fields(cast("type[UserProjection]", projection))
            if each.init and each.default is each.default_factory is MISSING
        ]
        return f"{projection.__name__}({', '.join(arguments)})"

    def _argument(self, name: str, hint: object, *, prefix: str) -> str:
        path = name
        if get_origin(hint) is Annotated:
            hint, place = get_args(hint)
            path = place.path
        kind, *others = get_args(hint) or (hint,)
        if isinstance(kind, type) and issubclass(kind, Projection):
            within = f"{prefix}{path}__" if path else prefix
            return self._nested(kind, prefix=within, optional=bool(others))
        self.columns.append(f"{prefix}{path}")
        return self.columns[-1]

    def _nested(self, kind: type[Projection], *, prefix: str, optional: bool) -> str:
        first = len(self.columns)
        call = self.constructor_call(kind, prefix=prefix)
        if not optional:
            return call
        key, known = self.columns[first], f"known_{kind.__name__}"
        # `get` comes first, since the argument of `setdefault` is made for every row.
        shared = f"{known}.get({key}) or {known}.setdefault({key}, {call})"
        return f"None if {key} is None else {shared}"


def _value(instance: object, path: str) -> object:
    # As in an outer join: columns behind a null relation are null.
    for name in path.split("__"):
        instance = None if instance is None else getattr(instance, name)
    return instance
