"""An id of an import is unique within its conversation; two indexes are smaller.

Going back fails if two conversations have got the same id meanwhile.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0020_versions_have_a_conversation")]
    operations = [
        migrations.AlterField(
            model_name="message",
            name="external_id",
            field=models.CharField(
                blank=True, editable=False, max_length=255, null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id__isnull", False)),
                fields=("conversation", "external_id"),
                name="message_external_id_once",
            ),
        ),
        migrations.RemoveIndex(model_name="message", name="message_received"),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("receiver__isnull", False)),
                fields=["receiver", "id"],
                name="message_received",
            ),
        ),
    ]
