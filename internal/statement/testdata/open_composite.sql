INSERT INTO backfill.stripes (run, chunk, part, rows, ids, keys, reached)
SELECT $3::text, $4::bigint, part, count(*), NULL::bigint[], array_agg(k1::text) || array_agg(k2::text) || array_agg(k3::text), CASE WHEN part = max(part) OVER () THEN
  CASE WHEN sum(count(*)) OVER () < $1::bigint THEN $5::text[] ELSE (SELECT ARRAY[k1::text, k2::text, k3::text] FROM (SELECT "tenant Id" AS k1, "created_at" AS k2, "ID" AS k3 FROM "Sales Dept"."Order ""Items""" ORDER BY "tenant Id", "created_at", "ID" OFFSET $1::bigint - 1 LIMIT 1) AS backfill_last) END END
FROM (SELECT *, n % $2::bigint * $6::bigint + n * $7::bigint / $1::bigint AS part FROM (SELECT *, row_number() OVER (ORDER BY k1, k2, k3) - 1 AS n
  FROM (SELECT "tenant Id" AS k1, "created_at" AS k2, "ID" AS k3 FROM "Sales Dept"."Order ""Items""" ORDER BY "tenant Id", "created_at", "ID" LIMIT $1::bigint) AS backfill_walked WHERE (k1, k2, k3) <= ($8::uuid, $9::timestamp with time zone, $10::bigint)) AS numbered) AS placed
GROUP BY part;
-- ['𘚠' '\x10' "run-1" '\a' ["00000000-0000-0000-0000-000000000002" "2024-02-01 00:00:00+00" "7"] '\x04' '\x04' "00000000-0000-0000-0000-000000000002" "2024-02-01 00:00:00+00" "7"]
