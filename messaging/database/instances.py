"""Makes model instances from rows, several times as fast as Django's iterables.

Everything that depends only on the query is computed once per query. Django itself
makes the instances of models that have their own `from_db()` or `__init__`, or
listeners to `pre_init` or `post_init`. A model whose `from_db()` only calls
`note_stored()` is made here nevertheless: the method's presence tells.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, cast

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.db.models.base import ModelState
from django.db.models.signals import post_init, pre_init

Row = Sequence[object]

# The values of Django's compiler, which it does not annotate.
_ClassInfo = Mapping[str, Any]  # type: ignore[explicit-any]
_Columns = Sequence[tuple[Any, ...]]  # type: ignore[explicit-any]
_Known = dict[tuple[type[Model], object], Model]
_Make = Callable[[type[Model], Sequence[str], Row], Model]


class _Noting(Protocol):
    def note_stored(self) -> None: ...


class Maker:
    """Makes instances of one model and of its joined models.

    Rows with the same related row share one instance of it.
    """

    def __init__(
        self, info: _ClassInfo, columns: _Columns, annotations: Mapping[str, int]
    ) -> None:
        self._model: type[Model] = info["model"]
        self._new: Final = _constructor_of(self._model)
        places: Sequence[int] = info["select_fields"]
        self._slice: Final = slice(places[0], places[-1] + 1)
        names = [column[0].target.attname for column in columns[self._slice]]
        self._names: Final[Sequence[str]] = names
        self._annotations: Final = [*annotations.items()]
        key = self._model._meta.pk_fields[0].attname
        self._key: Final[int] = places[0] + names.index(key)
        self._related: Final[Sequence[tuple[str, Maker]]] = [
            (related["field"].name, Maker(related, columns, {}))
            for related in info.get("related_klass_infos", ())
        ]

    def make_all(self, rows: Iterable[Row]) -> list[Model]:
        known: _Known = {}
        return [self._make(row, known) for row in rows]

    def _make(self, row: Row, known: _Known) -> Model:
        instance = self._new(self._model, self._names, row[self._slice])
        for name, place in self._annotations:
            instance.__dict__[name] = row[place]
        for name, maker in self._related:
            instance._state.fields_cache[name] = maker._shared(row, known)
        return instance

    def _shared(self, row: Row, known: _Known) -> Model | None:
        """Related instances by key: most rows of a page refer to the same few users."""
        key = row[self._key]
        if key is None:
            return None
        found = known.get((self._model, key))
        if found is None:
            found = known[self._model, key] = self._make(row, known)
        return found


def _constructor_of(model: type[Model]) -> _Make:
    initialised = (
        model.__init__ is not Model.__init__
        or pre_init.has_listeners(model)
        or post_init.has_listeners(model)
    )
    if not initialised and hasattr(model, "note_stored"):
        return _made_and_noted
    if not initialised and _function(model.from_db) is _function(Model.from_db):
        return _made_plainly
    return _made_by_django


def _function(method: object) -> object:
    return getattr(method, "__func__", method)


def _made_plainly(model: type[Model], names: Sequence[str], values: Row) -> Model:
    # Attributes are set directly: `__init__` would take most of the time.
    state = ModelState()
    state.__dict__ = {"adding": False, "db": DEFAULT_DB_ALIAS, "fields_cache": {}}
    instance = model.__new__(model)
    # Lengths are equal: `strict` would only take time.
    instance.__dict__ = dict(zip(names, values), _state=state)  # noqa: B905
    return instance


def _made_and_noted(model: type[Model], names: Sequence[str], values: Row) -> Model:
    instance = _made_plainly(model, names, values)
    cast(_Noting, instance).note_stored()
    return instance


def _made_by_django(model: type[Model], names: Sequence[str], values: Row) -> Model:
    return model.from_db(DEFAULT_DB_ALIAS, names, values)
