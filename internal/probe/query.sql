-- All signals in one statement, a row each: name, of what, value. A value that is null may not be read by this role.
-- Works on Postgres 13 to 18. Row locks are read from pg_locks, which shows all sessions to everybody.
WITH sight AS (
    SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS whole
), sessions AS (
    SELECT pid, datname, state, wait_event_type, backend_type, xact_start, backend_xmin, application_name LIKE 'backfill %' AS ours
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
        max(extract(epoch FROM clock_timestamp() - xact_start)) FILTER (WHERE backend_xmin IS NOT NULL) AS oldest
    FROM sessions WHERE backend_type = 'client backend'
), here AS (
    SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0') AS position,
        pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')) AS segment
)
SELECT 'lock_waiters', '', count(*)::float8 FROM waiting
UNION ALL SELECT 'waiting_for_backfill', '', count(*) FILTER (WHERE for_us) FROM waiting
UNION ALL SELECT 'active_sessions', '', CASE WHEN whole THEN 100.0 * active / pg_catalog.current_setting('max_connections')::int END FROM clients, sight
UNION ALL SELECT 'running_sessions', '', CASE WHEN whole THEN (SELECT count(*) FROM sessions WHERE state = 'active' AND wait_event_type IS NULL
        AND NOT ours AND pid <> pg_catalog.pg_backend_pid() AND backend_type IN ('client backend', 'parallel worker')) END FROM sight
UNION ALL SELECT 'io_waits', '', CASE WHEN whole THEN io END FROM clients, sight
UNION ALL SELECT 'lwlock_waits', '', CASE WHEN whole THEN lwlock END FROM clients, sight
UNION ALL SELECT 'replica_lag_bytes', application_name, pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), replay_lsn)
    FROM pg_catalog.pg_stat_replication, sight WHERE coalesce(state, 'streaming') IN ('streaming', 'catchup') AND (replay_lsn IS NOT NULL OR NOT whole)
UNION ALL SELECT 'replica_lag_seconds', application_name, CASE WHEN whole THEN coalesce(extract(epoch FROM replay_lag), 0) END
    FROM pg_catalog.pg_stat_replication, sight WHERE coalesce(state, 'streaming') IN ('streaming', 'catchup') AND (replay_lsn IS NOT NULL OR NOT whole)
UNION ALL SELECT 'slot_lag_bytes', slot_name, pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), confirmed_flush_lsn)
    FROM pg_catalog.pg_replication_slots WHERE slot_type = 'logical' AND confirmed_flush_lsn IS NOT NULL
UNION ALL SELECT 'wal', '', position FROM here
UNION ALL SELECT 'unarchived_wal_bytes', '', greatest(0, position - segment * (1
        + ('x' || substr(last_archived_wal, 9, 8))::bit(32)::bigint * (4294967296 / segment)
        + ('x' || substr(last_archived_wal, 17, 8))::bit(32)::bigint))
    FROM pg_catalog.pg_stat_archiver, here
    WHERE pg_catalog.current_setting('archive_mode') <> 'off' AND last_archived_wal ~ '^[0-9A-F]{24}$'
UNION ALL SELECT 'oldest_snapshot_seconds', '', CASE WHEN whole THEN greatest(oldest, 0,
        (SELECT max(extract(epoch FROM clock_timestamp() - prepared)) FROM pg_catalog.pg_prepared_xacts)) END FROM clients, sight
UNION ALL SELECT 'autovacuum_on_table', '', CASE WHEN whole THEN (SELECT count(*) FROM pg_catalog.pg_stat_progress_vacuum v
        JOIN backfill.runs r ON pg_catalog.to_regclass(r.target) = v.relid
        WHERE r.ended_at IS NULL AND v.datname = pg_catalog.current_database()) END FROM sight
UNION ALL SELECT 'transaction_id_age', '', max(age(datfrozenxid)) FROM pg_catalog.pg_database
