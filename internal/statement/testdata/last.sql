SELECT ARRAY["id"::text] FROM "public"."users" ORDER BY "id" DESC LIMIT 1;
-- []
