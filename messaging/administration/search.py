"""The admin's search, which ignores case and composition on both databases."""

import unicodedata
from typing import Final, TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from typing_extensions import override

from messaging.folding import fold

M = TypeVar("M", bound=models.Model)

# Longer search terms are cut, since each one is searched for in a dozen spellings.
_LONGEST_SEARCH: Final = 200


class SearchAdmin(admin.ModelAdmin[M]):
    """Searches for several spellings of a term.

    Names are stored folded too, but messages are not, and SQLite ignores the case of
    ASCII alone. So a term is searched for as typed, folded, in lower, upper and title
    case, each composed (NFC) and decomposed (NFD).
    """

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[M], search_term: str
    ) -> tuple[models.QuerySet[M], bool]:
        found, twice = super().get_search_results(request, queryset, search_term)
        for spelling in _other_spellings(search_term[:_LONGEST_SEARCH]):
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
