-- Counts the decisions that are nobody's: recorded under a word that names no kind of id.
select
    status,
    count(*) as row_count
from {{ ref('stg_raw__consent') }}
where subject_type is null or subject_type not in ('customer', 'visitor')
group by status
