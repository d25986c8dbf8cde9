backfill_found AS MATERIALIZED (SELECT "id" AS backfill_k1, "plan" AS backfill_o1, "email" AS backfill_o2 FROM "public"."users"
WHERE "id" = ANY ((SELECT s.ids[$1::bigint + 1:$2::bigint] FROM backfill.stripes AS s WHERE s.run = $3::text AND s.chunk = $4::bigint AND s.part = $5::integer)::bigint[]) AND "id" > $6::bigint AND "id" <= $7::bigint
  AND CASE WHEN seen >= $8::timestamptz - interval '1 day'
  THEN ("plan" COLLATE "C" IS DISTINCT FROM (CASE WHEN seen < $8::timestamptz THEN $9::text ELSE plan END)::character varying(20) COLLATE "C" OR "email" COLLATE "C" IS DISTINCT FROM ('@since' || email)::text COLLATE "C") END
ORDER BY "id" FOR NO KEY UPDATE),
backfill_changed AS (UPDATE "public"."users" SET "plan" = (CASE WHEN seen < $8::timestamptz THEN $9::text ELSE plan END), "email" = ('@since' || email) FROM backfill_found
WHERE "users"."id" = backfill_k1
RETURNING backfill_k1 AS k1, backfill_o1 AS o1, backfill_o2 AS o2, "users"."plan" AS n1, "users"."email" AS n2);
-- ['\x02' '\a' "run-1" '\a' '\x03' "10" "20" "2024-01-01" "old"]
