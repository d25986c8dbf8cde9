backfill_found AS MATERIALIZED (SELECT ("tenant Id") AS backfill_n1, ("ID" * $5::integer) AS backfill_n2, (note) AS backfill_n3, (n) AS backfill_n4 FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" > $3::bigint AND "ID" <= $4::bigint
ORDER BY "tenant Id", "created_at", "ID" FOR NO KEY UPDATE),
backfill_changed AS (INSERT INTO "archive"."Old ""Items""" ("tenant Id", "ID", "note", "No") OVERRIDING SYSTEM VALUE
SELECT backfill_n1, backfill_n2, backfill_n3, backfill_n4
FROM backfill_found
ON CONFLICT DO NOTHING
RETURNING "Old ""Items"""."No" AS k1, "Old ""Items"""."No" AS n1, "Old ""Items"""."tenant Id" AS n2, "Old ""Items"""."ID" AS n3, "Old ""Items"""."note" AS n4),
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $6::text, $7::bigint, $8::bigint, $9::integer, count(*), NULL::bigint[], array_agg(k1::text), NULL::text[],
  string_agg(substring(int8send(coalesce(hashtextextended((ROW(n1::text, n2::text, n3::text, n4::text)::text) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM backfill_changed HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes);
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "5" "7" "10" "run-1" '\a' '\x03' '\x00']
