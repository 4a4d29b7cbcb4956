"""Every path the server answers."""

from django.contrib import admin
from django.urls import include, path

from api.application import api
from api.health import healthz, readyz
from api.metrics import metrics
from chats.forms import AdminSignInForm

admin.site.login_form = AdminSignInForm

urlpatterns = [
    path("api/v1/", api.urls),
    path("", include("chats.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
]

handler500 = "api.errors.server_error"
