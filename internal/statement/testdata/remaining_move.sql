BEGIN READ ONLY;
SET LOCAL statement_timeout = '30s';
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';
SET LOCAL search_path = "public";
SELECT "id" FROM (SELECT "id" FROM "public"."users"
WHERE "id" <= '20'::bigint
  AND (seen < '2024-01-01'::timestamptz) LIMIT 100) AS backfill_left ORDER BY "id";
ROLLBACK;
