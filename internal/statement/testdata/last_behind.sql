SELECT ARRAY["tenant Id"::text, "created_at"::text, "ID"::text] FROM "Sales Dept"."Order ""Items""" WHERE ("tenant Id", "created_at", "ID") > ($1::uuid, $2::timestamp with time zone, $3::bigint) ORDER BY "tenant Id" DESC, "created_at" DESC, "ID" DESC LIMIT 1;
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "5"]
