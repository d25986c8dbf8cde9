backfill_found AS MATERIALIZED (SELECT * FROM (SELECT "users".ctid AS backfill_ctid, "users".xmin AS backfill_xmin, "users"."id" AS backfill_k1, "users"."email" AS backfill_o1, "users"."plan" AS backfill_o2, (c.email || $3::timestamptz::text) AS backfill_n1, count(*) OVER (PARTITION BY "users".ctid) AS backfill_pairs FROM "public"."users" LEFT JOIN "Sales Dept"."Order ""Items""" AS "c" ON (c."ID" = users.id)
WHERE "users"."id" > $1::bigint AND "users"."id" <= $2::bigint
  AND CASE WHEN "c".tableoid IS NOT NULL AND (users.email <> c.email AND c.seen > $3::timestamptz) THEN true END OFFSET 0) AS backfill_read
WHERE backfill_pairs > 1 OR (backfill_o1 COLLATE "C" IS DISTINCT FROM backfill_n1::text COLLATE "C" OR backfill_o2 COLLATE "C" IS DISTINCT FROM ('joined')::character varying(20) COLLATE "C")),
backfill_changed AS (UPDATE "public"."users" SET "email" = backfill_found.backfill_n1, "plan" = ('joined') FROM backfill_found
WHERE "users".ctid = backfill_ctid AND "users".xmin = backfill_xmin
RETURNING backfill_k1 AS k1, backfill_o1 AS o1, backfill_o2 AS o2, "users"."email" AS n1, "users"."plan" AS n2),
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $4::text, $5::bigint, $6::bigint, $7::integer, count(*), array_agg(step), NULL::text[], CASE WHEN count(*) FILTER (WHERE num_nonnulls(o1, o2) > 0) > 0 THEN array_agg(o1) || array_agg(o2::text) END,
  string_agg(substring(int8send(coalesce(hashtextextended((ROW(n1, n2::text)::text) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM (SELECT *, k1 - lag(k1::bigint, 1, 0::bigint) OVER () AS step FROM backfill_changed) AS stepped HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes);
-- ["10" "20" "2024-01-01" "run-1" '\a' '\x03' '\x00']
