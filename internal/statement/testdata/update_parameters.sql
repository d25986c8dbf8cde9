UPDATE "public"."users" SET "plan" = (CASE WHEN seen < $3::timestamptz THEN $4::text ELSE plan END), "email" = ('@since' || email)
WHERE "id" > $1::bigint AND "id" <= $2::bigint
  AND CASE WHEN seen >= $3::timestamptz - interval '1 day'
  THEN ROW("plan", "email")::record *<> ROW((CASE WHEN seen < $3::timestamptz THEN $4::text ELSE plan END)::character varying(20), ('@since' || email)::text)::record END;
-- ["10" "20" "2024-01-01" "old"]
