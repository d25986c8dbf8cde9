-- The table of the example: a million users, as a sign-up form leaves them. Made anew by each `make run`.
DROP TABLE IF EXISTS public.users;
CREATE TABLE public.users (
    id               bigint      PRIMARY KEY,
    email            text,
    email_normalized text,
    email_hash       bytea,
    full_name        text        NOT NULL,
    display_name     text,
    country          text        NOT NULL,
    plan             text        NOT NULL,
    visits           bigint      NOT NULL DEFAULT 0,
    settings         jsonb       NOT NULL DEFAULT '{}',
    created_at       timestamptz NOT NULL,
    last_seen_at     timestamptz
);
INSERT INTO public.users (id, email, full_name, country, plan, visits, settings, created_at, last_seen_at)
SELECT g,
    CASE WHEN g % 50 <> 0 THEN format('%sUser.%s@Example%s.COM%s', repeat(' ', (g % 3)::int), g, g % 7, repeat(' ', (g % 2)::int)) END,
    'User Number ' || g,
    (ARRAY['de', 'fr', 'us', 'jp', 'br'])[1 + g % 5],
    (ARRAY['free', 'team', 'enterprise'])[1 + g % 3],
    g % 1000,
    jsonb_build_object('theme', (ARRAY['dark', 'light'])[1 + g % 2], 'newsletter', g % 4 = 0),
    timestamptz '2020-01-01 00:00:00+00' + g * interval '97 seconds',
    CASE WHEN g % 10 <> 0 THEN timestamptz '2025-01-01 00:00:00+00' + g * interval '13 seconds' END
FROM generate_series(1, :rows) AS g;
CREATE INDEX users_email ON public.users (email);
CREATE INDEX users_created_at ON public.users (created_at);
CREATE INDEX users_country_plan ON public.users (country, plan);
ANALYZE public.users;
