"""The admin's site: Django's, without what shows rows and records no look."""

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import Http404, HttpRequest, HttpResponse
from typing_extensions import override


class Site(AdminSite):
    @override
    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        # It names the rows of any model, and no form here uses it.
        raise Http404


class AdministrationConfig(AdminConfig):
    default_site = "messaging.administration.site.Site"
