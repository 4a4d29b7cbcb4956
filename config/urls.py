"""All paths that the server answers."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from api.application import api
from api.document import openapi_document
from chats.forms import AdminSignInForm
from edge.health import healthz, readyz
from edge.metrics import metrics

admin.site.login_form = AdminSignInForm

urlpatterns = [
    # Before ninja's path, which would compose the document for each request.
    path("api/v1/openapi.json", openapi_document),
    path("api/v1/", api.urls),
    path("", include("chats.urls")),
    # Instead of the admin's page, which counts no attempts and does not end other
    # sessions.
    path("admin/password_change/", RedirectView.as_view(pattern_name="password")),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
]

handler400 = "chats.error_pages.bad_request"
handler500 = "chats.error_pages.server_error"
