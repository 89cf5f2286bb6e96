{{ config(enabled=target.type == 'postgres', meta={'rules': [70, 71, 73]}) }}
-- depends_on: {{ ref('access_matrix') }}
{{ readable_around_policy() }}
