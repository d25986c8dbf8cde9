SELECT ARRAY["id"::text], n, 0, ("id" = $3::bigint)::int
FROM (SELECT "id", row_number() OVER (ORDER BY "id") AS n FROM "public"."users" ORDER BY "id" LIMIT $1::bigint) AS walked
WHERE "id" <= $2::bigint ORDER BY n DESC LIMIT 1;
-- ['Ǵ' "20" "20"]
