DELETE FROM "public"."users"
WHERE "id" > $1::bigint AND "id" <= $2::bigint
  AND CASE WHEN seen < $3::timestamptz THEN true END;
-- ["10" "20" "2024-01-01"]
