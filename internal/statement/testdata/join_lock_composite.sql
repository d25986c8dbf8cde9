SELECT count(*) FROM (SELECT FROM "Sales Dept"."Order ""Items""" WHERE "Order ""Items"""."tenant Id" = $1::uuid AND "Order ""Items"""."created_at" = $2::timestamp with time zone AND "Order ""Items"""."ID" > $3::bigint
ORDER BY "Order ""Items"""."tenant Id", "Order ""Items"""."created_at", "Order ""Items"""."ID" FOR NO KEY UPDATE) AS backfill_locked;
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "5"]
SELECT count(*) FROM (SELECT FROM "Sales Dept"."Order ""Items""" WHERE "Order ""Items"""."tenant Id" = $1::uuid AND "Order ""Items"""."created_at" > $2::timestamp with time zone AND "Order ""Items"""."created_at" < $3::timestamp with time zone
ORDER BY "Order ""Items"""."tenant Id", "Order ""Items"""."created_at", "Order ""Items"""."ID" FOR NO KEY UPDATE) AS backfill_locked;
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "2024-02-01 00:00:00+00"]
SELECT count(*) FROM (SELECT FROM "Sales Dept"."Order ""Items""" WHERE "Order ""Items"""."tenant Id" = $1::uuid AND "Order ""Items"""."created_at" = $2::timestamp with time zone AND "Order ""Items"""."ID" <= $3::bigint
ORDER BY "Order ""Items"""."tenant Id", "Order ""Items"""."created_at", "Order ""Items"""."ID" FOR NO KEY UPDATE) AS backfill_locked;
-- ["00000000-0000-0000-0000-000000000001" "2024-02-01 00:00:00+00" "7"]
