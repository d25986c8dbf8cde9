backfill_found AS (DELETE FROM "public"."users"
WHERE "id" > $1::bigint AND "id" <= $2::bigint
  AND CASE WHEN seen < $3::timestamptz THEN true END
RETURNING 1, "id" AS o1, "email" AS o2, "email_normalized" AS o3, "plan" AS o4, "seen" AS o5, (id) AS backfill_n1, (lower(email)) AS backfill_n2, (plan) AS backfill_n3),
backfill_written AS (INSERT INTO "archive"."users" ("id", "email", "plan", "source")
SELECT backfill_n1, backfill_n2, backfill_n3, ('users')
FROM backfill_found
RETURNING "users"."id" AS k1, "users"."id" AS n1, "users"."email" AS n2, "users"."plan" AS n3, "users"."source" AS n4, "users"."made" AS n5),
backfill_moved AS (SELECT * FROM (SELECT *, true AS backfill_a FROM backfill_written) AS a
FULL JOIN (SELECT *, true AS backfill_b FROM backfill_found) AS b ON k1 = backfill_n1::bigint
WHERE coalesce(backfill_a AND backfill_b, false)),
backfill_changed AS (SELECT 1 FROM backfill_moved UNION ALL SELECT 1 WHERE NOT backfill.moved(
  (SELECT count(*) FROM backfill_found), (SELECT count(*) FROM backfill_moved))),
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $4::text, $5::bigint, $6::bigint, $7::integer, count(*), array_agg(step), NULL::text[], CASE WHEN count(*) FILTER (WHERE num_nonnulls(o1, o2, o3, o4, o5) > 0) > 0 THEN array_agg(o1::text) || array_agg(o2) || array_agg(o3) || array_agg(o4::text) || array_agg(o5::text) END,
  string_agg(substring(int8send(coalesce(hashtextextended((ROW(n1::text, n2, n3::text, n4, n5::text)::text) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM (SELECT *, k1 - lag(k1::bigint, 1, 0::bigint) OVER () AS step FROM backfill_moved) AS stepped WHERE backfill.whole($8::text, $9::text[]) HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes);
-- ["10" "20" "2024-01-01" "run-1" '\a' '\x03' '\x00' "\"public\".\"users\"" ["id" "id" "email" "email_normalized" "plan" "seen"]]
