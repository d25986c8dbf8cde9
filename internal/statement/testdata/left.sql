SELECT EXISTS (SELECT FROM "public"."users" WHERE "id" <= $1::bigint AND (seen < now() - $2::interval));
-- ["20" "90 days"]
