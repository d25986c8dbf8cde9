backfill_changed AS (UPDATE "public"."users" SET "email_normalized" = (lower(btrim(email)))
WHERE "id" > $1::bigint AND "id" <= $2::bigint
  AND CASE WHEN email IS NOT NULL
  THEN "email_normalized" COLLATE "C" IS DISTINCT FROM (lower(btrim(email)))::text COLLATE "C" END
RETURNING WITH (OLD AS backfill_old, NEW AS backfill_new) "users"."id" AS k1, backfill_old."email_normalized" AS o1, backfill_new."email_normalized" AS n1),
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $3::text, $4::bigint, $5::bigint, $6::integer, count(*), array_agg(step), NULL::text[], CASE WHEN count(*) FILTER (WHERE num_nonnulls(o1) > 0) > 0 THEN array_agg(o1) END,
  string_agg(substring(int8send(coalesce(hashtextextended((n1) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM (SELECT *, k1 - lag(k1::bigint, 1, 0::bigint) OVER () AS step FROM backfill_changed) AS stepped HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes);
-- ["10" "20" "run-1" '\a' '\x03' '\x00']
