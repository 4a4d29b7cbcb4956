"""Pages of the admin that show what people wrote: no row is shown without a recorded look.

A list is recorded when its rows are read, a row's own pages when they are made: both
before the template is rendered. If the record fails, so does the page. See decision
0038.
"""

from collections.abc import Iterable
from typing import ClassVar, TypeVar

from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from typing_extensions import override

from messaging.administration.search import FilteredList, SearchAdmin
from messaging.errors import UserNotFoundError
from messaging.ids import UserId
from messaging.models import User
from messaging.models.looks import LookSource
from messaging.services.looks import Shown, record_looks

M = TypeVar("M", bound=models.Model)


class RecordedList(FilteredList):
    """A list that is recorded as a look at each conversation in it."""

    @override
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        admin: object = self.model_admin
        if not isinstance(admin, RecordedAdmin):
            raise TypeError(f"{admin} does not say what its rows show.")
        # The queryset keeps these rows: they are the ones that the template shows.
        admin.record(request, [admin.shown(row) for row in self.result_list])


class RecordedAdmin(SearchAdmin[M]):
    """Shows rows of conversations, and records each look at them."""

    source: ClassVar[LookSource]

    def shown(self, row: M, *, alone: bool = False) -> Shown:
        """What a row shows: in a list, or on a page of its own."""
        raise NotImplementedError

    def record(self, request: HttpRequest, shown: Iterable[Shown]) -> None:
        staff = request.user
        if not isinstance(staff, User):
            raise PermissionDenied
        try:
            record_looks(by=UserId(staff.pk), source=self.source, shown=shown)
        except UserNotFoundError as error:
            raise PermissionDenied from error

    @override
    def get_changelist(
        self, request: HttpRequest, **kwargs: object
    ) -> type[ChangeList]:
        return RecordedList

    @override
    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, object],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: M | None = None,
    ) -> HttpResponse:
        if obj is not None:
            self.record(request, [self.shown(obj, alone=True)])
        return super().render_change_form(request, context, add, change, form_url, obj)

    @override
    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """The log of changes, which is empty; but its heading shows the row."""
        response = super().history_view(request, object_id, extra_context)
        if isinstance(response, TemplateResponse):
            row: M = (response.context_data or {})["object"]
            self.record(request, [self.shown(row, alone=True)])
        return response
