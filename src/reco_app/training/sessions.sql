-- Events as the engine reads them: one row an event, numbered sessions, items by their place.
-- Needs the tables items(item_id, place) and event_types(event_type, place), and the view events.
-- Events of other types, and of sessions too long to be a shopper's, are left out.
WITH numbered AS (
    SELECT
        events.session_hash,
        items.place AS item,
        event_types.place AS event_type,
        events.occurred_at_us / 1000000.0 AS seconds
    FROM events
    JOIN items ON items.item_id = events.item_id
    JOIN event_types ON event_types.event_type = events.event_type
),
sized AS (
    SELECT session_hash, count(*) AS size
    FROM numbered
    WHERE session_hash IS NOT NULL
    GROUP BY session_hash
),
sessions AS (
    SELECT session_hash, row_number() OVER (ORDER BY session_hash) - 1 AS place
    FROM sized
    WHERE size <= 500
)
SELECT sessions.place AS session, numbered.item, numbered.event_type, numbered.seconds
FROM numbered
JOIN sessions ON sessions.session_hash = numbered.session_hash
UNION ALL
SELECT -1 AS session, item, event_type, seconds
FROM numbered
WHERE session_hash IS NULL
