import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0022_secret_key_fingerprint")]
    operations = [
        *(
            migrations.AlterField(
                model_name="conversation",
                name=name,
                field=models.ForeignKey(
                    blank=True,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            )
            for name in ("high_user", "low_user")
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("high_user__isnull", False)),
                fields=["high_user"],
                name="conversation_high_user",
            ),
        ),
    ]
