-- All signals in one statement, a row each: name, of what, value, and why there is none; '' there: this role may not read it.
-- Works on Postgres 13 to 18. Row locks are read from pg_locks, which shows all sessions to everybody.
WITH sight AS (
    SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS whole
), sessions AS (
    SELECT pid, datname, state, wait_event_type, backend_type, xact_start, coalesce(backend_xmin, backend_xid) IS NOT NULL AS pins, application_name LIKE 'backfill %' AS ours
    FROM pg_catalog.pg_stat_activity
), locks AS MATERIALIZED (
    SELECT pid, granted, locktype, transactionid, relation, page, tuple
    FROM pg_catalog.pg_locks WHERE locktype IN ('transactionid', 'tuple')
), waiting AS (
    SELECT w.pid, coalesce(bool_or(h.pid IN (SELECT pid FROM sessions WHERE ours)), false) AS for_us
    FROM locks w LEFT JOIN locks h ON h.granted AND h.pid <> w.pid AND h.locktype = w.locktype
        AND (h.transactionid = w.transactionid OR (h.relation, h.page, h.tuple) = (w.relation, w.page, w.tuple))
    WHERE NOT w.granted AND w.pid IN (SELECT pid FROM sessions WHERE NOT ours AND datname = pg_catalog.current_database())
    GROUP BY w.pid
), clients AS (
    SELECT count(*) FILTER (WHERE state = 'active' AND pid <> pg_catalog.pg_backend_pid()) AS active,
        count(*) FILTER (WHERE state = 'active' AND wait_event_type = 'IO') AS io,
        count(*) FILTER (WHERE state = 'active' AND wait_event_type = 'LWLock') AS lwlock,
        max(extract(epoch FROM clock_timestamp() - xact_start)) FILTER (WHERE pins AND datname = pg_catalog.current_database()) AS oldest
    FROM sessions WHERE backend_type = 'client backend'
), here AS (
    SELECT pg_catalog.pg_current_wal_lsn() AS lsn, pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0') AS position,
        pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')) AS segment
), slots AS ( -- a lost one keeps no WAL, and nobody can read it again
    SELECT slot_name, slot_type, active_pid, CASE slot_type WHEN 'logical' THEN confirmed_flush_lsn ELSE restart_lsn END AS taken
    FROM pg_catalog.pg_replication_slots WHERE wal_status IS DISTINCT FROM 'lost'
), replicas AS ( -- and subscribers; what copies WAL alone replays nothing. Several may have one name
    SELECT pid, pg_catalog.pg_wal_lsn_diff(lsn, replay_lsn) AS bytes, extract(epoch FROM replay_lag) AS seconds,
        application_name || CASE row_number() OVER same WHEN 1 THEN '' ELSE ' ' || row_number() OVER same END AS name
    FROM pg_catalog.pg_stat_replication, sight, here
    WHERE coalesce(state, 'streaming') IN ('streaming', 'catchup') AND (replay_lsn IS NOT NULL OR NOT whole)
    WINDOW same AS (PARTITION BY application_name ORDER BY backend_start, pid)
), archiver AS (
    SELECT coalesce(last_archived_wal, last_failed_wal) AS wal, (last_archived_wal IS NOT NULL)::int AS archived
    FROM pg_catalog.pg_stat_archiver WHERE pg_catalog.current_setting('archive_mode') <> 'off'
)
SELECT 'lock_waiters', '', count(*)::float8, '' FROM waiting
UNION ALL SELECT 'waiting_for_backfill', '', count(*) FILTER (WHERE for_us), '' FROM waiting
UNION ALL SELECT 'active_sessions', '', CASE WHEN whole THEN 100.0 * active / pg_catalog.current_setting('max_connections')::int END, '' FROM clients, sight
UNION ALL SELECT 'running_sessions', '', CASE WHEN whole THEN (SELECT count(*) FROM sessions WHERE state = 'active' AND wait_event_type IS NULL
        AND NOT ours AND pid <> pg_catalog.pg_backend_pid() AND backend_type IN ('client backend', 'parallel worker')) END, '' FROM sight
UNION ALL SELECT 'io_waits', '', CASE WHEN whole THEN io END, '' FROM clients, sight
UNION ALL SELECT 'lwlock_waits', '', CASE WHEN whole THEN lwlock END, '' FROM clients, sight
-- A subscriber's bytes are those of its slot.
UNION ALL SELECT 'replica_lag_bytes', name, CASE WHEN bytes < 0 THEN 0 ELSE bytes END, '' FROM replicas r
    WHERE NOT EXISTS (SELECT FROM slots WHERE slot_type = 'logical' AND active_pid = r.pid)
-- Postgres keeps the last replay_lag for some 10 s after all was replayed; and it has none of a standby that has just come.
UNION ALL SELECT 'replica_lag_seconds', name, CASE WHEN bytes <= 0 THEN 0 WHEN seconds IS NULL AND bytes <= segment THEN 0 ELSE seconds END,
        CASE WHEN whole THEN 'it has not told yet' ELSE '' END FROM replicas, here, sight
-- A standby that is there tells its lag by itself.
UNION ALL SELECT 'slot_lag_bytes', slot_name, greatest(pg_catalog.pg_wal_lsn_diff(lsn, taken), 0), '' FROM slots, here
    WHERE taken IS NOT NULL AND (slot_type = 'logical' OR NOT coalesce(active_pid IN (SELECT pid FROM replicas), false))
UNION ALL SELECT 'wal', '', position, '' FROM here
-- Segments go in their order, so one that fails is the oldest that waits. Other files have no position.
UNION ALL SELECT 'unarchived_wal_bytes', '', CASE WHEN wal ~ '^[0-9A-F]{24}$' THEN greatest(0, position - segment * (archived
        + ('x' || substr(wal, 9, 8))::bit(32)::bigint * (4294967296 / segment)
        + ('x' || substr(wal, 17, 8))::bit(32)::bigint)) END,
        CASE WHEN wal IS NULL THEN 'nothing was archived since statistics began' ELSE 'no segment was archived last' END
    FROM archiver, here
UNION ALL SELECT 'oldest_snapshot_seconds', '', CASE WHEN whole THEN greatest(oldest, 0, (SELECT max(extract(epoch FROM clock_timestamp() - prepared))
        FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database())) END, '' FROM clients, sight
UNION ALL SELECT 'autovacuum_on_table', '', CASE WHEN whole THEN (SELECT count(*) FROM pg_catalog.pg_stat_progress_vacuum v
        WHERE v.datname = pg_catalog.current_database() AND EXISTS (SELECT FROM backfill.runs r WHERE r.ended_at IS NULL
            AND (pg_catalog.to_regclass(r.target) = v.relid OR pg_catalog.to_regclass(r.target) IN (SELECT pg_catalog.pg_partition_ancestors(v.relid))))) END, '' FROM sight
UNION ALL SELECT 'transaction_id_age', '', max(age(datfrozenxid)), '' FROM pg_catalog.pg_database
