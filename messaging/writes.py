"""What every message writes, without what the ORM does to compile it each time.

That takes longer than the database takes to carry it out, and meanwhile every other
writer waits.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, Field, Model, QuerySet
from django.db.models.sql import UpdateQuery

from messaging.statements import Bindable, Parameter, bind

M = TypeVar("M", bound=Model)


class Update(Generic[M]):
    """An update of a queryset's rows, compiled once; `Parameter`s stand in it for values.

    `build` gives the rows and the new values, as `QuerySet.update()` takes them.
    """

    def __init__(
        self, build: Callable[[], tuple[QuerySet[M], dict[str, object]]]
    ) -> None:
        self._build = build
        self._compiled: dict[str, tuple[str, Sequence[Bindable | Parameter]]] = {}

    def run(self, **parameters: object) -> None:
        database = connections[DEFAULT_DB_ALIAS]
        if database.vendor not in self._compiled:
            self._compiled[database.vendor] = self._compile(database)
        sql, given = self._compiled[database.vendor]
        with database.cursor() as cursor:
            cursor.execute(sql, [bind(each, parameters, database) for each in given])

    def _compile(
        self, database: BaseDatabaseWrapper
    ) -> tuple[str, Sequence[Bindable | Parameter]]:
        rows, values = self._build()
        query = cast(UpdateQuery, rows.query.chain(UpdateQuery))
        query.add_update_values(values)
        sql, given = query.get_compiler(connection=database).as_sql()
        return sql, given


class Insertion(Generic[M]):
    """Rows of a model, written without signals, and without learning their ids.

    Fields are not asked for a `pre_save()`: there may be no `auto_now`. Within a
    transaction, since many rows take more than one statement.
    """

    def __init__(self, model: type[M]) -> None:
        self._model = model

    def run(self, instances: Iterable[M]) -> None:
        database = connections[DEFAULT_DB_ALIAS]
        rows = [*instances]
        if not rows:
            return
        fields = self._fields()
        most = database.ops.bulk_batch_size(fields, rows)
        with database.cursor() as cursor:
            for start in range(0, len(rows), most):
                batch = rows[start : start + most]
                values = [
                    field.get_db_prep_save(getattr(row, field.attname), database)
                    for row in batch
                    for field in fields
                ]
                cursor.execute(self._sql(len(batch), fields, database), values)

    def _fields(self) -> Sequence["Field[object, object]"]:
        return [
            field
            for field in self._model._meta.concrete_fields
            if not isinstance(field, AutoField)
        ]

    def _sql(
        self,
        rows: int,
        fields: Sequence["Field[object, object]"],
        database: BaseDatabaseWrapper,
    ) -> str:
        operations = database.ops
        columns = ", ".join(
            operations.quote_name(str(field.column)) for field in fields
        )
        table = operations.quote_name(self._model._meta.db_table)
        values = operations.bulk_insert_sql(
            fields,
            [["%s"] * len(fields)] * rows,  # type: ignore[list-item]  # as it is called
        )
        return f"{operations.insert_statement()} {table} ({columns}) {values}"
