-- The customer that a person told of as a lead became, by what the CRM links or by the same e-mail address or phone
-- number, and when: as a customer was registered or first paid for a booking, whichever came first.
with mentions as (

    select * from {{ ref('int_rental__lead_mentions') }}

),

customers as (

    select * from {{ ref('stg_rentguy__customers') }}

),

invoices as (

    select distinct
        tenant_id,
        invoice_id
    from {{ ref('stg_rentguy__invoice_versions') }}
    where booking_id is not null

),

payments as (

    select * from {{ ref('int_revenue__rental_payments') }}
    where status = 'succeeded'

),

first_payments as (

    select
        payments.tenant_id,
        payments.customer_id,
        min(payments.attempted_at) as paid_at
    from payments
    inner join invoices
        on payments.tenant_id = invoices.tenant_id and payments.invoice_id = invoices.invoice_id
    group by payments.tenant_id, payments.customer_id

),

links as (

    select
        tenant_id,
        person_key,
        customer_id
    from mentions
    where customer_id is not null

    union

    select
        mentions.tenant_id,
        mentions.person_key,
        customers.customer_id
    from mentions
    inner join customers
        on mentions.tenant_id = customers.tenant_id and mentions.registered_lead_id = customers.lead_id

    union

    select
        mentions.tenant_id,
        mentions.person_key,
        customers.customer_id
    from mentions
    inner join customers
        on mentions.tenant_id = customers.tenant_id and mentions.email_token = customers.email_token

    union

    select
        mentions.tenant_id,
        mentions.person_key,
        customers.customer_id
    from mentions
    inner join customers
        on mentions.tenant_id = customers.tenant_id and mentions.phone_token = customers.phone_token

),

won as (

    select
        links.tenant_id,
        links.person_key,
        links.customer_id,
        least(customers.created_at, first_payments.paid_at) as converted_at
    from links
    left join customers
        on links.tenant_id = customers.tenant_id and links.customer_id = customers.customer_id
    left join first_payments
        on links.tenant_id = first_payments.tenant_id and links.customer_id = first_payments.customer_id

),

ranked as (

    select
        *,
        row_number() over (
            partition by tenant_id, person_key order by converted_at, customer_id
        ) as place
    from won
    where converted_at <= {{ as_of() }}

),

final as (

    select
        tenant_id,
        person_key,
        customer_id,

        converted_at
    from ranked
    where place = 1

)

select * from final
