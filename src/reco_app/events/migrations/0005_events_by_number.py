"""Events are found by their numbers: whatever was stored since a training, or since a moment ago.

They lie in this order, so that an index of ranges is enough, which costs storing next to nothing.
"""

import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("events", "0004_held_events")]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["id"], name="events_by_number", pages_per_range=16
            ),
        ),
    ]
