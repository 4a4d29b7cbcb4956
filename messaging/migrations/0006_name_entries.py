from collections.abc import Iterator

import django.db.models.deletion
import messaging.models.users
from django.conf import settings
from django.db import migrations, models
from django.db.models import Model

from messaging.folding import fold, searchable_words

# Rows that are held in memory at once.
_BATCH = 500


def _batches(model: type[Model], **conditions: object) -> Iterator[list[Model]]:
    last = 0
    rows = model._base_manager.filter(**conditions).order_by("pk")
    while batch := list(rows.filter(pk__gt=last)[:_BATCH]):
        yield batch
        last = batch[-1].pk


def fold_names(apps, schema_editor):
    user, conversation, entry = (
        apps.get_model("messaging", name)
        for name in ("User", "Conversation", "NameEntry")
    )
    for users in _batches(user):
        for each in users:
            each.folded_name = fold(f"{each.username} {each.display_name}")
        user._base_manager.bulk_update(users, ["folded_name"], batch_size=100)
        entry._base_manager.bulk_create(
            (
                entry(user_id=each.pk, entry=f"{word} {each.username.lower()}")
                for each in users
                for word in sorted(
                    {
                        each.username.lower(),
                        *searchable_words(each.username),
                        *searchable_words(each.display_name),
                    }
                )
            ),
            batch_size=_BATCH,
        )
    for groups in _batches(conversation, kind="group"):
        for each in groups:
            each.folded_title = fold(each.title)
        conversation._base_manager.bulk_update(groups, ["folded_title"], batch_size=100)


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0005_trees_and_imports'),
    ]

    operations = [
        migrations.AddField(
            model_name='conversation',
            name='folded_title',
            field=models.TextField(default='', editable=False),
        ),
        migrations.AddField(
            model_name='user',
            name='folded_name',
            field=models.TextField(default='', editable=False),
        ),
        migrations.CreateModel(
            name='NameEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entry', messaging.models.users.ByteOrderedCharField(max_length=129)),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='name_entries', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'name entries',
                'indexes': [models.Index(fields=['user', 'entry'], name='name_entry_of_user')],
                'constraints': [models.UniqueConstraint(fields=('entry',), name='name_entry_once')],
            },
        ),
        migrations.RunPython(fold_names, migrations.RunPython.noop),
    ]
