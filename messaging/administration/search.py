"""Lists of the admin: what is searched and filtered in them, and nothing beyond.

The search ignores case and composition on both databases.
"""

import unicodedata
from collections.abc import Sequence
from typing import Final, TypeVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import DataError, models
from django.http import HttpRequest
from typing_extensions import override

from messaging.folding import fold

M = TypeVar("M", bound=models.Model)

# Longer search terms are cut, since each one is searched for in a dozen spellings, and
# SQLite refuses a condition of many words.
_LONGEST_SEARCH: Final = 200


class LastPagePaginator(Paginator[M]):
    """Shows the last page instead of one beyond it.

    Django's refusal of such a page told how many rows there are, and showed none.
    """

    @override
    def validate_number(self, number: float | str) -> int:
        return min(max(int(number), 1), self.num_pages)


class FilteredList(ChangeList):
    @override
    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except (DataError, OverflowError, ValueError) as error:
            # A value that the database or its driver cannot take, such as a NUL.
            raise IncorrectLookupParameters from error


class SearchAdmin(admin.ModelAdmin[M]):
    """Filters by what `list_filter` offers, and searches for several spellings of a term.

    Django lets any column be filtered by any operator: that searches what people wrote,
    shows who wrote to whom, and runs regular expressions for as long as they take.

    Names are stored folded too, but messages are not, and SQLite ignores the case of
    ASCII alone. So a term is searched for as typed, folded, in lower, upper and title
    case, each composed (NFC) and decomposed (NFD).
    """

    # Their counts leave the filters out, and so tell of rows that are not shown.
    show_facets = admin.ShowFacets.NEVER
    paginator = LastPagePaginator

    @override
    def get_changelist(
        self, request: HttpRequest, **kwargs: object
    ) -> type[ChangeList]:
        return FilteredList

    @override
    def lookup_allowed(
        self, lookup: str, value: str, request: HttpRequest | None = None
    ) -> bool:
        return request is not None and any(
            lookup in self._parameters(path, request)
            for path in self.get_list_filter(request)
        )

    def _parameters(self, path: object, request: HttpRequest) -> Sequence[str | None]:
        """Those by which the filter of a field is chosen on the page."""
        if not isinstance(path, str):
            raise TypeError(f"{path} is not the name of a field.")
        field = get_fields_from_path(self.model, path)[-1]
        offered = admin.FieldListFilter.create(
            field, request, {}, self.model, self, field_path=path
        )
        return offered.expected_parameters()

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[M], search_term: str
    ) -> tuple[models.QuerySet[M], bool]:
        term = search_term[:_LONGEST_SEARCH]
        found, twice = super().get_search_results(request, queryset, term)
        for spelling in _other_spellings(term):
            more, more_twice = super().get_search_results(request, queryset, spelling)
            found |= more
            twice |= more_twice
        return found, twice


def _other_spellings(term: str) -> set[str]:
    cased = {term, term.lower(), term.upper(), term.title(), fold(term)}
    spelt = {
        unicodedata.normalize(form, each) for each in cased for form in ("NFC", "NFD")
    }
    # An empty term would match every row.
    return {each for each in spelt if each.strip()} - {term}
