BEGIN READ ONLY;
SET LOCAL statement_timeout = '30s';
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';
SET LOCAL search_path = "Sales Dept", "public";
SELECT "tenant Id", "created_at", "ID" FROM (SELECT "tenant Id", "created_at", "ID" FROM "Sales Dept"."Order ""Items"""
WHERE ("tenant Id", "created_at", "ID") <= ('00000000-0000-0000-0000-000000000002'::uuid, '2024-02-01 00:00:00+00'::timestamp with time zone, '7'::bigint)
  AND (n < 0) LIMIT 100) AS backfill_left ORDER BY "tenant Id", "created_at", "ID";
ROLLBACK;
