from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0005_events_by_number")]

    operations = [
        migrations.CreateModel(
            name="ReleasedSession",
            fields=[
                ("session_hash", models.BigIntegerField(primary_key=True, serialize=False)),
                ("released_at", models.DateTimeField()),
            ],
        ),
    ]
