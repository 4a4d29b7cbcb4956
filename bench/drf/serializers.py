from django.contrib.auth.models import User
from rest_framework import serializers

from bench.drf.models import Conversation, Message


class UserSerializer(serializers.ModelSerializer):
    display_name = serializers.CharField(source="first_name")

    class Meta:
        model = User
        fields = ("id", "username", "display_name")


class MessageSerializer(serializers.ModelSerializer):
    sender = UserSerializer(read_only=True)
    receiver = UserSerializer(read_only=True)

    class Meta:
        model = Message
        fields = (
            "id",
            "conversation",
            "sender",
            "receiver",
            "content",
            "timestamp",
            "read",
            "edited",
            "parent_message",
        )
        read_only_fields = ("conversation", "timestamp", "read", "edited")


class ThreadSerializer(MessageSerializer):
    replies = serializers.SerializerMethodField()

    class Meta(MessageSerializer.Meta):
        fields = (*MessageSerializer.Meta.fields, "replies")

    def get_replies(self, message):
        return ThreadSerializer(message.replies.all(), many=True).data


class ConversationSerializer(serializers.ModelSerializer):
    participant_count = serializers.IntegerField()
    unread_count = serializers.IntegerField()
    last_message = serializers.SerializerMethodField()

    class Meta:
        model = Conversation
        fields = (
            "id",
            "title",
            "last_activity_at",
            "participant_count",
            "unread_count",
            "last_message",
        )

    def get_last_message(self, conversation):
        message = self.context["last_messages"].get(conversation.last_message_id)
        return message and MessageSerializer(message).data
