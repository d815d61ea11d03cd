-- Names the orders that came more than once: the row with the latest updated_at is used.
select
    order_id,
    count(*) as row_count
from {{ ref('stg_raw__orders') }}
where order_id is not null
group by order_id
having count(*) > 1
