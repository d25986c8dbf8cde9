-- What `make aws-smoke` changes: made before it and dropped after it. The stack's role is let in by PUBLIC.
CREATE TABLE public.backfill_smoke (id bigint PRIMARY KEY, killed bigint NOT NULL, stopped bigint NOT NULL, crowded bigint NOT NULL);
INSERT INTO public.backfill_smoke SELECT g, g, g, g FROM generate_series(1, 20000) AS g;
CREATE SEQUENCE public.backfill_smoke_calls;
-- Its first call ignores for 20 s that it is cancelled, so that no worker can leave its chunk in order. A number of a sequence is not taken
-- back, so whoever comes next has no such trouble.
CREATE FUNCTION public.backfill_smoke_once(n bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    over timestamptz := clock_timestamp() + interval '20 s';
BEGIN
    IF nextval('public.backfill_smoke_calls') = 1 THEN
        WHILE clock_timestamp() < over LOOP
            BEGIN
                PERFORM pg_sleep(1);
            EXCEPTION WHEN query_canceled THEN
                NULL;
            END;
        END LOOP;
    END IF;
    RETURN n + 1;
END $$;
GRANT SELECT, UPDATE ON public.backfill_smoke TO PUBLIC;
GRANT USAGE ON SEQUENCE public.backfill_smoke_calls TO PUBLIC;
ANALYZE public.backfill_smoke;
