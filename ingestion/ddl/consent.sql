-- Whose events are counted and not stored, folded from the histories of the products' databases after each load: what
-- the door of a load goes by. Lower bounds are included, upper bounds are not.
create table if not exists ops.consent_refusals (
    product text not null,
    tenant_id uuid not null,
    user_id uuid not null,
    refused tstzmultirange not null,
    primary key (product, tenant_id, user_id)
);

-- Keys of events that were counted and not stored. They keep their place in raw_events.event_keys, so that a record that
-- comes twice counts once and the body that stays is chosen as ever (rule 40); unlike the keys of what was erased, they
-- give way when their file is read again.
create table if not exists raw_events.withheld_keys (
    key uuid primary key
);

-- Loads that hold events of people of whom it turned out that they had consented by then: to be read again.
create table if not exists ops.consent_rereads (
    load_id bigint primary key
);
