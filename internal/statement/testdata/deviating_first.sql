BEGIN READ ONLY;
SET LOCAL statement_timeout = '30s';
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';
SET LOCAL search_path = "public";
SET LOCAL enable_seqscan = off;
SELECT "id" FROM (SELECT "id", CASE WHEN seen >= '2024-01-01'::timestamptz - interval '1 day'
  THEN ("plan" COLLATE "C" IS DISTINCT FROM (CASE WHEN seen < '2024-01-01'::timestamptz THEN 'old'::text ELSE plan END)::character varying(20) COLLATE "C" OR "email" COLLATE "C" IS DISTINCT FROM ('@since' || email)::text COLLATE "C") END AS backfill_deviates
FROM "public"."users"
WHERE "id" <= '20'::bigint
  AND "id" NOT IN ('-7'::bigint, '12'::bigint) OFFSET 0) AS backfill_row
WHERE backfill_deviates ORDER BY "id" LIMIT 100;
ROLLBACK;
