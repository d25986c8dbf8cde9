SELECT count(*), count(*) FILTER (WHERE seen >= $2::timestamptz - interval '1 day'), count(*) FILTER (WHERE CASE WHEN seen >= $2::timestamptz - interval '1 day'
  THEN ("plan" COLLATE "C" IS DISTINCT FROM (CASE WHEN seen < $2::timestamptz THEN $3::text ELSE plan END)::character varying(20) COLLATE "C" OR "email" COLLATE "C" IS DISTINCT FROM ('@since' || email)::text COLLATE "C") END)
FROM "public"."users" WHERE "id" <= $1::bigint;
-- ["20" "2024-01-01" "old"]
