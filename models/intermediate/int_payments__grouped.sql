with

payments as (

    select * from {{ ref('stg_raw__payments') }}

),

payments_grouped as (

    select
        order_id,
        max(case when status = 'succeeded' then 1 else 0 end) = 1 as has_succeeded
    from payments
    group by order_id

)

select * from payments_grouped
