with

orders as (

    select * from {{ ref('stg_raw__orders') }}

),

-- Few orders come again, so only those are sorted.
repeated as (

    select order_id
    from {{ ref('stg_raw__orders') }}
    group by order_id
    having count(*) > 1

),

marked as (

    select
        orders.*,
        orders.order_id is null or repeated.order_id is not null as is_repeated
    from orders
    left join repeated on orders.order_id = repeated.order_id

),

-- The sort goes on after updated_at so that each run picks the same row, and of two equally new states the
-- one that says less for sending.
ranked as (

    select
        *,
        row_number() over (
            partition by order_id
            order by
                updated_at desc nulls last,
                is_test desc,
                is_cancelled desc,
                is_paid asc,
                financial_status desc,
                created_at desc,
                paid_at desc,
                total asc,
                currency asc,
                customer_id asc,
                session_id asc,
                email asc
        ) as version_number
    from marked
    where is_repeated
    union all
    select
        *,
        1 as version_number
    from marked
    where not is_repeated

),

orders_latest as (

    select
        *,
        -- Orders without an id cannot be told apart by it: each keeps its row, under a made-up key.
        {{ record_key('order_id', 'version_number') }} as order_key,
        case
            when is_test then 'test_order'
            when not is_paid then 'not_paid'
        end as no_event_reason
    from ranked
    where order_id is null or version_number = 1

)

select * from orders_latest
