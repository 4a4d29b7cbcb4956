"""The benchmark's operations as the documentation of REST framework suggests them.

They use joins and prefetches, so that no operation needs a query for each row.
"""

from django.db import transaction
from django.db.models import Count, OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import generics, mixins
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import APIView

from bench.drf.models import Conversation, Message, MessageHistory, Notification
from bench.drf.serializers import (
    ConversationSerializer,
    MessageSerializer,
    ThreadSerializer,
)

_PEOPLE = ("sender", "receiver")
# The benchmark's tree has 6 levels; deeper levels would be cut off.
_LEVELS = 8


class Newest(CursorPagination):
    page_size = 50
    ordering = "-id"


class Messages(generics.ListCreateAPIView):
    serializer_class = MessageSerializer
    pagination_class = Newest

    def get_queryset(self):
        return self._conversation().messages.select_related(*_PEOPLE)

    def _conversation(self):
        return get_object_or_404(
            self.request.user.conversations, pk=self.kwargs["conversation_id"]
        )

    @transaction.atomic
    def perform_create(self, serializer):
        conversation = self._conversation()
        others = list(conversation.participants.exclude(pk=self.request.user.pk))
        receiver = others[0] if len(others) == 1 else None
        message = serializer.save(
            conversation=conversation, sender=self.request.user, receiver=receiver
        )
        Notification.objects.bulk_create(
            Notification(user=user, message=message, conversation=conversation)
            for user in others
        )
        Conversation.objects.filter(pk=conversation.pk).update(
            last_activity_at=message.timestamp
        )


class OneMessage(mixins.UpdateModelMixin, generics.GenericAPIView):
    serializer_class = MessageSerializer

    def get_queryset(self):
        return self.request.user.sent_messages.select_related(*_PEOPLE)

    @transaction.atomic
    def patch(self, request, *args, **kwargs):
        return self.partial_update(request, *args, **kwargs)

    def perform_update(self, serializer):
        MessageHistory.objects.create(
            message=serializer.instance,
            old_content=serializer.instance.content,
            edited_by=self.request.user,
            edited_at=timezone.now(),
        )
        serializer.save(edited=True)


class Thread(generics.RetrieveAPIView):
    serializer_class = ThreadSerializer

    def get_queryset(self):
        people = Message.objects.select_related(*_PEOPLE).order_by("id")
        below = people
        for _ in range(_LEVELS):
            below = people.prefetch_related(Prefetch("replies", below))
        return below.filter(conversation__participants=self.request.user)


class Inbox(generics.ListAPIView):
    serializer_class = MessageSerializer
    pagination_class = Newest

    def get_queryset(self):
        return Message.objects.filter(
            notifications__user=self.request.user, notifications__is_read=False
        ).select_related(*_PEOPLE)


class Summary(APIView):
    def get(self, request):
        unread = request.user.notifications.filter(is_read=False)
        return Response({"unread_count": unread.count()})


class Conversations(generics.ListAPIView):
    serializer_class = ConversationSerializer

    def list(self, request):
        rows = list(self._conversations()[:50])
        last = Message.objects.select_related(*_PEOPLE).in_bulk(
            [row.last_message_id for row in rows]
        )
        context = {"last_messages": last}
        return Response(ConversationSerializer(rows, many=True, context=context).data)

    def _conversations(self):
        here = OuterRef("pk")
        unread = Notification.objects.filter(
            conversation=here, user=self.request.user, is_read=False
        )
        everyone = Conversation.participants.through.objects.filter(conversation=here)
        newest = Message.objects.filter(conversation=here).order_by("-id")
        return self.request.user.conversations.annotate(
            unread_count=_count(unread, "conversation"),
            participant_count=_count(everyone, "conversation"),
            last_message_id=Subquery(newest.values("pk")[:1]),
        ).order_by("-last_activity_at", "-id")


def _count(rows, key):
    counted = rows.order_by().values(key).annotate(number=Count("pk"))
    return Coalesce(Subquery(counted.values("number")), 0)
