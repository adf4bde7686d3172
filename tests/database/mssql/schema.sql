BEGIN TRANSACTION;

CREATE TABLE coflows_schema (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT coflows_schema_pkc PRIMARY KEY (version_num)
);

GO

-- Running upgrade  -> 0001

CREATE TABLE runs (
    number BIGINT NOT NULL IDENTITY, 
    id NVARCHAR(64) NOT NULL, 
    workflow NVARCHAR(450) NOT NULL, 
    query NVARCHAR(450) NOT NULL, 
    [function] NVARCHAR(450) NOT NULL, 
    door NVARCHAR(64) NOT NULL, 
    caller NVARCHAR(450) NOT NULL, 
    form NVARCHAR(64) NOT NULL, 
    arguments NVARCHAR(max) NULL, 
    started NVARCHAR(64) NOT NULL, 
    seconds FLOAT NOT NULL, 
    outcome NVARCHAR(64) NOT NULL, 
    status INTEGER NOT NULL, 
    error NVARCHAR(max) NOT NULL, 
    build NVARCHAR(64) NOT NULL, 
    result_bytes BIGINT NOT NULL, 
    log NVARCHAR(max) NOT NULL, 
    PRIMARY KEY (number), 
    UNIQUE (id)
);

GO

INSERT INTO coflows_schema (version_num) OUTPUT inserted.version_num VALUES ('0001');

GO

-- Running upgrade 0001 -> 0002

ALTER TABLE runs ADD kind NVARCHAR(64) NOT NULL DEFAULT 'query';

GO

ALTER TABLE runs ADD owner NVARCHAR(450) NOT NULL DEFAULT '';

GO

CREATE INDEX runs_owner ON runs (owner) WHERE owner <> '';

GO

UPDATE coflows_schema SET version_num='0002' WHERE coflows_schema.version_num = '0001';

GO

-- Running upgrade 0002 -> 0003

CREATE TABLE coflows_access (
    id INTEGER NOT NULL, 
    version INTEGER NOT NULL, 
    PRIMARY KEY (id)
);

GO

CREATE TABLE coflows_users (
    id NVARCHAR(250) NOT NULL, 
    email NVARCHAR(250) NOT NULL, 
    first_name NVARCHAR(250) NOT NULL, 
    last_name NVARCHAR(250) NOT NULL, 
    password NVARCHAR(max) NOT NULL, 
    sessions INTEGER NOT NULL, 
    created NVARCHAR(40) NOT NULL, 
    disabled BIT NOT NULL, 
    PRIMARY KEY (id)
);

GO

CREATE TABLE coflows_groups (
    id NVARCHAR(250) NOT NULL, 
    name NVARCHAR(250) NOT NULL, 
    description NVARCHAR(max) NOT NULL, 
    parent NVARCHAR(250) NOT NULL, 
    PRIMARY KEY (id)
);

GO

CREATE TABLE coflows_members (
    group_id NVARCHAR(250) NOT NULL, 
    user_id NVARCHAR(250) NOT NULL, 
    level INTEGER NOT NULL, 
    expires NVARCHAR(40) NOT NULL, 
    source NVARCHAR(20) NOT NULL, 
    PRIMARY KEY (group_id, user_id)
);

GO

CREATE TABLE coflows_keys (
    id NVARCHAR(32) NOT NULL, 
    user_id NVARCHAR(250) NOT NULL, 
    name NVARCHAR(250) NOT NULL, 
    kind NVARCHAR(20) NOT NULL, 
    salt NVARCHAR(64) NOT NULL, 
    digest NVARCHAR(64) NOT NULL, 
    scopes NVARCHAR(max) NOT NULL, 
    created NVARCHAR(40) NOT NULL, 
    expires NVARCHAR(40) NOT NULL, 
    last_used NVARCHAR(40) NOT NULL, 
    revoked NVARCHAR(40) NOT NULL, 
    PRIMARY KEY (id)
);

GO

CREATE INDEX ix_coflows_keys_user_id ON coflows_keys (user_id);

GO

CREATE TABLE coflows_audit (
    number INTEGER NOT NULL IDENTITY, 
    at NVARCHAR(40) NOT NULL, 
    actor NVARCHAR(250) NOT NULL, 
    address NVARCHAR(64) NOT NULL, 
    action NVARCHAR(64) NOT NULL, 
    target NVARCHAR(800) NOT NULL, 
    detail NVARCHAR(max) NOT NULL, 
    PRIMARY KEY (number)
);

GO

CREATE TABLE coflows_secrets (
    workflow NVARCHAR(250) NOT NULL, 
    name NVARCHAR(128) NOT NULL, 
    value NVARCHAR(max) NOT NULL, 
    changed NVARCHAR(40) NOT NULL, 
    changed_by NVARCHAR(250) NOT NULL, 
    PRIMARY KEY (workflow, name)
);

GO

INSERT INTO coflows_access (id, version) VALUES (1, 1);

GO

INSERT INTO coflows_groups (id, name, description, parent) VALUES ('Public', 'Public', '', '');

GO

INSERT INTO coflows_groups (id, name, description, parent) VALUES ('Administrator', 'Administrator', '', '');

GO

CREATE TRIGGER coflows_audit_guard ON coflows_audit INSTEAD OF UPDATE, DELETE AS THROW 50000, 'the audit is append-only', 1;

GO

UPDATE coflows_schema SET version_num='0003' WHERE coflows_schema.version_num = '0002';

GO

-- Running upgrade 0003 -> 0004

