-- Tables for the tests of this package: good ones, and one for each way of being unfit.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);
CREATE DOMAIN small_positive AS positive CHECK (VALUE < 1000000);
CREATE COLLATION german (provider = icu, locale = 'de-DE');
CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE SCHEMA "Sales Dept";
CREATE SCHEMA backfill;
CREATE TABLE backfill.runs (run text PRIMARY KEY, state text);

CREATE TABLE users (
    id bigint PRIMARY KEY, email text, email_normalized text, visits bigint, plan varchar(10), created_at timestamptz,
    settings jsonb, tags text[], score numeric, active boolean, born date,
    shout text GENERATED ALWAYS AS (upper(email)) STORED, serial bigint GENERATED ALWAYS AS IDENTITY);
CREATE TABLE "Sales Dept"."Order ""Items""" ("Line No" int NOT NULL, "a.b" text, "Total" numeric, PRIMARY KEY ("Line No"));
CREATE TABLE events (tenant_id uuid, created_at timestamptz, id bigint, n int, payload jsonb,
    PRIMARY KEY (tenant_id, created_at, id));
CREATE TABLE words (word text COLLATE german PRIMARY KEY, length int);
CREATE TABLE names (name text COLLATE caseless PRIMARY KEY, length int);
CREATE TABLE numbered (n small_positive PRIMARY KEY, label text);
CREATE TABLE moods (m mood PRIMARY KEY, label text);
CREATE TABLE codes (c char(5) PRIMARY KEY, v varchar(20) NOT NULL, label text);
CREATE UNIQUE INDEX codes_v ON codes (v DESC NULLS FIRST) INCLUDE (label);
CREATE TABLE everything (b bytea, d date, t timestamp, nu numeric(20, 4), s smallint, label text, PRIMARY KEY (b, d, t, nu, s));
CREATE TABLE measures (at timestamptz NOT NULL, sensor int NOT NULL, value float8, PRIMARY KEY (sensor, at)) PARTITION BY RANGE (at);
CREATE TABLE measures_2024 PARTITION OF measures FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE measures_2025 PARTITION OF measures FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (sensor);
CREATE TABLE measures_2025_1 PARTITION OF measures_2025 FOR VALUES IN (1);
CREATE TABLE measures_2025_x PARTITION OF measures_2025 DEFAULT;

CREATE TABLE no_key (id int, n int);
CREATE TABLE other_keys (id int NOT NULL, tenant int NOT NULL, maybe int, w text NOT NULL, f float8 NOT NULL, n int);
CREATE UNIQUE INDEX other_keys_order ON other_keys (tenant, id);
CREATE UNIQUE INDEX other_keys_maybe ON other_keys (maybe);
CREATE UNIQUE INDEX other_keys_partial ON other_keys (id) WHERE n > 0;
CREATE UNIQUE INDEX other_keys_lower ON other_keys (lower(w));
CREATE UNIQUE INDEX other_keys_pattern ON other_keys (w text_pattern_ops);
CREATE UNIQUE INDEX other_keys_collation ON other_keys (w COLLATE german);
CREATE UNIQUE INDEX other_keys_mixed ON other_keys (id, w DESC);
CREATE UNIQUE INDEX other_keys_float ON other_keys (f);
CREATE INDEX other_keys_plain ON other_keys (tenant);
CREATE TABLE float_key (f float8 PRIMARY KEY, n int);
CREATE TABLE network (a inet PRIMARY KEY, n int);
CREATE VIEW users_view AS SELECT id, email FROM users;
CREATE MATERIALIZED VIEW users_mat AS SELECT id, email FROM users;
CREATE SEQUENCE users_seq;
CREATE FOREIGN DATA WRAPPER dummy;
CREATE SERVER dummy FOREIGN DATA WRAPPER dummy;
CREATE FOREIGN TABLE far (id int) SERVER dummy;
CREATE TABLE half_far (id int) PARTITION BY RANGE (id);
CREATE TABLE half_far_1 PARTITION OF half_far (PRIMARY KEY (id)) FOR VALUES FROM (0) TO (10);
CREATE FOREIGN TABLE half_far_2 PARTITION OF half_far FOR VALUES FROM (10) TO (20) SERVER dummy;
CREATE TABLE parent (id int PRIMARY KEY, n int);
CREATE TABLE child () INHERITS (parent);
CREATE TABLE ruled (id int PRIMARY KEY, n int);
CREATE RULE ruled_update AS ON UPDATE TO ruled DO INSTEAD NOTHING;

CREATE TABLE countries (code text PRIMARY KEY, name text UNIQUE);
CREATE TABLE customers (id int PRIMARY KEY, country text CONSTRAINT customers_country REFERENCES countries, n int, note text, day date);
CREATE INDEX customers_n ON customers ((n + 1)) WHERE note IS NOT NULL;
CREATE INDEX customers_day ON customers USING brin (day);
CREATE TABLE visits (id int PRIMARY KEY, country_name text CONSTRAINT visits_country REFERENCES countries (name));
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER customers_touch BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER customers_note BEFORE UPDATE OF note ON customers FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER customers_insert BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION careless(x int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN x; END $$;
CREATE FUNCTION steady(x int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN x; END $$;
