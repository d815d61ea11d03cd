with

refunds as (

    select * from {{ ref('stg_raw__refunds') }}

),

orders as (

    select * from {{ slice_of('int_orders__latest') }}
    where order_id is not null

),

-- A refund may have been loaded twice; refunds without an id cannot be told apart and all stay.
ranked as (

    select
        *,
        row_number() over (
            partition by refund_id
            order by refunded_at desc nulls last, amount desc, order_id asc, currency asc
        ) as version_number
    from refunds

),

refunds_latest as (

    select
        ranked.*,
        case
            when orders.order_id is null then 'unknown_order'
            -- Larger ones are no amounts, and their sum would not fit.
            when ranked.amount is null or ranked.amount <= 0 or ranked.amount >= 10000000000000
                then 'invalid_amount'
            when ranked.currency <> orders.currency then 'other_currency'
        end as no_effect_reason
    from ranked
    left join orders on ranked.order_id = orders.order_id
    where ranked.refund_id is null or ranked.version_number = 1

)

select * from refunds_latest
