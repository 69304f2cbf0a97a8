-- From events to the arrays of the session index: one text for DuckDB and, transpiled by sqlglot,
-- for Spark SQL. Every order is total, so that both give the same bytes.
--
-- Needs events(session_hash, item_id, event_type, occurred_at_us), items(item_id, item),
-- event_types(event_type, kind, bit) and bounds, one row: events before `before_us` are counted;
-- sessions that began at `since_us` or later are given as they are, one in `step` of them.
-- Events of other types, and of sessions too long to be a shopper's, are left out: a wholesale
-- basket of 1,112 lines is real, a visit of ten thousand pages is not.

CREATE TEMP TABLE known AS
SELECT events.session_hash, items.item, event_types.kind, event_types.bit, events.occurred_at_us
FROM events
JOIN items ON items.item_id = events.item_id
JOIN event_types ON event_types.event_type = events.event_type;

CREATE TEMP TABLE too_long AS
SELECT session_hash
FROM known
WHERE session_hash IS NOT NULL
GROUP BY session_hash
HAVING count(*) > 2000;

CREATE TEMP TABLE kept AS
SELECT known.*
FROM known
LEFT JOIN too_long ON too_long.session_hash = known.session_hash
WHERE too_long.session_hash IS NULL;

CREATE TEMP TABLE counted AS
SELECT kept.*
FROM kept
CROSS JOIN bounds
WHERE kept.occurred_at_us < bounds.before_us;

-- How many moments of its session came before each event.
CREATE TEMP TABLE moments AS
SELECT
    *,
    dense_rank() OVER (PARTITION BY session_hash ORDER BY occurred_at_us) - 1 AS moment
FROM counted
WHERE session_hash IS NOT NULL;

CREATE TEMP TABLE paired AS
SELECT
    session_hash,
    item,
    min(occurred_at_us) AS first_us,
    max(occurred_at_us) AS last_us,
    max(moment) AS position,
    bit_or(bit) AS kinds
FROM moments
GROUP BY session_hash, item;

CREATE TEMP TABLE ended AS
SELECT session_hash, min(first_us) AS began_us, max(last_us) AS ended_us, count(*) AS pairs
FROM paired
GROUP BY session_hash;

-- Numbered within days and days counted up, for no single worker to sort all sessions.
CREATE TEMP TABLE days AS
SELECT day, sum(sessions) OVER (ORDER BY day) - sessions AS before
FROM (
    SELECT CAST(floor(ended_us / 86400000000.0) AS BIGINT) AS day, count(*) AS sessions
    FROM ended
    GROUP BY 1
) AS each_day;

CREATE TEMP TABLE sessions AS
SELECT
    in_day.session_hash,
    in_day.began_us,
    in_day.ended_us,
    in_day.pairs,
    CAST(days.before + in_day.place AS INTEGER) AS session
FROM (
    SELECT
        *,
        CAST(floor(ended_us / 86400000000.0) AS BIGINT) AS day,
        row_number() OVER (
            PARTITION BY CAST(floor(ended_us / 86400000000.0) AS BIGINT)
            ORDER BY ended_us, session_hash
        ) - 1 AS place
    FROM ended
) AS in_day
JOIN days ON days.day = in_day.day;

CREATE TEMP TABLE pairs AS
SELECT sessions.session, paired.item, paired.first_us, paired.position, paired.kinds
FROM paired
JOIN sessions ON sessions.session_hash = paired.session_hash;

-- What follows is read, in this order.

SELECT count(*) AS events, min(occurred_at_us) AS first_us, max(occurred_at_us) AS last_us
FROM counted;

SELECT pairs, began_us, ended_us
FROM sessions
ORDER BY session;

SELECT item, CAST(position AS INTEGER) AS position, kinds
FROM pairs
ORDER BY session, first_us, item;

SELECT session, kinds
FROM pairs
ORDER BY item, session DESC;

SELECT item, count(*) AS sessions
FROM pairs
GROUP BY item
ORDER BY item;

SELECT item, min(occurred_at_us) AS first_us
FROM counted
GROUP BY item
ORDER BY item;

SELECT item, kind, occurred_at_us AS at_us
FROM counted
WHERE session_hash IS NULL
ORDER BY at_us, item, kind;

SELECT kept.session_hash, kept.item, kept.kind, kept.occurred_at_us AS at_us
FROM kept
JOIN (
    SELECT session_hash
    FROM kept
    CROSS JOIN bounds
    WHERE session_hash IS NOT NULL
    GROUP BY session_hash
    HAVING min(occurred_at_us) >= max(bounds.since_us) AND session_hash % max(bounds.step) = 0
) AS newest ON newest.session_hash = kept.session_hash
ORDER BY kept.session_hash, at_us, kept.item, kept.kind;
