backfill_seen AS MATERIALIZED (SELECT count(backfill_deviates) AS fitting, count(*) FILTER (WHERE backfill_deviates) AS deviating,
  coalesce(sum(coalesce(hashtextextended((backfill_o1) COLLATE "C", backfill_k1::bigint), hashint8extended(backfill_k1::bigint, 0))) FILTER (WHERE backfill_deviates IS NOT NULL), 0) AS digest, ARRAY[count(*) FILTER (WHERE backfill_o1 IS NULL)]::bigint[] AS nulls
FROM (SELECT "id" AS backfill_k1, "email_normalized" AS backfill_o1, CASE WHEN email IS NOT NULL
  THEN "email_normalized" COLLATE "C" IS DISTINCT FROM (lower(btrim(email)))::text COLLATE "C" END AS backfill_deviates
FROM "public"."users"
WHERE "id" > $1::bigint AND "id" <= $2::bigint OFFSET 0) AS backfill_row),
backfill_looked AS MATERIALIZED (SELECT * FROM backfill_seen);
-- ["10" "20"]
