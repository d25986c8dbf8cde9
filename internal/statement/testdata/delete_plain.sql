DELETE FROM "public"."users"
WHERE "id" > $1::bigint AND "id" <= $2::bigint
  AND CASE WHEN seen < now() - $3::interval THEN true END;
-- ["10" "20" "90 days"]
