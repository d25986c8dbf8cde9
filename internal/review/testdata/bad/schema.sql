-- Tables that are unfit, each in its way, and a canary that nothing may touch.
CREATE TABLE canary (id int PRIMARY KEY, v text);
INSERT INTO canary VALUES (1, 'alive');
CREATE SCHEMA shop;
CREATE TABLE shop.orders (tenant_id int NOT NULL, id bigint NOT NULL, total numeric, total_cents bigint, state text, note text, paid boolean,
    created_at timestamptz, doubled numeric GENERATED ALWAYS AS (total * 2) STORED, number bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (tenant_id, id));
INSERT INTO shop.orders (tenant_id, id, total, note) SELECT g % 3, g, g, 'note ' || g FROM generate_series(1, 300) g;
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int);
INSERT INTO users SELECT g, 'user' || g, g FROM generate_series(1, 300) g;
CREATE VIEW shop.open_orders AS SELECT * FROM shop.orders WHERE NOT paid;
CREATE MATERIALIZED VIEW shop.totals AS SELECT tenant_id, sum(total) AS total FROM shop.orders GROUP BY tenant_id;
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE shop.far (id bigint, note text) SERVER nowhere;
CREATE SEQUENCE shop.numbers;
CREATE TABLE shop.no_key (id bigint, note text);
CREATE TABLE shop.loose (id bigint, code text NOT NULL, weight float8 PRIMARY KEY, note text);
CREATE UNIQUE INDEX loose_id ON shop.loose (id);
CREATE TABLE shop.read_only (id bigint PRIMARY KEY, note text);
CREATE TABLE shop.unseen (id bigint PRIMARY KEY, note text);
CREATE TABLE shop.shielded (id bigint PRIMARY KEY, note text);
ALTER TABLE shop.shielded ENABLE ROW LEVEL SECURITY;
CREATE TABLE shop.parts (id bigint PRIMARY KEY, "order" bigint, note text);
CREATE TABLE shop.part_notes (part bigint REFERENCES shop.parts ON DELETE CASCADE, note text);
CREATE SCHEMA hidden;
CREATE TABLE hidden.things (id bigint PRIMARY KEY, note text);
-- Functions that would do harm if anybody called them. The second lies about itself, so the planner calls it.
CREATE FUNCTION shop.harm() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN DELETE FROM canary; RETURN 'gone'; END $$;
CREATE FUNCTION shop.lie(x int) RETURNS text LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER AS $$ BEGIN DELETE FROM public.canary; RETURN 'gone'; END $$;
-- ROLE is the role of the product, which tests make.
GRANT USAGE ON SCHEMA shop TO ROLE;
GRANT SELECT, UPDATE, DELETE, INSERT ON shop.orders, users, shop.no_key, shop.loose, shop.shielded, shop.parts, shop.open_orders, shop.totals, shop.far TO ROLE;
GRANT SELECT ON shop.read_only, canary TO ROLE;
GRANT UPDATE ON shop.unseen TO ROLE;
GRANT SELECT, UPDATE ON hidden.things TO ROLE;
ANALYZE;
