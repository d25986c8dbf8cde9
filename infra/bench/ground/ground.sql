-- The table of the benchmark: rows of about 290 bytes, full pages (fillfactor 100), one secondary index: on text, in
-- the database's linguistic collation, as most tables of users have.
-- Parameter: :rows.
DROP TABLE IF EXISTS public.backfill_bench;
CREATE TABLE public.backfill_bench (
    id         bigint      PRIMARY KEY,
    email      text        NOT NULL,
    normalized text,                    -- a new column: NULL in every row
    label      text        NOT NULL,    -- a column with a value
    visits     bigint      NOT NULL,    -- what users update
    payload    text        NOT NULL,
    created_at timestamptz NOT NULL
);
INSERT INTO public.backfill_bench (id, email, label, visits, payload, created_at)
SELECT g, format('User.%s@Example%s.COM', g, g % 7), 'Label Number ' || g, 0,
    repeat(md5(g::text), 5), timestamptz '2020-01-01 00:00:00+00' + g * interval '97 seconds'
FROM generate_series(1, :rows) AS g;
CREATE INDEX backfill_bench_email ON public.backfill_bench (email);
