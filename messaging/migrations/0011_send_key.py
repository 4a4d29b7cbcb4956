from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("messaging", "0010_people"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="send_key",
            field=models.CharField(
                choices=[
                    ("enter", "Enter; Shift and Enter break the line"),
                    ("shift_enter", "Shift and Enter; Enter breaks the line"),
                ],
                db_default="enter",
                default="enter",
                max_length=11,
                verbose_name="key that sends a message",
            ),
        ),
    ]
