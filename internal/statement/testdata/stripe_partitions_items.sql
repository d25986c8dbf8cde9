backfill_changed AS (UPDATE "Sales Dept"."Order ""Items""" SET "n" = (n + 1)
WHERE ("tenant Id", "created_at", "ID") IN (SELECT k1::uuid, k2::timestamp with time zone, k3::bigint FROM (SELECT s.* FROM backfill.stripes AS s WHERE s.run = $3::text AND s.chunk = $4::bigint AND s.part = $5::integer) AS s, unnest(s.keys[0 * s.rows + 1 + $1::bigint:0 * s.rows + $2::bigint], s.keys[1 * s.rows + 1 + $1::bigint:1 * s.rows + $2::bigint], s.keys[2 * s.rows + 1 + $1::bigint:2 * s.rows + $2::bigint]) AS e (k1, k2, k3))
  AND "n" IS DISTINCT FROM (n + 1)::integer
RETURNING 1);
-- ['\x02' '\a' "run-1" '\a' '\x03']
