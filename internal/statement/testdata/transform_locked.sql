backfill_given AS MATERIALIZED (SELECT backfill_k1::uuid AS backfill_k1, backfill_k2::timestamp with time zone AS backfill_k2, backfill_k3::bigint AS backfill_k3, backfill_x::xid AS backfill_x, backfill_t::tid AS backfill_t, backfill_n1::integer AS backfill_n1, backfill_n2::jsonb AS backfill_n2
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) AS backfill_list (backfill_k1, backfill_k2, backfill_k3, backfill_x, backfill_t, backfill_n1, backfill_n2)),
backfill_found AS MATERIALIZED (SELECT backfill_given.*, "Order ""Items""".xmin = backfill_x AS backfill_fresh, "Order ""Items"""."n" AS backfill_o1, "Order ""Items"""."note" AS backfill_o2
FROM backfill_given, "Sales Dept"."Order ""Items"""
WHERE "Order ""Items"""."tenant Id" = backfill_k1 AND "Order ""Items"""."created_at" = backfill_k2 AND "Order ""Items"""."ID" = backfill_k3 AND CASE WHEN true THEN NOT ("Order ""Items""".xmin = backfill_x) OR ("Order ""Items"""."n" IS DISTINCT FROM backfill_n1 OR ROW("Order ""Items"""."note")::record *<> ROW(backfill_n2)::record) END
ORDER BY backfill_k1, backfill_k2, backfill_k3 FOR NO KEY UPDATE OF "Order ""Items"""),
backfill_changed AS (UPDATE "Sales Dept"."Order ""Items""" SET "n" = backfill_n1, "note" = backfill_n2 FROM backfill_found
WHERE "Order ""Items"""."tenant Id" = backfill_k1 AND "Order ""Items"""."created_at" = backfill_k2 AND "Order ""Items"""."ID" = backfill_k3 AND backfill_fresh
RETURNING backfill_k1 AS k1, backfill_k2 AS k2, backfill_k3 AS k3, backfill_o1 AS o1, backfill_o2 AS o2, "Order ""Items"""."n" AS n1, "Order ""Items"""."note" AS n2),
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $8::text, $9::bigint, $10::bigint, $11::integer, count(*), NULL::bigint[], array_agg(k1::text) || array_agg(k2::text) || array_agg(k3::text), CASE WHEN count(*) FILTER (WHERE num_nonnulls(o1, o2) > 0) > 0 THEN array_agg(o1::text) || array_agg(o2::text) END,
  string_agg(substring(int8send(coalesce(hashtextextended((ROW(n1::text, n2::text)::text) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM backfill_changed HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes);
-- [["00000000-0000-0000-0000-000000000001" "00000000-0000-0000-0000-000000000002"] ["2024-01-01 00:00:00+00" "2024-02-01 00:00:00+00"] ["5" "7"] ["731" "732"] ["(0,1)" "(0,2)"] ["true" "true"] ["false" "false"] "run-1" '\a' '\x03' '\x00']
