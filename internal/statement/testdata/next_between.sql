SELECT ARRAY["id"::text], n, ("id" = $4::bigint)::int, ("id" = $5::bigint)::int
FROM (SELECT "id", row_number() OVER (ORDER BY "id") AS n FROM "public"."users" WHERE "id" > $1::bigint ORDER BY "id" LIMIT $2::bigint) AS walked
WHERE "id" <= $3::bigint ORDER BY n DESC LIMIT 1;
-- ["10" 'Ǵ' "20" "10" "20"]
