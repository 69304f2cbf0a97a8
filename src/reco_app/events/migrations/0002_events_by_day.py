"""Events in one partition a day, and the names of those that came in lately.

Events that were stored before are moved over.
"""

from django.db import migrations, models

PARTITIONED = """
    ALTER TABLE events_event RENAME TO events_before;
    ALTER INDEX events_by_session RENAME TO events_before_by_session;
    ALTER INDEX events_by_time RENAME TO events_before_by_time;
    CREATE SEQUENCE events_event_number AS bigint;
    CREATE TABLE events_event (
        id bigint NOT NULL DEFAULT nextval('events_event_number'),
        event_id uuid NOT NULL,
        session_hash bigint,
        item_id varchar(64) NOT NULL,
        event_type varchar(16) NOT NULL,
        quantity integer NOT NULL DEFAULT 1 CHECK (quantity >= 0),
        price numeric(12, 2),
        occurred_at timestamptz NOT NULL,
        recommendation_id varchar(512),
        position smallint CHECK (position >= 0),
        PRIMARY KEY (occurred_at, event_id)
    ) PARTITION BY RANGE (occurred_at);
    ALTER SEQUENCE events_event_number OWNED BY events_event.id;
    CREATE INDEX events_by_session ON events_event (session_hash)
        WHERE session_hash IS NOT NULL;
"""

# Attaching a table that exists holds up nobody; creating a partition would stop all reading.
MAKE_DAYS = """
    CREATE FUNCTION events_make_days(days date[]) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        one date;
        name text;
    BEGIN
        LOCK TABLE ONLY events_event IN ROW EXCLUSIVE MODE;  -- no day is dropped until this ends
        FOREACH one IN ARRAY days LOOP
            name := 'events_on_' || to_char(one, 'YYYYMMDD');
            CONTINUE WHEN to_regclass(name) IS NOT NULL;
            LOCK TABLE ONLY events_event IN SHARE UPDATE EXCLUSIVE MODE;  -- as attaching does
            CONTINUE WHEN to_regclass(name) IS NOT NULL;
            IF EXISTS (SELECT FROM events_closedday WHERE day = one) THEN
                RAISE check_violation USING MESSAGE = 'the day ' || one || ' is closed';
            END IF;
            EXECUTE format(
                'CREATE TABLE %I (LIKE events_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS '
                'INCLUDING INDEXES)', name);
            EXECUTE format(
                'ALTER TABLE events_event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                name, one::timestamp AT TIME ZONE 'UTC', (one + 1)::timestamp AT TIME ZONE 'UTC');
        END LOOP;
    END $$;
"""

MOVE = """
    SELECT events_make_days(array(
        SELECT DISTINCT (occurred_at AT TIME ZONE 'UTC')::date FROM events_before));
    INSERT INTO events_event (event_id, session_hash, item_id, event_type, quantity, price,
                              occurred_at, recommendation_id, position)
    SELECT event_id, session_hash, item_id, event_type, quantity, price, occurred_at,
           recommendation_id, position
    FROM events_before ORDER BY id;
    INSERT INTO events_eventid (event_id, received_on)
    SELECT event_id, CURRENT_DATE FROM events_before WHERE occurred_at > now() - interval '8 days';
    DROP TABLE events_before;
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="ClosedDay",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("file_name", models.CharField(max_length=100)),
            ],
        ),
        migrations.CreateModel(
            name="EventId",
            fields=[
                ("event_id", models.UUIDField(primary_key=True, serialize=False)),
                ("received_on", models.DateField()),
            ],
        ),
        migrations.RunSQL(PARTITIONED),
        migrations.RunSQL(MAKE_DAYS),
        migrations.RunSQL(MOVE),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex(model_name="event", name="events_by_time"),
                migrations.AlterField(
                    model_name="event",
                    name="event_id",
                    field=models.UUIDField(editable=False),
                ),
            ],
        ),
    ]