CREATE TABLE m_set (
    number BIGINT NOT NULL IDENTITY, 
    id NVARCHAR(200) NOT NULL, 
    pruned BIGINT NOT NULL, 
    pruned_at VARCHAR(40) NOT NULL, 
    PRIMARY KEY (number), 
    UNIQUE (id)
);

GO

CREATE TABLE m_entry (
    number BIGINT NOT NULL IDENTITY, 
    set_no BIGINT NOT NULL, 
    id NVARCHAR(200) NOT NULL, 
    tag VARCHAR(32) NOT NULL, 
    value NVARCHAR(max) NOT NULL, 
    PRIMARY KEY (number), 
    CONSTRAINT m_entry_id UNIQUE (set_no, id), 
    CONSTRAINT m_entry_tag UNIQUE (set_no, tag)
);

GO

CREATE TABLE m_log (
    seq BIGINT NOT NULL IDENTITY, 
    set_no BIGINT NOT NULL, 
    entry NVARCHAR(200) NOT NULL, 
    op VARCHAR(10) NOT NULL, 
    value NVARCHAR(max) NOT NULL, 
    run NVARCHAR(100) NOT NULL, 
    actor NVARCHAR(200) NOT NULL, 
    at VARCHAR(40) NOT NULL, 
    PRIMARY KEY (seq)
);

GO

CREATE INDEX m_log_set ON m_log (set_no, seq);

GO

CREATE INDEX m_log_entry ON m_log (entry);

GO

UPDATE coflows_schema SET version_num='0004' WHERE coflows_schema.version_num = '0003';

GO

-- Running upgrade 0004 -> 0005

CREATE TABLE agents (
    workflow NVARCHAR(64) NOT NULL, 
    agent_id NVARCHAR(250) NOT NULL, 
    name NVARCHAR(max) NOT NULL, 
    mode NVARCHAR(16) NOT NULL, 
    schedule NVARCHAR(max) NOT NULL, 
    [cursor] BIGINT NOT NULL, 
    next_at BIGINT NOT NULL, 
    changes BIGINT NOT NULL, 
    why NVARCHAR(max) NOT NULL, 
    PRIMARY KEY (workflow, agent_id)
);

GO

CREATE INDEX agents_by_next ON agents (next_at);

GO

CREATE TABLE agent_runs (
    number BIGINT NOT NULL IDENTITY, 
    run_id NVARCHAR(64) NOT NULL, 
    workflow NVARCHAR(64) NOT NULL, 
    agent_id NVARCHAR(250) NOT NULL, 
    [key] NVARCHAR(250) NOT NULL, 
    cause NVARCHAR(16) NOT NULL, 
    [function] NVARCHAR(16) NOT NULL, 
    argument NVARCHAR(max) NOT NULL, 
    fire_at BIGINT NOT NULL, 
    state NVARCHAR(16) NOT NULL, 
    attempt INTEGER NOT NULL, 
    not_before BIGINT NOT NULL, 
    owner NVARCHAR(max) NOT NULL, 
    lease_until BIGINT NOT NULL, 
    started_at BIGINT NOT NULL, 
    ended_at BIGINT NOT NULL, 
    reason NVARCHAR(max) NOT NULL, 
    stop NVARCHAR(max) NOT NULL, 
    PRIMARY KEY (number), 
    UNIQUE (workflow, agent_id, [key]), 
    UNIQUE (run_id)
);

GO

CREATE INDEX agent_runs_by_state ON agent_runs (workflow, state, agent_id, fire_at, not_before);

GO

CREATE INDEX agent_runs_by_time ON agent_runs (workflow, agent_id, fire_at);

GO

UPDATE coflows_schema SET version_num='0005' WHERE coflows_schema.version_num = '0004';

GO

-- Running upgrade 0005 -> 0006

CREATE TABLE coflows_certificates (
    host NVARCHAR(250) NOT NULL, 
    directory NVARCHAR(200) NOT NULL, 
    sealed NVARCHAR(max) NOT NULL, 
    chain NVARCHAR(max) NOT NULL, 
    thumbprint NVARCHAR(64) NOT NULL, 
    version INTEGER NOT NULL, 
    checked BIGINT NOT NULL, 
    failures INTEGER NOT NULL, 
    next_try BIGINT NOT NULL, 
    reason NVARCHAR(max) NOT NULL, 
    owner NVARCHAR(100) NOT NULL, 
    lease_until BIGINT NOT NULL, 
    PRIMARY KEY (host, directory)
);

GO

UPDATE coflows_schema SET version_num='0006' WHERE coflows_schema.version_num = '0005';

GO

-- Running upgrade 0006 -> 0007

CREATE TABLE revisions (
    workflow NVARCHAR(250) NOT NULL, 
    number INTEGER NOT NULL, 
    name NVARCHAR(max) NOT NULL, 
    state NVARCHAR(16) NOT NULL, 
    digest NVARCHAR(64) NOT NULL, 
    folder NVARCHAR(64) NOT NULL, 
    files INTEGER NOT NULL, 
    size BIGINT NOT NULL, 
    [by] NVARCHAR(250) NOT NULL, 
    created BIGINT NOT NULL, 
    lease_until BIGINT NOT NULL, 
    reason NVARCHAR(max) NOT NULL, 
    PRIMARY KEY (workflow, number)
);

GO

CREATE TABLE bundles (
    digest NVARCHAR(64) NOT NULL, 
    piece INTEGER NOT NULL, 
    data VARBINARY(max) NOT NULL, 
    PRIMARY KEY (digest, piece)
);

GO

UPDATE coflows_schema SET version_num='0007' WHERE coflows_schema.version_num = '0006';

GO

COMMIT;

GO
