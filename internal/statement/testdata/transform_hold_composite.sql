SELECT count(*) FROM (SELECT FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS backfill_list (backfill_k1, backfill_k2, backfill_k3, backfill_n), "Sales Dept"."Order ""Items"""
WHERE "Order ""Items"""."tenant Id" = backfill_k1::uuid AND "Order ""Items"""."created_at" = backfill_k2::timestamp with time zone AND "Order ""Items"""."ID" = backfill_k3::bigint ORDER BY backfill_n FOR NO KEY UPDATE OF "Order ""Items""") AS backfill_held;
-- [["00000000-0000-0000-0000-000000000001" "00000000-0000-0000-0000-000000000002"] ["2024-01-01 00:00:00+00" "2024-02-01 00:00:00+00"] ["5" "7"]]
