SELECT ARRAY["tenant Id"::text, "created_at"::text, "ID"::text] FROM "Sales Dept"."Order ""Items""" ORDER BY "tenant Id" DESC, "created_at" DESC, "ID" DESC LIMIT 1;
-- []
