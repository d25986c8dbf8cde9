SELECT ARRAY[backfill_k1::text]::text[], ARRAY[left(backfill_o1::text, 201)]::text[], ARRAY[left(backfill_n1::text::text, 201)]::text[], coalesce(backfill_differs, false), ARRAY[false]::boolean[]
FROM (SELECT "id" AS backfill_k1, "email_normalized" AS backfill_o1, (lower(btrim(email))) AS backfill_n1, ("email_normalized" COLLATE "C" IS DISTINCT FROM (lower(btrim(email)))::text COLLATE "C") AS backfill_differs FROM "public"."users"
WHERE "id" > $1::bigint AND "id" <= $2::bigint
  AND CASE WHEN email IS NOT NULL THEN true END
ORDER BY "id" LIMIT $3::bigint) AS backfill_row;
-- ["10" "20" '\x01']
