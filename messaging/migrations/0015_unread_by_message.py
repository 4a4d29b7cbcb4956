from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("messaging", "0014_looks")]

    operations = [
        migrations.RemoveIndex(
            model_name="notification", name="notification_unread_count"
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                fields=["conversation", "user", "is_read", "message"],
                name="notification_unread_count",
            ),
        ),
    ]
