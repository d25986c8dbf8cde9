SELECT ARRAY[backfill_k1::text]::text[], ARRAY[left(backfill_o1::text, 201), left(backfill_o2::text, 201)]::text[], ARRAY[left(backfill_n1::character varying(20)::text, 201), left(backfill_n2::text::text, 201)]::text[], coalesce(backfill_differs, false), ARRAY[coalesce(length(backfill_n1::varchar) > length(backfill_n1::character varying(20)), false), false]::boolean[]
FROM (SELECT "id" AS backfill_k1, "plan" AS backfill_o1, "email" AS backfill_o2, (CASE WHEN seen < $2::timestamptz THEN $3::text ELSE plan END) AS backfill_n1, ('@since' || email) AS backfill_n2, (("plan" COLLATE "C" IS DISTINCT FROM (CASE WHEN seen < $2::timestamptz THEN $3::text ELSE plan END)::character varying(20) COLLATE "C" OR "email" COLLATE "C" IS DISTINCT FROM ('@since' || email)::text COLLATE "C")) AS backfill_differs FROM "public"."users"
WHERE "id" <= $1::bigint
  AND CASE WHEN seen >= $2::timestamptz - interval '1 day' THEN true END
ORDER BY "id" LIMIT $4::bigint) AS backfill_row;
-- ["20" "2024-01-01" "old" '\x01']
