with

subscriptions as (

    select * from {{ ref('stg_raw__subscriptions') }}

),

orders as (

    select * from {{ slice_of('int_orders__latest') }}

),

-- A renewal is told from the others by its period, else by its day.
dated as (

    select
        *,
        case
            when change = 'renewed'
                then coalesce(
                    cast(period as {{ dbt.type_string() }}),
                    cast(cast(changed_at as date) as {{ dbt.type_string() }})
                )
        end as renewal_period
    from subscriptions

),

-- The first row of a change counts; test rows are counted apart. The sort goes on so that each run picks the
-- same row.
ranked as (

    select
        *,
        row_number() over (
            partition by subscription_id, is_test, change, renewal_period
            order by
                changed_at asc nulls last, amount desc, currency asc, order_id asc, customer_id asc,
                session_id asc, email asc
        ) as version_number
    from dated

),

subscriptions_latest as (

    select
        ranked.*,
        {{ record_key('ranked.subscription_id', 'ranked.version_number') }} as subscription_key,
        case
            when ranked.is_test then 'test_record'
            when ranked.change = 'cancelled' then 'cancelled'
            when coalesce(ranked.change, '') not in ('trial_started', 'subscribed', 'renewed')
                then 'unknown_change'
            -- Its order is a purchase already.
            when
                ranked.change = 'renewed'
                and orders.order_id is not null
                and '{{ renewal_event_name() }}' = 'Purchase'
                then 'counted_as_order'
        end as no_event_reason
    from ranked
    left join orders on ranked.order_id = orders.order_id and orders.no_event_reason is null
    where ranked.subscription_id is null or ranked.version_number = 1

)

select * from subscriptions_latest
