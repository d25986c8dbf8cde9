-- What a database has, beside the rights of the role: one row. It reads catalogs and settings alone, and works on a standby, too.
SELECT version.number AS version, pg_catalog.current_setting('server_version') AS release, pg_catalog.current_database()::text AS database,
    pg_catalog.pg_is_in_recovery() AS standby, pg_catalog.current_setting('default_transaction_read_only') = 'on' AS readonly,
    pg_catalog.current_setting('server_encoding') AS encoding, pg_catalog.current_setting('standard_conforming_strings') = 'on' AS strings,
    pg_catalog.current_setting('wal_level') AS wal, pg_catalog.current_setting('autovacuum') = 'on' AS autovacuum,
    coalesce((SELECT 'lz4' = ANY (enumvals) FROM pg_catalog.pg_settings WHERE name = 'default_toast_compression'), false) AS lz4,
    ARRAY(SELECT name || ' = ' || setting || ' ms' FROM pg_catalog.pg_settings
        WHERE CASE WHEN name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout') THEN setting::bigint BETWEEN 1 AND 59999 END
        ORDER BY name) AS timeouts,
    ARRAY(SELECT pg_catalog.quote_literal(gid) FROM pg_catalog.pg_prepared_xacts
        WHERE database = pg_catalog.current_database() AND prepared < pg_catalog.now() - interval '1 minute' ORDER BY prepared LIMIT 5) AS prepared,
    CASE WHEN pg_catalog.pg_is_in_recovery() THEN '{}' ELSE ARRAY(SELECT pg_catalog.quote_literal(slot_name) || ' (' || pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn)) || ')'
        FROM pg_catalog.pg_replication_slots WHERE NOT active AND restart_lsn IS NOT NULL ORDER BY restart_lsn LIMIT 5) END AS slots,
    (SELECT count(*) FROM pg_catalog.pg_replication_slots WHERE slot_type = 'logical' AND database = pg_catalog.current_database()) AS subscribers,
    (SELECT coalesce(max(extract(epoch FROM pg_catalog.clock_timestamp() - xact_start)), 0)::bigint FROM pg_catalog.pg_stat_activity
        WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND coalesce(backend_xmin, backend_xid) IS NOT NULL
            AND backend_type = 'client backend') AS oldest,
    -- Of other sessions a role without pg_read_all_stats sees no more than their number.
    pg_catalog.current_setting('max_connections')::bigint - pg_catalog.current_setting('superuser_reserved_connections')::bigint
        - coalesce(pg_catalog.current_setting('reserved_connections', true)::bigint, 0) AS places,
    (SELECT coalesce(sum(numbackends), 0)::bigint FROM pg_catalog.pg_stat_database) AS taken,
    (SELECT rolconnlimit::bigint FROM pg_catalog.pg_roles WHERE rolname = current_user) AS own, pg_catalog.pg_backend_pid()::bigint AS process
FROM (SELECT pg_catalog.current_setting('server_version_num')::bigint AS number) AS version
