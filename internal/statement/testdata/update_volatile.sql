UPDATE "public"."users" SET "email" = (gen_random_uuid()::text)
WHERE "id" > $1::bigint AND "id" <= $2::bigint;
-- ["10" "20"]
