-- Rules 70, 71 and 73: lists whatever a role of the matrix can read although no policy limits it to what it may see.
-- Rows mean a leak: a layer that is not for BI, a partition, a materialized view, a view that reads with its owner's
-- rights, a table with a tenant but without forced row security, or a table without a tenant that the matrix does not
-- name.
{{ config(enabled=target.type == 'postgres', meta={'rules': [70, 71, 73]}) }}
{{ readable_around_policy() }}
