from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("messaging", "0015_unread_by_message"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="user",
            name="user_staff",
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(
                    ("is_staff", True), ("is_superuser", True), _connector="OR"
                ),
                fields=["is_staff"],
                name="user_staff",
            ),
        ),
    ]
