-- What people said of analytics, as intervals: versions of the row in which the source keeps the answer, joined where
-- the answer stayed. A version that was replaced in the instant in which it began never held.
with versions as (

    select * from {{ ref('int_governance__consent_versions') }}

),

answers as (

    select
        product,
        tenant_id,
        subject_id,
        subject_kind,
        version_number,
        case when is_consented then 'given' when not is_consented then 'refused' else 'unknown' end as consent,
        case when replaced_at <= {{ as_of() }} then is_deleted else false end as is_deleted,
        committed_at,
        case when replaced_at <= {{ as_of() }} then replaced_at end as replaced_at
    from versions
    where committed_at <= {{ as_of() }} and (replaced_at is null or replaced_at > committed_at)

),

compared as (

    select
        *,
        case
            when
                lag(consent) over (
                    partition by product, tenant_id, subject_kind, subject_id
                    order by committed_at asc, version_number asc
                ) = consent
                and lag(replaced_at) over (
                    partition by product, tenant_id, subject_kind, subject_id
                    order by committed_at asc, version_number asc
                ) = committed_at
                then 0
            else 1
        end as is_start
    from answers

),

numbered as (

    select
        *,
        sum(is_start) over (
            partition by product, tenant_id, subject_kind, subject_id
            order by committed_at asc, version_number asc
            rows between unbounded preceding and current row
        ) as interval_number
    from compared

),

intervals as (

    select
        product,
        tenant_id,
        subject_id,
        subject_kind,
        interval_number,
        consent,
        min(committed_at) as valid_from,
        max(replaced_at) as replaced_at,
        bool_or(replaced_at is null) as is_current,
        bool_or(is_deleted) as is_deleted
    from numbered
    group by product, tenant_id, subject_id, subject_kind, interval_number, consent

),

final as (

    select
        subject_id,
        tenant_id,

        product,
        subject_kind,
        'analytics' as purpose,
        consent,
        case when is_current then null when is_deleted then 'deletion' else 'change' end as ended_by,

        is_current,

        valid_from,
        case when not is_current then replaced_at end as valid_to
    from intervals

)

select * from final
