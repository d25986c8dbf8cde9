BEGIN READ ONLY;
SET LOCAL statement_timeout = '30s';
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';
SET LOCAL search_path = "Sales Dept", "public";
SET LOCAL enable_seqscan = off;
SELECT "tenant Id", "created_at", "ID" FROM (SELECT "tenant Id", "created_at", "ID", CASE WHEN note = E'{"a": "it''s\\\\"}'::jsonb
  THEN "n" IS DISTINCT FROM (n + 1)::integer END AS backfill_deviates
FROM "Sales Dept"."Order ""Items"""
WHERE ("tenant Id", "created_at", "ID") > ('00000000-0000-0000-0000-000000000001'::uuid, '2024-01-01 00:00:00+00'::timestamp with time zone, '5'::bigint) AND ("tenant Id", "created_at", "ID") <= ('00000000-0000-0000-0000-000000000002'::uuid, '2024-02-01 00:00:00+00'::timestamp with time zone, '7'::bigint)
  AND ("tenant Id", "created_at", "ID") NOT IN (('00000000-0000-0000-0000-000000000001'::uuid, '2024-01-01 00:00:00+00'::timestamp with time zone, '5'::bigint), ('00000000-0000-0000-0000-000000000002'::uuid, '2024-02-01 00:00:00+00'::timestamp with time zone, '7'::bigint)) OFFSET 0) AS backfill_row
WHERE backfill_deviates ORDER BY "tenant Id", "created_at", "ID" LIMIT 100;
ROLLBACK;
