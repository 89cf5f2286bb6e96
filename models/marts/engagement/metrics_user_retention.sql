with

final as (

    {{ retention(cohort='day', periods=[1, 7, 30, 90], cohort_column='signup_date') }}

)

select * from final
