UPDATE "Sales Dept"."Order ""Items""" SET "n" = (n + 1)
WHERE "tenant Id" < $1::uuid
  AND "n" IS DISTINCT FROM (n + 1)::integer;
-- ["00000000-0000-0000-0000-000000000002"]
UPDATE "Sales Dept"."Order ""Items""" SET "n" = (n + 1)
WHERE "tenant Id" = $1::uuid AND "created_at" < $2::timestamp with time zone
  AND "n" IS DISTINCT FROM (n + 1)::integer;
-- ["00000000-0000-0000-0000-000000000002" "2024-02-01 00:00:00+00"]
UPDATE "Sales Dept"."Order ""Items""" SET "n" = (n + 1)
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" <= $3::bigint
  AND "n" IS DISTINCT FROM (n + 1)::integer;
-- ["00000000-0000-0000-0000-000000000002" "2024-02-01 00:00:00+00" "7"]
