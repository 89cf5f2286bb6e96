select
    days.tenant_id,
    days.user_id
from {{ ref('int_core__user_days') }} as days
left join {{ ref('dim_user') }} as users on days.tenant_id = users.tenant_id and days.user_id = users.user_id
where users.user_id is null
