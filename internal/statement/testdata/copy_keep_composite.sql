backfill_found AS MATERIALIZED (SELECT ("tenant Id") AS backfill_n1, ("ID" * $4::integer) AS backfill_n2, (note) AS backfill_n3 FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" > $3::bigint
ORDER BY "tenant Id", "created_at", "ID" FOR NO KEY UPDATE),
backfill_there AS MATERIALIZED (SELECT backfill_target."tenant Id" AS k1, backfill_target."ID" AS k2, backfill_target."note" AS o1 FROM backfill_found
CROSS JOIN LATERAL (SELECT * FROM "archive"."Old ""Items""" AS backfill_target WHERE backfill_target."tenant Id" = backfill_n1::uuid AND backfill_target."ID" = backfill_n2::bigint OFFSET 0 FOR NO KEY UPDATE) AS backfill_target),
backfill_written AS (INSERT INTO "archive"."Old ""Items""" ("tenant Id", "ID", "note")
SELECT backfill_n1, backfill_n2, backfill_n3
FROM backfill_found WHERE (SELECT backfill.apart(count(*), count(DISTINCT ROW(backfill_n1::uuid, backfill_n2::bigint))) FROM backfill_found)
ON CONFLICT ("tenant Id", "ID") DO UPDATE SET "note" = excluded."note"
WHERE ("Old ""Items"""."tenant Id", "Old ""Items"""."ID") IN (SELECT k1, k2 FROM backfill_there)
  AND ROW("Old ""Items"""."note")::record *<> ROW(excluded."note")::record
RETURNING "Old ""Items"""."tenant Id" AS k1, "Old ""Items"""."ID" AS k2, "Old ""Items"""."note" AS n1, "Old ""Items"""."No" AS n2, "Old ""Items"""."tenant Id" AS n3, "Old ""Items"""."ID" AS n4),
backfill_inserted AS (SELECT * FROM backfill_written WHERE (k1, k2) NOT IN (SELECT k1, k2 FROM backfill_there)),
backfill_updated AS (SELECT * FROM (SELECT *, true AS backfill_a FROM backfill_written) AS a
FULL JOIN (SELECT *, true AS backfill_b FROM backfill_there) AS b USING (k1, k2)
WHERE coalesce(backfill_a AND backfill_b, false)),
backfill_changed AS (SELECT 1 FROM backfill_written UNION ALL SELECT 1 WHERE 0 > backfill.written(
  (SELECT count(*) FROM backfill_inserted), (SELECT count(*) FROM backfill_found) - (SELECT count(*) FROM backfill_there))),
