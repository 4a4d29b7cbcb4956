from django.urls import path

from bench.drf import views

_PREFIX = "api/v1"

urlpatterns = [
    path(f"{_PREFIX}/conversations", views.Conversations.as_view()),
    path(
        f"{_PREFIX}/conversations/<int:conversation_id>/messages",
        views.Messages.as_view(),
    ),
    path(f"{_PREFIX}/messages/<int:pk>", views.OneMessage.as_view()),
    path(f"{_PREFIX}/messages/<int:pk>/thread", views.Thread.as_view()),
    path(f"{_PREFIX}/inbox", views.Inbox.as_view()),
    path(f"{_PREFIX}/inbox/summary", views.Summary.as_view()),
]
