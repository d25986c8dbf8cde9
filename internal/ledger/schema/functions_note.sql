-- listed names chunks as people write them: chunks 3, 7-9. At most ten stretches of the first 200.
CREATE OR REPLACE FUNCTION backfill.listed(chunks bigint[]) RETURNS text LANGUAGE sql AS $$
    WITH stretches AS (SELECT min(n) AS lo, max(n) AS hi, row_number() OVER (ORDER BY min(n)) AS place
        FROM (SELECT n, n - row_number() OVER (ORDER BY n) AS stretch FROM unnest(chunks[1:200]) AS n) numbered GROUP BY stretch)
    SELECT CASE cardinality(chunks) WHEN 1 THEN 'chunk ' ELSE 'chunks ' END
        || string_agg(CASE WHEN lo = hi THEN lo::text ELSE lo || '-' || hi END, ', ' ORDER BY place) FILTER (WHERE place <= 10)
        || CASE WHEN max(place) > 10 OR cardinality(chunks) > 200 THEN ' and more' ELSE '' END
    FROM stretches
$$;

-- note writes down in the log of a run what happened, and to which chunks (null: to the run itself). What happened less than
-- ten minutes ago as well goes on with that line: ten thousand messages that are lost are one line, and so is a thing that each beat finds.
CREATE OR REPLACE FUNCTION backfill.note(the_run text, what text, happened_to bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    line  backfill.changes%ROWTYPE;
    now   timestamptz := clock_timestamp();
    often bigint := coalesce(cardinality(happened_to), 1);
    told  text := what;
BEGIN
    SELECT * INTO line FROM backfill.changes c WHERE c.run = the_run AND c.cause = what AND c.last_at > now - interval '10 minutes'
        ORDER BY c.n DESC LIMIT 1 FOR UPDATE;
    often := often + coalesce(line.times, 0);
    happened_to := (SELECT array_agg(n ORDER BY n) FROM (SELECT DISTINCT n FROM unnest(line.chunks || happened_to) AS n ORDER BY n LIMIT 201) distinct_ones);
    IF happened_to IS NOT NULL THEN
        told := backfill.listed(happened_to) || ' ' || told;
    END IF;
    IF line.n IS NULL THEN
        INSERT INTO backfill.changes (run, detail, cause, chunks, times, last_at) VALUES (the_run, told, what, happened_to, often, now);
        RETURN;
    END IF;
    told := told || format('; %s times, the last at %s UTC', to_char(often, 'FM999,999,999,999,990'), to_char(now AT TIME ZONE 'UTC', 'HH24:MI:SS'));
    UPDATE backfill.changes c SET detail = told, chunks = happened_to, times = often, last_at = now WHERE c.run = the_run AND c.n = line.n;
END $$;
