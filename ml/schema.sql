-- The registry of models, the log of predictions and of drift. Applied again and again without harm.
create schema if not exists ml;

create table if not exists ml.predictive_models (
    model_id uuid primary key,
    model_type text not null,
    -- What model_type answers with: a chance (binary), an amount (regression, forecast), points (score).
    task text not null default 'binary',
    model_version text not null,
    training_data text not null,
    metrics jsonb not null,
    baseline_metrics jsonb not null,
    -- The warehouse's clock (as_of of the run), so that a repeated run writes the same row.
    trained_at timestamptz not null,
    is_active boolean not null default false,
    is_promoted boolean not null,
    verdict text not null,
    parameters jsonb not null,
    fingerprint text not null unique,
    artefact_digest text not null
);

create unique index if not exists predictive_models_one_active
    on ml.predictive_models (model_type) where is_active;

create table if not exists ml.predictions (
    prediction_id uuid primary key,
    model_id uuid not null references ml.predictive_models (model_id),
    target_entity text not null,
    target_entity_id text not null,
    tenant_id uuid not null,
    as_of_at timestamptz not null,
    prediction_type text not null,
    predicted_value double precision not null,
    confidence_low double precision not null,
    confidence_high double precision not null,
    risk_band text,
    reasons jsonb not null,
    feature_fingerprint text not null,
    prediction_at timestamptz not null,
    actual_outcome double precision,
    outcome_known_at timestamptz,
    check (confidence_low <= predicted_value and predicted_value <= confidence_high),
    check ((actual_outcome is null) = (outcome_known_at is null))
);

create unique index if not exists predictions_natural_key
    on ml.predictions (model_id, tenant_id, target_entity, target_entity_id, as_of_at);

create index if not exists predictions_open_outcomes
    on ml.predictions (prediction_type, as_of_at) where actual_outcome is null;

create table if not exists ml.feature_drift (
    model_id uuid not null references ml.predictive_models (model_id),
    feature_name text not null,
    -- The UTC day of the warehouse's clock; a later measure of the same day takes the place of an earlier one.
    metric_date date not null,
    measured_at timestamptz not null,
    psi double precision not null,
    psi_by_chance double precision not null,
    has_moved boolean not null,
    scored_rows integer not null,
    reference_rows integer not null,
    primary key (model_id, feature_name, metric_date)
);

-- Stores from before there were other tasks than binary. Asked first, because the changes lock.
do $$
begin
    if not exists (
        select from information_schema.columns
        where table_schema = 'ml' and table_name = 'predictive_models' and column_name = 'task'
    ) then
        alter table ml.predictive_models add column task text not null default 'binary';
        alter table ml.predictions drop constraint if exists predictions_predicted_value_check;
        alter table ml.predictions alter column risk_band drop not null;
    end if;
end
$$;
