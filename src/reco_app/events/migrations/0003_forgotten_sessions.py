from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0002_events_by_day")]

    operations = [
        migrations.CreateModel(
            name="ForgottenSession",
            fields=[
                ("session_hash", models.BigIntegerField(primary_key=True, serialize=False)),
                ("forgotten_at", models.DateTimeField()),
            ],
        ),
    ]
