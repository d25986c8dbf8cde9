BEGIN READ ONLY;
SET LOCAL statement_timeout = '30s';
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';
SET LOCAL search_path = "public";
SET LOCAL enable_seqscan = off;
SELECT "id" FROM (SELECT "id", CASE WHEN email IS NOT NULL
  THEN "email_normalized" COLLATE "C" IS DISTINCT FROM (lower(btrim(email)))::text COLLATE "C" END AS backfill_deviates
FROM "public"."users"
WHERE "id" > '10'::bigint AND "id" <= '20'::bigint OFFSET 0) AS backfill_row
WHERE backfill_deviates ORDER BY "id" LIMIT 100;
ROLLBACK;
