backfill_found AS MATERIALIZED (SELECT * FROM (SELECT ctid AS backfill_ctid, xmin AS backfill_xmin, "id" AS backfill_k1, "plan" AS backfill_o1, "email" AS backfill_o2, (CASE WHEN seen < $3::timestamptz THEN $4::text ELSE plan END) AS backfill_n1, ('@since' || email) AS backfill_n2 FROM "public"."users"
WHERE "id" > $1::bigint AND "id" <= $2::bigint
  AND CASE WHEN seen >= $3::timestamptz - interval '1 day' THEN true END OFFSET 0) AS backfill_read
WHERE (backfill_o1 COLLATE "C" IS DISTINCT FROM backfill_n1::character varying(20) COLLATE "C" OR backfill_o2 COLLATE "C" IS DISTINCT FROM backfill_n2::text COLLATE "C")),
backfill_changed AS (UPDATE "public"."users" SET "plan" = backfill_found.backfill_n1, "email" = backfill_found.backfill_n2 FROM backfill_found
WHERE "users".ctid = backfill_ctid AND "users".xmin = backfill_xmin
RETURNING backfill_k1 AS k1, backfill_o1 AS o1, backfill_o2 AS o2, "users"."plan" AS n1, "users"."email" AS n2),
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $5::text, $6::bigint, $7::bigint, $8::integer, count(*), array_agg(step), NULL::text[], CASE WHEN count(*) FILTER (WHERE num_nonnulls(o1, o2) > 0) > 0 THEN array_agg(o1::text) || array_agg(o2) END,
  string_agg(substring(int8send(coalesce(hashtextextended((ROW(n1::text, n2)::text) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM (SELECT *, k1 - lag(k1::bigint, 1, 0::bigint) OVER () AS step FROM backfill_changed) AS stepped HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes);
-- ["10" "20" "2024-01-01" "old" "run-1" '\a' '\x03' '\x00']