backfill_image_0 AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $5::text, $6::bigint, $7::bigint, 2 * $8::integer + 0, count(*), NULL::bigint[], array_agg(k1::text) || array_agg(k2::text), NULL::text[],
  string_agg(substring(int8send(coalesce(hashtextextended((ROW(n2::text, n3::text, n4::text, n1::text)::text) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM backfill_inserted HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes),
backfill_image_1 AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $5::text, $6::bigint, $7::bigint, 2 * $8::integer + 1, count(*), NULL::bigint[], array_agg(k1::text) || array_agg(k2::text), CASE WHEN count(*) FILTER (WHERE num_nonnulls(o1) > 0) > 0 THEN array_agg(o1::text) END,
  string_agg(substring(int8send(coalesce(hashtextextended((n1::text) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM backfill_updated HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes),
backfill_image AS (SELECT bytes FROM backfill_image_0 UNION ALL SELECT bytes FROM backfill_image_1);
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "5" "10" "run-1" '\a' '\x03' '\x00']
backfill_found AS MATERIALIZED (SELECT ("tenant Id") AS backfill_n1, ("ID" * $4::integer) AS backfill_n2, (note) AS backfill_n3 FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" > $2::timestamp with time zone AND "created_at" < $3::timestamp with time zone
ORDER BY "tenant Id", "created_at", "ID" FOR NO KEY UPDATE),
backfill_there AS MATERIALIZED (SELECT backfill_target."tenant Id" AS k1, backfill_target."ID" AS k2, backfill_target."note" AS o1 FROM backfill_found
CROSS JOIN LATERAL (SELECT * FROM "archive"."Old ""Items""" AS backfill_target WHERE backfill_target."tenant Id" = backfill_n1::uuid AND backfill_target."ID" = backfill_n2::bigint OFFSET 0 FOR NO KEY UPDATE) AS backfill_target),
backfill_written AS (INSERT INTO "archive"."Old ""Items""" ("tenant Id", "ID", "note")
SELECT backfill_n1, backfill_n2, backfill_n3
FROM backfill_found WHERE (SELECT backfill.apart(count(*), count(DISTINCT ROW(backfill_n1::uuid, backfill_n2::bigint))) FROM backfill_found)
ON CONFLICT ("tenant Id", "ID") DO UPDATE SET "note" = excluded."note"
WHERE ("Old ""Items"""."tenant Id", "Old ""Items"""."ID") IN (SELECT k1, k2 FROM backfill_there)
  AND ROW("Old ""Items"""."note")::record *<> ROW(excluded."note")::record
RETURNING "Old ""Items"""."tenant Id" AS k1, "Old ""Items"""."ID" AS k2, "Old ""Items"""."note" AS n1, "Old ""Items"""."No" AS n2, "Old ""Items"""."tenant Id" AS n3, "Old ""Items"""."ID" AS n4),
backfill_inserted AS (SELECT * FROM backfill_written WHERE (k1, k2) NOT IN (SELECT k1, k2 FROM backfill_there)),
backfill_updated AS (SELECT * FROM (SELECT *, true AS backfill_a FROM backfill_written) AS a
FULL JOIN (SELECT *, true AS backfill_b FROM backfill_there) AS b USING (k1, k2)
WHERE coalesce(backfill_a AND backfill_b, false)),
backfill_changed AS (SELECT 1 FROM backfill_written UNION ALL SELECT 1 WHERE 0 > backfill.written(
  (SELECT count(*) FROM backfill_inserted), (SELECT count(*) FROM backfill_found) - (SELECT count(*) FROM backfill_there))),
backfill_image_0 AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $5::text, $6::bigint, $7::bigint, 2 * $8::integer + 0, count(*), NULL::bigint[], array_agg(k1::text) || array_agg(k2::text), NULL::text[],
  string_agg(substring(int8send(coalesce(hashtextextended((ROW(n2::text, n3::text, n4::text, n1::text)::text) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM backfill_inserted HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes),
backfill_image_1 AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $5::text, $6::bigint, $7::bigint, 2 * $8::integer + 1, count(*), NULL::bigint[], array_agg(k1::text) || array_agg(k2::text), CASE WHEN count(*) FILTER (WHERE num_nonnulls(o1) > 0) > 0 THEN array_agg(o1::text) END,
  string_agg(substring(int8send(coalesce(hashtextextended((n1::text) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM backfill_updated HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes),
backfill_image AS (SELECT bytes FROM backfill_image_0 UNION ALL SELECT bytes FROM backfill_image_1);
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "2024-02-01 00:00:00+00" "10" "run-1" '\a' '\x03' '\x01']
backfill_found AS MATERIALIZED (SELECT ("tenant Id") AS backfill_n1, ("ID" * $4::integer) AS backfill_n2, (note) AS backfill_n3 FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" <= $3::bigint
ORDER BY "tenant Id", "created_at", "ID" FOR NO KEY UPDATE),
backfill_there AS MATERIALIZED (SELECT backfill_target."tenant Id" AS k1, backfill_target."ID" AS k2, backfill_target."note" AS o1 FROM backfill_found
CROSS JOIN LATERAL (SELECT * FROM "archive"."Old ""Items""" AS backfill_target WHERE backfill_target."tenant Id" = backfill_n1::uuid AND backfill_target."ID" = backfill_n2::bigint OFFSET 0 FOR NO KEY UPDATE) AS backfill_target),
backfill_written AS (INSERT INTO "archive"."Old ""Items""" ("tenant Id", "ID", "note")
SELECT backfill_n1, backfill_n2, backfill_n3
FROM backfill_found WHERE (SELECT backfill.apart(count(*), count(DISTINCT ROW(backfill_n1::uuid, backfill_n2::bigint))) FROM backfill_found)
ON CONFLICT ("tenant Id", "ID") DO UPDATE SET "note" = excluded."note"
WHERE ("Old ""Items"""."tenant Id", "Old ""Items"""."ID") IN (SELECT k1, k2 FROM backfill_there)
  AND ROW("Old ""Items"""."note")::record *<> ROW(excluded."note")::record
RETURNING "Old ""Items"""."tenant Id" AS k1, "Old ""Items"""."ID" AS k2, "Old ""Items"""."note" AS n1, "Old ""Items"""."No" AS n2, "Old ""Items"""."tenant Id" AS n3, "Old ""Items"""."ID" AS n4),
backfill_inserted AS (SELECT * FROM backfill_written WHERE (k1, k2) NOT IN (SELECT k1, k2 FROM backfill_there)),
backfill_updated AS (SELECT * FROM (SELECT *, true AS backfill_a FROM backfill_written) AS a
FULL JOIN (SELECT *, true AS backfill_b FROM backfill_there) AS b USING (k1, k2)
WHERE coalesce(backfill_a AND backfill_b, false)),
backfill_changed AS (SELECT 1 FROM backfill_written UNION ALL SELECT 1 WHERE 0 > backfill.written(
  (SELECT count(*) FROM backfill_inserted), (SELECT count(*) FROM backfill_found) - (SELECT count(*) FROM backfill_there))),
backfill_image_0 AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $5::text, $6::bigint, $7::bigint, 2 * $8::integer + 0, count(*), NULL::bigint[], array_agg(k1::text) || array_agg(k2::text), NULL::text[],
  string_agg(substring(int8send(coalesce(hashtextextended((ROW(n2::text, n3::text, n4::text, n1::text)::text) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM backfill_inserted HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes),
backfill_image_1 AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $5::text, $6::bigint, $7::bigint, 2 * $8::integer + 1, count(*), NULL::bigint[], array_agg(k1::text) || array_agg(k2::text), CASE WHEN count(*) FILTER (WHERE num_nonnulls(o1) > 0) > 0 THEN array_agg(o1::text) END,
  string_agg(substring(int8send(coalesce(hashtextextended((n1::text) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM backfill_updated HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes),
backfill_image AS (SELECT bytes FROM backfill_image_0 UNION ALL SELECT bytes FROM backfill_image_1);
-- ["00000000-0000-0000-0000-000000000001" "2024-02-01 00:00:00+00" "7" "10" "run-1" '\a' '\x03' '\x02']
