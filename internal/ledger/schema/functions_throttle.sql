-- limited tells a worker, with its claim and with each batch, whether it has to reserve what it does.
CREATE OR REPLACE FUNCTION backfill.limited(the_run text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM backfill.throttle t WHERE coalesce(t.rate, t.ceiling, t.wal_rate) IS NOT NULL)
        OR EXISTS (SELECT FROM backfill.shares s WHERE s.run = the_run AND s.rate IS NOT NULL)
$$;

-- refill gives the runs that have asked in the last 10 s what has come in since the last time, by their weights. A run holds no
-- more than a second's worth of its share: what it has no room for goes to the others, as water finds its level. So all runs
-- together never get more than rate * time and what fits into a second. The caller holds the lock of backfill.throttle.
CREATE OR REPLACE FUNCTION backfill.refill(whole double precision, came double precision, moment timestamptz)
RETURNS void LANGUAGE sql AS $$
    WITH active AS (
        SELECT s.run, s.weight, least(s.tokens, most) AS held, greatest(most - s.tokens, 0) AS room
        FROM (SELECT run, weight, tokens, whole * weight / sum(weight) OVER () AS most FROM backfill.shares
            WHERE asked_at > moment - interval '10 s') s
    ), filling AS (
        SELECT room / weight AS full_at,
            (came - coalesce(sum(room) OVER (ORDER BY room / weight, run ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))
            / sum(weight) OVER (ORDER BY room / weight, run ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS level
        FROM active
    )
    UPDATE backfill.shares s SET tokens = a.held + least(a.room, a.weight * coalesce(
        (SELECT max(level) FROM filling WHERE level <= full_at), 'infinity'))
    FROM active a WHERE s.run = a.run
$$;

-- reserve takes rows out of the rate, about a second's worth, and tells how long to wait before they may be worked on. It is a
-- transaction of its own, so nobody waits for a batch here. Up to two seconds' worth are given ahead of time, so a worker asks
-- once and need not come back; beyond that nothing is granted, and the wait is until it may. A negative want gives back.
-- It raises as advance does, so that who waits hears of a cancel, and it keeps the lease.
CREATE OR REPLACE FUNCTION backfill.reserve(
    the_run text, the_chunk bigint, the_owner text, want bigint, lease interval, stale interval,
    OUT granted bigint, OUT wait double precision, OUT limited boolean
) LANGUAGE plpgsql AS $$
DECLARE
    run_state text;
    beat      timestamptz;
    moment    timestamptz;
    refilled  timestamptz;
    whole     double precision;   -- the database's rate
    mine      backfill.shares%ROWTYPE;
    speed     double precision;   -- rows/s that the run can count on
    held      double precision;
    ahead     double precision;
BEGIN
    -- What a crash takes back is granted once more: nothing here needs the disk.
    PERFORM pg_catalog.set_config('lock_timeout', '2s', true), pg_catalog.set_config('synchronous_commit', 'off', true);
    SELECT state, heartbeat INTO run_state, beat FROM backfill.runs r WHERE r.run = the_run;
    IF run_state IS NULL OR NOT backfill.moves(run_state) THEN
        RAISE EXCEPTION USING ERRCODE = 'BF002', MESSAGE = format('run %s is %s', the_run, coalesce(run_state, 'unknown'));
    END IF;
    IF beat < clock_timestamp() - stale THEN
        RAISE EXCEPTION USING ERRCODE = 'BF003', MESSAGE = format('run %s has no heartbeat since %s', the_run, beat);
    END IF;
    UPDATE backfill.ledger l SET lease_until = clock_timestamp() + lease
        WHERE l.run = the_run AND l.chunk = the_chunk AND l.owner = the_owner AND l.state = 'PROCESSING'
          AND l.lease_until < clock_timestamp() + lease * 0.75;

    SELECT least(t.rate, t.ceiling, t.wal_rate), t.refilled_at INTO whole, refilled FROM backfill.throttle t FOR UPDATE;
    moment := clock_timestamp();   -- after the wait for the lock
    INSERT INTO backfill.shares AS s (run, asked_at) VALUES (the_run, moment)
        ON CONFLICT (run) DO UPDATE SET asked_at = moment,
            tokens = CASE WHEN s.asked_at > moment - interval '10 s' THEN s.tokens ELSE 0 END,
            own = coalesce(least(s.rate, s.own + s.rate * least(greatest(extract(epoch FROM moment - s.asked_at), 0), 10)), 0);
    IF whole IS NOT NULL THEN
        PERFORM backfill.refill(whole, whole * least(greatest(extract(epoch FROM moment - refilled), 0), 10), moment);
    END IF;
    UPDATE backfill.throttle SET refilled_at = moment;

    SELECT * INTO mine FROM backfill.shares s WHERE s.run = the_run;
    SELECT least(whole * mine.weight / sum(s.weight), mine.rate) INTO speed
        FROM backfill.shares s WHERE s.asked_at > moment - interval '10 s';
    granted := want;
    wait := 0;
    limited := speed IS NOT NULL;
    IF NOT limited THEN
        RETURN;
    END IF;
    held := least(CASE WHEN whole IS NOT NULL THEN mine.tokens END, CASE WHEN mine.rate IS NOT NULL THEN mine.own END);
    ahead := greatest(2 * speed, 1);   -- a rate below 1 grants single rows
    IF want > 0 THEN
        granted := least(want, ceil(speed), floor(held + ahead));
        -- A quarter of a second's worth at least: a worker that finds no room does not come back for each single row.
        IF granted < least(want, greatest(ceil(speed / 4), 1)) THEN
            granted := 0;
            wait := (least(want, greatest(ceil(speed / 4), 1)) - held - ahead) / speed;
        ELSE
            wait := greatest(granted - held, 0) / speed;
        END IF;
    END IF;
    -- A worker asks for what it makes in a second, less at the beginning of a chunk.
    IF want > 0 THEN
        mine.unit := greatest(want, mine.unit * 0.95);
        mine.needs := speed / mine.unit;
    END IF;
    UPDATE backfill.shares s SET tokens = s.tokens - granted, own = s.own - granted, unit = mine.unit, needs = mine.needs WHERE s.run = the_run;
END $$;
