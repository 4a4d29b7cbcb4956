"""A kept version and the record of an import name their message's conversation.

Null at first: the next migration fills the columns, and the one after it refuses null.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0017_no_pattern_indexes")]
    operations = [
        migrations.AddField(
            model_name="messagehistory",
            name="conversation",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="messaging.conversation",
            ),
        ),
        migrations.AddField(
            model_name="importedmessage",
            name="conversation_id",
            field=models.BigIntegerField(null=True),
        ),
    ]
