DECLARE "walk" NO SCROLL CURSOR FOR SELECT ARRAY["id"::text] FROM "public"."users" WHERE "id" <= $1::bigint ORDER BY "id";
-- ["20"]
