SELECT count(*), count(*) FILTER (WHERE n < 0 AND note IS NULL), count(*) FILTER (WHERE CASE WHEN n < 0 AND note IS NULL
  THEN "n" IS DISTINCT FROM (n + 1)::integer END)
FROM "Sales Dept"."Order ""Items""" WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" > $3::bigint;
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "5"]
SELECT count(*), count(*) FILTER (WHERE n < 0 AND note IS NULL), count(*) FILTER (WHERE CASE WHEN n < 0 AND note IS NULL
  THEN "n" IS DISTINCT FROM (n + 1)::integer END)
FROM "Sales Dept"."Order ""Items""" WHERE "tenant Id" = $1::uuid AND "created_at" > $2::timestamp with time zone AND "created_at" < $3::timestamp with time zone;
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "2024-02-01 00:00:00+00"]
SELECT count(*), count(*) FILTER (WHERE n < 0 AND note IS NULL), count(*) FILTER (WHERE CASE WHEN n < 0 AND note IS NULL
  THEN "n" IS DISTINCT FROM (n + 1)::integer END)
FROM "Sales Dept"."Order ""Items""" WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" <= $3::bigint;
-- ["00000000-0000-0000-0000-000000000001" "2024-02-01 00:00:00+00" "7"]
