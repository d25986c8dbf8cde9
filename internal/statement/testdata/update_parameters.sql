UPDATE "public"."users" SET "plan" = (CASE WHEN seen < $3::timestamptz THEN $4::text ELSE plan END), "email" = ('@since' || email)
WHERE "id" > $1::bigint AND "id" <= $2::bigint
  AND CASE WHEN seen >= $3::timestamptz - interval '1 day'
  THEN ("plan" COLLATE "C" IS DISTINCT FROM (CASE WHEN seen < $3::timestamptz THEN $4::text ELSE plan END)::character varying(20) COLLATE "C" OR "email" COLLATE "C" IS DISTINCT FROM ('@since' || email)::text COLLATE "C") END;
-- ["10" "20" "2024-01-01" "old"]
