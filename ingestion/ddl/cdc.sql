-- Change records of the sources' databases. Every change is kept once, in the form its contract
-- gives it; the current state and the history of a table are folded from the changes, so that no
-- order, split or repetition of the files makes a difference. The tables of the fold
-- (<product>__<table>, its _closed versions, its _history) are made from the contracts.

create schema if not exists raw_cdc;

-- position: the commit position as bytes that sort as the source committed; where a record has
-- none (is_placed is false) that of the change before it in the stream and one byte more. stream_file is the
-- file's name in natural order and stream_offset the line, or a partition and the offset in it.
-- after: declared columns, decoded. extra: the others, as they came but for personal data.
-- unavailable: columns the source did not send, whose earlier value stays.
create table if not exists raw_cdc.changes (
    event_date date not null,
    product text not null,
    table_name text not null,
    op text not null,
    key jsonb,
    key_hash uuid not null,
    lsn bigint,
    transaction_id bigint,
    transaction_order bigint,
    position bytea not null,
    is_placed boolean not null,
    stream_file text collate "C" not null,
    stream_offset bigint not null,
    committed_at timestamptz not null,
    received_at timestamptz not null,
    after jsonb not null,
    extra jsonb,
    unavailable text[],
    content_hash bytea not null,
    load_id bigint not null
) partition by range (event_date);

create table if not exists raw_cdc.change_keys (like raw_events.event_keys including all);
create table if not exists raw_cdc.change_keys_recent (primary key (key)) inherits (raw_cdc.change_keys);

-- One row per declared table: by which contract it was folded, and how far.
create table if not exists raw_cdc.folded_tables (
    product text not null,
    table_name text not null,
    fingerprint text not null,
    column_types jsonb not null,
    max_position bytea,
    max_stream_file text collate "C",
    last_unplaced_file text collate "C",
    newest_instant timestamptz,  -- no version begins or ends later
    primary key (product, table_name)
);

-- One row per file and table whose changes it brought: the newest commit position in it, repeated changes
-- too. A file that begins with changes without a position has them up to heads_until; next_position is
-- the first that a change behind them states. In the stream of a partition a file is where it begins.
create table if not exists raw_cdc.stream_files (
    product text not null,
    table_name text not null,
    stream_file text collate "C" not null,
    first_offset bigint not null,
    newest_position bytea,
    heads_until bigint,
    next_position bytea,
    load_id bigint not null,
    primary key (product, table_name, stream_file, first_offset)
);

-- What ends every row of a table at once: a truncate, and for a table without a key a new snapshot.
create table if not exists raw_cdc.resets (
    product text not null,
    table_name text not null,
    position bytea not null,
    stream_file text collate "C" not null,
    stream_offset bigint not null,
    committed_at timestamptz not null,
    load_id bigint not null,
    primary key (product, table_name, position, stream_file, stream_offset)
);
