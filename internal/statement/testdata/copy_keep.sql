backfill_found AS MATERIALIZED (SELECT (id) AS backfill_n1, (lower(email)) AS backfill_n2, (plan) AS backfill_n3 FROM "public"."users"
WHERE "id" > $1::bigint AND "id" <= $2::bigint
  AND CASE WHEN seen < $3::timestamptz THEN true END
ORDER BY "id" FOR NO KEY UPDATE),
backfill_changed AS (INSERT INTO "archive"."users" ("id", "email", "plan", "source")
SELECT backfill_n1, backfill_n2, backfill_n3, ('users')
FROM backfill_found
RETURNING "users"."id" AS k1, "users"."id" AS n1, "users"."email" AS n2, "users"."plan" AS n3, "users"."source" AS n4, "users"."made" AS n5),
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $4::text, $5::bigint, $6::bigint, $7::integer, count(*), array_agg(step), NULL::text[], NULL::text[],
  string_agg(substring(int8send(coalesce(hashtextextended((ROW(n1::text, n2, n3::text, n4, n5::text)::text) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM (SELECT *, k1 - lag(k1::bigint, 1, 0::bigint) OVER () AS step FROM backfill_changed) AS stepped HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes);
-- ["10" "20" "2024-01-01" "run-1" '\a' '\x03' '\x00']
