backfill_found AS MATERIALIZED (SELECT * FROM (SELECT "Order ""Items""".ctid AS backfill_ctid, "Order ""Items""".xmin AS backfill_xmin, "Order ""Items"""."tenant Id" AS backfill_k1, "Order ""Items"""."created_at" AS backfill_k2, "Order ""Items"""."ID" AS backfill_k3, "Order ""Items"""."n" AS backfill_o1, (length(u.email) + b.id::int) AS backfill_n1, count(*) OVER (PARTITION BY "Order ""Items""".tableoid, "Order ""Items""".ctid) AS backfill_pairs FROM "Sales Dept"."Order ""Items""" LEFT JOIN ("public"."users" AS "u" CROSS JOIN "public"."bare" AS "b") ON (u.id = n AND b.id = u.id)
WHERE "Order ""Items"""."tenant Id" = $1::uuid AND "Order ""Items"""."created_at" = $2::timestamp with time zone AND "Order ""Items"""."ID" > $3::bigint OFFSET 0) AS backfill_read
WHERE backfill_pairs > 1 OR backfill_o1 IS DISTINCT FROM backfill_n1::integer),
backfill_changed AS (UPDATE "Sales Dept"."Order ""Items""" SET "n" = backfill_found.backfill_n1 FROM backfill_found
WHERE "Order ""Items"""."tenant Id" = $1::uuid AND "Order ""Items"""."created_at" = $2::timestamp with time zone AND "Order ""Items"""."ID" > $3::bigint
  AND "Order ""Items"""."tenant Id" = backfill_k1 AND "Order ""Items"""."created_at" = backfill_k2 AND "Order ""Items"""."ID" = backfill_k3 AND "Order ""Items""".xmin = backfill_xmin
RETURNING 1);
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "5"]
backfill_found AS MATERIALIZED (SELECT * FROM (SELECT "Order ""Items""".ctid AS backfill_ctid, "Order ""Items""".xmin AS backfill_xmin, "Order ""Items"""."tenant Id" AS backfill_k1, "Order ""Items"""."created_at" AS backfill_k2, "Order ""Items"""."ID" AS backfill_k3, "Order ""Items"""."n" AS backfill_o1, (length(u.email) + b.id::int) AS backfill_n1, count(*) OVER (PARTITION BY "Order ""Items""".tableoid, "Order ""Items""".ctid) AS backfill_pairs FROM "Sales Dept"."Order ""Items""" LEFT JOIN ("public"."users" AS "u" CROSS JOIN "public"."bare" AS "b") ON (u.id = n AND b.id = u.id)
WHERE "Order ""Items"""."tenant Id" = $1::uuid AND "Order ""Items"""."created_at" > $2::timestamp with time zone AND "Order ""Items"""."created_at" < $3::timestamp with time zone OFFSET 0) AS backfill_read
WHERE backfill_pairs > 1 OR backfill_o1 IS DISTINCT FROM backfill_n1::integer),
backfill_changed AS (UPDATE "Sales Dept"."Order ""Items""" SET "n" = backfill_found.backfill_n1 FROM backfill_found
WHERE "Order ""Items"""."tenant Id" = $1::uuid AND "Order ""Items"""."created_at" > $2::timestamp with time zone AND "Order ""Items"""."created_at" < $3::timestamp with time zone
  AND "Order ""Items"""."tenant Id" = backfill_k1 AND "Order ""Items"""."created_at" = backfill_k2 AND "Order ""Items"""."ID" = backfill_k3 AND "Order ""Items""".xmin = backfill_xmin
RETURNING 1);
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "2024-02-01 00:00:00+00"]
backfill_found AS MATERIALIZED (SELECT * FROM (SELECT "Order ""Items""".ctid AS backfill_ctid, "Order ""Items""".xmin AS backfill_xmin, "Order ""Items"""."tenant Id" AS backfill_k1, "Order ""Items"""."created_at" AS backfill_k2, "Order ""Items"""."ID" AS backfill_k3, "Order ""Items"""."n" AS backfill_o1, (length(u.email) + b.id::int) AS backfill_n1, count(*) OVER (PARTITION BY "Order ""Items""".tableoid, "Order ""Items""".ctid) AS backfill_pairs FROM "Sales Dept"."Order ""Items""" LEFT JOIN ("public"."users" AS "u" CROSS JOIN "public"."bare" AS "b") ON (u.id = n AND b.id = u.id)
WHERE "Order ""Items"""."tenant Id" = $1::uuid AND "Order ""Items"""."created_at" = $2::timestamp with time zone AND "Order ""Items"""."ID" <= $3::bigint OFFSET 0) AS backfill_read
WHERE backfill_pairs > 1 OR backfill_o1 IS DISTINCT FROM backfill_n1::integer),
backfill_changed AS (UPDATE "Sales Dept"."Order ""Items""" SET "n" = backfill_found.backfill_n1 FROM backfill_found
WHERE "Order ""Items"""."tenant Id" = $1::uuid AND "Order ""Items"""."created_at" = $2::timestamp with time zone AND "Order ""Items"""."ID" <= $3::bigint
  AND "Order ""Items"""."tenant Id" = backfill_k1 AND "Order ""Items"""."created_at" = backfill_k2 AND "Order ""Items"""."ID" = backfill_k3 AND "Order ""Items""".xmin = backfill_xmin
RETURNING 1);
-- ["00000000-0000-0000-0000-000000000001" "2024-02-01 00:00:00+00" "7"]
