SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = $1::text::regclass AND attname = $2::text AND attnotnull)
  AND NOT EXISTS (SELECT FROM "Sales Dept"."Order ""Items""" WHERE ("tenant Id", "created_at", "ID") > ($3::uuid, $4::timestamp with time zone, $5::bigint) AND "n" IS NULL);
-- ["\"Sales Dept\".\"Order \"\"Items\"\"\"" "n" "00000000-0000-0000-0000-000000000002" "2024-02-01 00:00:00+00" "7"]
