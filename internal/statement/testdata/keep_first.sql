backfill_found AS MATERIALIZED (SELECT * FROM (SELECT ctid AS backfill_ctid, xmin AS backfill_xmin, "id" AS backfill_k1, "email_normalized" AS backfill_o1, (lower(btrim(email))) AS backfill_n1 FROM "public"."users"
WHERE "id" <= $1::bigint
  AND CASE WHEN email IS NOT NULL THEN true END OFFSET 0) AS backfill_read
WHERE backfill_o1 COLLATE "C" IS DISTINCT FROM backfill_n1::text COLLATE "C"),
backfill_changed AS (UPDATE "public"."users" SET "email_normalized" = backfill_found.backfill_n1 FROM backfill_found
WHERE "users".ctid = backfill_ctid AND "users".xmin = backfill_xmin
RETURNING backfill_k1 AS k1, backfill_o1 AS o1, "users"."email_normalized" AS n1),
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $2::text, $3::bigint, $4::bigint, $5::integer, count(*), NULL::bigint[], array_agg(k1::text), CASE WHEN count(*) FILTER (WHERE num_nonnulls(o1) > 0) > 0 THEN array_agg(o1) END,
  string_agg(substring(int8send(coalesce(hashtextextended((n1) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM backfill_changed HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes);
-- ["10" "run-1" '\a' '\x03' '\x00']
