SELECT ARRAY[backfill_k1::text]::text[], ARRAY[left(backfill_o1::text, 201), left(backfill_o2::text, 201), left(backfill_o3::text, 201), left(backfill_o4::text, 201)]::text[], ARRAY[]::text[], coalesce(backfill_differs, false), ARRAY[]::boolean[]
FROM (SELECT "id" AS backfill_k1, "email" AS backfill_o1, "email_normalized" AS backfill_o2, "plan" AS backfill_o3, "seen" AS backfill_o4, (true) AS backfill_differs FROM "public"."users"
WHERE "id" <= $1::bigint
  AND CASE WHEN seen < now() - $2::interval THEN true END
ORDER BY "id" LIMIT $3::bigint) AS backfill_row;
-- ["20" "90 days" '\x01']
