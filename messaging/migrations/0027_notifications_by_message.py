from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0026_read_notifications_are_not_kept")]

    operations = [
        migrations.RemoveIndex(model_name="notification", name="notification_newest"),
        migrations.RemoveIndex(model_name="notification", name="notification_inbox"),
        migrations.RemoveIndex(model_name="notification", name="notification_pending"),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                fields=["user", "-message"], name="notification_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("is_read", False)),
                fields=["user", "-message", "is_read"],
                name="notification_inbox",
            ),
        ),
    ]
