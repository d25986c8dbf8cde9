SELECT ARRAY[backfill_k1::text]::text[], ARRAY[]::text[], ARRAY[]::text[], coalesce(backfill_differs, false), ARRAY[]::boolean[]
FROM (SELECT "id" AS backfill_k1, (true) AS backfill_differs FROM "public"."bare"
WHERE "id" <= $1::bigint
  AND CASE WHEN id > 7 THEN true END
ORDER BY "id" LIMIT $2::bigint) AS backfill_row;
-- ["20" '\x01']
