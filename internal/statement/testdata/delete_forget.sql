backfill_changed AS (DELETE FROM "public"."users"
WHERE "id" <= $1::bigint
  AND CASE WHEN seen < now() - $2::interval THEN true END
RETURNING 1);
-- ["20" "90 days"]
