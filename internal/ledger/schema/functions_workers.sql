-- seats lists the leases that live, those first that keep their slot: of a run its first chunks, and of several runs each as many
-- as its weight says.
CREATE OR REPLACE FUNCTION backfill.seats() RETURNS TABLE (run text, chunk bigint, nth bigint, place bigint) LANGUAGE sql STABLE AS $$
    SELECT h.run, h.chunk, h.nth, row_number() OVER (ORDER BY h.nth / coalesce(s.weight, 1), h.run, h.chunk)
    FROM (SELECT l.run, l.chunk, row_number() OVER (PARTITION BY l.run ORDER BY l.chunk) AS nth
        FROM backfill.ledger l JOIN backfill.runs r USING (run)
        WHERE r.ended_at IS NULL AND l.state = 'PROCESSING' AND l.lease_until > clock_timestamp()) h
    LEFT JOIN backfill.shares s USING (run)
$$;

-- slots tells how many chunks may be at work at a time; null: no limit. useful and ample follow from the rate: below the one
-- another worker begins, above the other one leaves, so that a rate between them has nobody come and go. There is always room for one
-- that takes over.
CREATE OR REPLACE FUNCTION backfill.slots(the_run text, OUT whole bigint, OUT own bigint, OUT useful bigint, OUT ample bigint) LANGUAGE sql STABLE AS $$
    SELECT t.workers, s.workers, n.useful, n.ample FROM backfill.throttle t LEFT JOIN backfill.shares s ON s.run = the_run
    LEFT JOIN LATERAL (SELECT greatest(ceil(1.25 * s.needs), 1)::bigint AS useful, greatest(ceil(1.75 * s.needs), ceil(1.25 * s.needs) + 1, 2)::bigint AS ample
        WHERE s.needs IS NOT NULL AND s.asked_at > clock_timestamp() - interval '10 s' AND backfill.limited(the_run)) n ON true
$$;

-- crowd counts who is at work beside a chunk, of its run and of all. share is what the run may have of the database's slots while
-- others want theirs, owed tells that one of them does. ending is 1 where a chunk of the run ends within 3 s at its rate: the next one may
-- begin, so that the rate is used between two chunks as well.
CREATE OR REPLACE FUNCTION backfill.crowd(the_run text, the_chunk bigint, whole bigint, OUT held bigint, OUT busy bigint, OUT share double precision, OUT owed boolean,
    OUT ending bigint)
LANGUAGE sql STABLE AS $$
    WITH each AS (
        SELECT r.run, count(p.chunk) AS n, coalesce(max(s.weight), 1) AS weight, coalesce(max(s.wants_at) > clock_timestamp() - interval '10 s', false) AS wants
        FROM backfill.runs r LEFT JOIN backfill.shares s USING (run)
            LEFT JOIN backfill.seats() p ON p.run = r.run AND (p.run, p.chunk) <> (the_run, the_chunk)
        WHERE r.ended_at IS NULL GROUP BY r.run
    ), fair AS (
        SELECT run, n, wants, whole * weight / sum(weight) OVER () AS share FROM each WHERE n > 0 OR wants OR run = the_run
    )
    SELECT coalesce(sum(n) FILTER (WHERE run = the_run), 0)::bigint, coalesce(sum(n), 0)::bigint, max(f.share) FILTER (WHERE run = the_run),
        coalesce(bool_or(wants AND n + 1 <= f.share) FILTER (WHERE run <> the_run), false),
        (SELECT count(*) FROM (SELECT FROM backfill.ledger l JOIN backfill.runs r USING (run) JOIN backfill.shares s USING (run)
            WHERE run = the_run AND chunk <> the_chunk AND l.state = 'PROCESSING' AND lease_until > clock_timestamp() AND direction = 'forward'
                AND scanned > (change->>'chunk_rows')::bigint - 3 * needs * unit LIMIT 1) soon)
    FROM fair f
$$;

