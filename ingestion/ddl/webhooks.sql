-- Webhook events of Stripe and RevenueCat, one row per event, personal data tokenised.

create schema if not exists raw_stripe;
create schema if not exists raw_revenuecat;

create table if not exists raw_stripe.events (
    event_date date not null,
    account text not null,
    product text not null,
    event_id text not null,
    event_type text not null,
    api_version text,
    livemode boolean not null,
    created_at timestamptz not null,
    received_at timestamptz not null,
    object_id text,
    object_type text,
    customer_id text,
    payload jsonb not null,
    content_hash bytea not null,
    load_id bigint not null
) partition by range (event_date);

create table if not exists raw_stripe.event_keys (like raw_events.event_keys including all);
create table if not exists raw_stripe.event_keys_recent (primary key (key)) inherits (raw_stripe.event_keys);

create table if not exists raw_revenuecat.events (
    event_date date not null,
    project text not null,
    product text not null,
    event_id text not null,
    event_type text not null,
    environment text,
    store text,
    app_user_id text,
    original_app_user_id text,
    aliases jsonb,
    occurred_at timestamptz not null,
    received_at timestamptz not null,
    payload jsonb not null,
    content_hash bytea not null,
    load_id bigint not null
) partition by range (event_date);

create table if not exists raw_revenuecat.event_keys (like raw_events.event_keys including all);
create table if not exists raw_revenuecat.event_keys_recent (primary key (key)) inherits (raw_revenuecat.event_keys);
