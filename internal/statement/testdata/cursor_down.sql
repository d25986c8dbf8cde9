DECLARE "walk" NO SCROLL CURSOR FOR SELECT "id" FROM "public"."users" WHERE "id" <= $1::bigint ORDER BY "id" DESC;
-- ["20"]