-- most says a limit of workers.
CREATE OR REPLACE FUNCTION backfill.most(workers bigint, whose text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT format('at most %s %s at a time for %s', workers, CASE workers WHEN 1 THEN 'worker' ELSE 'workers' END, whose)
$$;

-- refused tells why a chunk gets no slot; '': it gets one. One claim after the other comes here, until it is committed, so that what
-- is counted is what holds. Without a limit nobody waits.
CREATE OR REPLACE FUNCTION backfill.refused(the_run text, the_chunk bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    limits record;
    crowd  record;
    reason text;
BEGIN
    SELECT * INTO limits FROM backfill.slots(the_run);
    IF coalesce(limits.whole, limits.own, limits.useful) IS NULL THEN
        RETURN '';
    END IF;
    PERFORM pg_catalog.pg_advisory_xact_lock('backfill.shares'::regclass::oid::int, 0);
    SELECT * INTO crowd FROM backfill.crowd(the_run, the_chunk, limits.whole);
    reason := CASE
        WHEN crowd.held >= limits.own THEN backfill.most(limits.own, 'this run')
        WHEN crowd.held - crowd.ending >= limits.useful THEN 'the rate has no use for another worker'
        WHEN crowd.busy >= limits.whole THEN backfill.most(limits.whole, 'all runs of the database')
        WHEN crowd.held + 1 > crowd.share AND crowd.owed THEN 'a slot of the database is kept for another run'
        ELSE '' END;
    IF limits.whole IS NOT NULL THEN
        INSERT INTO backfill.shares AS s (run, wants_at) VALUES (the_run, CASE WHEN reason <> '' THEN clock_timestamp() END)
            ON CONFLICT (run) DO UPDATE SET wants_at = excluded.wants_at WHERE s.wants_at IS NOT NULL OR excluded.wants_at IS NOT NULL;
    END IF;
    RETURN reason;
END $$;

-- steer tells a worker with each batch whether it has to reserve what it does, why it has to give its chunk back ('': it goes on), and
-- the error budget that a person has set.
CREATE OR REPLACE FUNCTION backfill.steer(the_run text, the_chunk bigint, OUT limited boolean, OUT surplus text, OUT budget bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
    kept   record;
    limits record;
BEGIN
    surplus := '';
    -- One look where nothing is limited: this is a part of each batch.
    SELECT coalesce(t.rate, t.ceiling, t.wal_rate, s.rate) AS rate, coalesce(t.workers, s.workers) AS workers, s.needs, s.error_budget
        INTO kept FROM backfill.throttle t LEFT JOIN backfill.shares s ON s.run = the_run;
    limited := kept.rate IS NOT NULL;
    budget := kept.error_budget;
    IF kept.workers IS NOT NULL OR limited AND kept.needs IS NOT NULL THEN
        SELECT * INTO limits FROM backfill.slots(the_run);
        SELECT CASE WHEN p.nth > limits.own THEN backfill.most(limits.own, 'this run')
                WHEN p.nth > limits.ample THEN 'the rate has no use for another worker'
                WHEN p.place > limits.whole THEN backfill.most(limits.whole, 'all runs of the database') ELSE '' END
            INTO surplus FROM backfill.seats() p WHERE p.run = the_run AND p.chunk = the_chunk;
        surplus := coalesce(surplus, '');   -- it is done
    END IF;
END $$;

-- room is how many more chunks of a run its slots can take; null: no limit. A run that has less than its share of the database's
-- slots asks for them also while others hold them.
CREATE OR REPLACE FUNCTION backfill.room(the_run text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT least(l.own - c.held, l.useful - c.held + c.ending, greatest(l.whole - c.busy, floor(c.share)::bigint - c.held, CASE WHEN c.held = 0 AND l.whole IS NOT NULL THEN 1 END))
    FROM backfill.slots(the_run) l, backfill.crowd(the_run, 0, l.whole) c
$$;
