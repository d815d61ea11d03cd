with

refunds as (

    select * from {{ ref('int_refunds__latest') }}

),

refunds_grouped as (

    select
        order_id,
        sum(amount) as refunded_amount
    from refunds
    where no_effect_reason is null
    group by order_id

)

select * from refunds_grouped
