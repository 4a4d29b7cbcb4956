import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("messaging", "0013_server_name"),
    ]

    operations = [
        migrations.CreateModel(
            name="Look",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("conversations", "Conversations"),
                            ("participants", "Participants"),
                            ("messages", "Messages"),
                            ("histories", "Histories"),
                            ("notifications", "Notifications"),
                            ("password", "Password"),
                        ],
                        max_length=13,
                    ),
                ),
                ("conversation_id", models.BigIntegerField(null=True)),
                ("message_id", models.BigIntegerField(null=True)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="LookNotice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("is_new", models.BooleanField(default=True)),
            ],
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("is_staff", True)),
                fields=["is_staff"],
                name="user_staff",
            ),
        ),
        migrations.AddField(
            model_name="look",
            name="by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="looknotice",
            name="look",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="notices",
                to="messaging.look",
            ),
        ),
        migrations.AddField(
            model_name="looknotice",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="look",
            index=models.Index(fields=["by", "at"], name="look_by_whom"),
        ),
        migrations.AddIndex(
            model_name="look",
            index=models.Index(fields=["at"], name="look_at"),
        ),
        migrations.AddConstraint(
            model_name="look",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("conversation_id__isnull", True), ("source", "password")),
                    models.Q(
                        models.Q(("source", "password"), _negated=True),
                        ("conversation_id__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="look_is_at_a_conversation_or_password",
            ),
        ),
        migrations.AddIndex(
            model_name="looknotice",
            index=models.Index(fields=["user", "-look"], name="look_notice_newest"),
        ),
        migrations.AddIndex(
            model_name="looknotice",
            index=models.Index(
                condition=models.Q(("is_new", True)),
                fields=["user", "is_new"],
                name="look_notice_new",
            ),
        ),
        migrations.AddConstraint(
            model_name="looknotice",
            constraint=models.UniqueConstraint(
                fields=("look", "user"), name="look_notice_once_per_user"
            ),
        ),
    ]
