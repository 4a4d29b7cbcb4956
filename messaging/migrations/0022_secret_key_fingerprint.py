from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0021_external_ids_by_conversation")]
    operations = [
        migrations.AddField(
            model_name="installation",
            name="secret_key_fingerprint",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=32
            ),
        ),
    ]
