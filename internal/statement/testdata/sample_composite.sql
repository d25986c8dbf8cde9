SELECT ARRAY[backfill_k1::text, backfill_k2::text, backfill_k3::text]::text[], ARRAY[left(backfill_o1::text, 201)]::text[], ARRAY[left(backfill_n1::integer::text, 201)]::text[], coalesce(backfill_differs, false), ARRAY[false]::boolean[]
FROM (SELECT "tenant Id" AS backfill_k1, "created_at" AS backfill_k2, "ID" AS backfill_k3, "n" AS backfill_o1, (n + 1) AS backfill_n1, ("n" IS DISTINCT FROM (n + 1)::integer) AS backfill_differs FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" > $3::bigint
  AND CASE WHEN n < 0 AND note IS NULL THEN true END
ORDER BY "tenant Id", "created_at", "ID" LIMIT $4::bigint) AS backfill_row;
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "5" '\x04']
SELECT ARRAY[backfill_k1::text, backfill_k2::text, backfill_k3::text]::text[], ARRAY[left(backfill_o1::text, 201)]::text[], ARRAY[left(backfill_n1::integer::text, 201)]::text[], coalesce(backfill_differs, false), ARRAY[false]::boolean[]
FROM (SELECT "tenant Id" AS backfill_k1, "created_at" AS backfill_k2, "ID" AS backfill_k3, "n" AS backfill_o1, (n + 1) AS backfill_n1, ("n" IS DISTINCT FROM (n + 1)::integer) AS backfill_differs FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" > $2::timestamp with time zone AND "created_at" < $3::timestamp with time zone
  AND CASE WHEN n < 0 AND note IS NULL THEN true END
ORDER BY "tenant Id", "created_at", "ID" LIMIT $4::bigint) AS backfill_row;
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "2024-02-01 00:00:00+00" '\x04']
SELECT ARRAY[backfill_k1::text, backfill_k2::text, backfill_k3::text]::text[], ARRAY[left(backfill_o1::text, 201)]::text[], ARRAY[left(backfill_n1::integer::text, 201)]::text[], coalesce(backfill_differs, false), ARRAY[false]::boolean[]
FROM (SELECT "tenant Id" AS backfill_k1, "created_at" AS backfill_k2, "ID" AS backfill_k3, "n" AS backfill_o1, (n + 1) AS backfill_n1, ("n" IS DISTINCT FROM (n + 1)::integer) AS backfill_differs FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" <= $3::bigint
  AND CASE WHEN n < 0 AND note IS NULL THEN true END
ORDER BY "tenant Id", "created_at", "ID" LIMIT $4::bigint) AS backfill_row;
-- ["00000000-0000-0000-0000-000000000001" "2024-02-01 00:00:00+00" "7" '\x04']
