-- The ledger of erasures. It holds no readable personal data: digests under a key that derives from the master key of
-- personal data, which lies outside of the warehouse.

-- One row per person whose erasure was asked for. It is done when certified_at is set. found is what a search found
-- before anything went, by relation; sealed_ids, needed to go on after an interruption, is emptied in the end.
create table if not exists ops.erasure_requests (
    request_id uuid primary key,
    subject_digest text not null,
    product text not null,
    tenant_id uuid not null,
    subject_kind text not null,
    requested_at timestamptz not null default now(),
    raw_erased_at timestamptz,
    certified_at timestamptz,
    found jsonb,
    removed jsonb,
    landed_files jsonb,
    models_to_retrain jsonb,
    sealed_ids text
);

-- Whom the door knows: digests of all ids that are a person's, within a tenant and, where the record may not tell its
-- tenant, within the product (the nil UUID).
create table if not exists ops.erased_ids (
    id_digest text primary key,
    request_id uuid not null
);

-- One row per certificate: what was removed where, and that a search found nothing any more.
create table if not exists ops.erasure_certificates (
    certificate_id uuid primary key,
    request_id uuid not null,
    issued_at timestamptz not null default now(),
    found jsonb not null,
    removed jsonb not null,
    landed_files jsonb not null,
    models_to_retrain jsonb not null,
    searched_relations bigint not null,
    searched_rows bigint not null,
    searched_lake_files bigint not null,
    ids_searched bigint not null,
    left_over bigint not null check (left_over = 0)
);

-- Records that were counted and not stored, by load: of erased people, of people without consent, older than their
-- limit. They are among the ignored ones of ops.load_manifest; those of which that turned out once they were stored are
-- among the withdrawn ones.
create table if not exists ops.withheld_records (
    load_id bigint not null,
    source_kind text not null,
    source_name text not null,
    reason_code text not null check (reason_code in ('erased', 'no_consent', 'expired')),
    record_count bigint not null,
    primary key (load_id, reason_code)
);
