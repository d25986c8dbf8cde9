backfill_deleted AS (DELETE FROM "public"."users"
WHERE "id" > $1::bigint AND "id" <= $2::bigint
  AND CASE WHEN seen < now() - $3::interval THEN true END
RETURNING "id" AS k1, "email" AS o1, "email_normalized" AS o2, "plan" AS o3, "seen" AS o4, "shout" AS g5),
backfill_archived AS (INSERT INTO "Sales Dept"."filed" ("email", "id", "email_normalized", "plan", "shout", "seen") OVERRIDING SYSTEM VALUE
SELECT o1, k1, o2, o3, g5, o4 FROM backfill_deleted RETURNING 1),
backfill_changed AS MATERIALIZED (SELECT * FROM backfill_deleted
WHERE (SELECT backfill.whole($4::text, $5::text[]) AND backfill.archived((SELECT count(*) FROM backfill_deleted), (SELECT count(*) FROM backfill_archived)))),
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $6::text, $7::bigint, $8::bigint, $9::integer, count(*), array_agg(step), NULL::text[], CASE WHEN count(*) FILTER (WHERE num_nonnulls(o1, o2, o3, o4) > 0) > 0 THEN array_agg(o1) || array_agg(o2) || array_agg(o3::text) || array_agg(o4::text) END,
  ''::bytea
FROM (SELECT *, k1 - lag(k1::bigint, 1, 0::bigint) OVER () AS step FROM backfill_changed) AS stepped WHERE backfill.whole($10::text, $11::text[]) HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes);
-- ["10" "20" "90 days" "\"public\".\"users\"" ["id" "email" "email_normalized" "plan" "seen"] "run-1" '\a' '\x03' '\x00' "\"public\".\"users\"" ["id" "email" "email_normalized" "plan" "seen"]]
