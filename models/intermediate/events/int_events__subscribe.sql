with

subscriptions as (

    select * from {{ ref('int_subscriptions__latest') }}

),

beginnings as (

    select
        {{ event_record({'event_name': "'Subscribe'"}, subscription_columns('subscriptions')) }}
    from subscriptions
    where subscriptions.change = 'subscribed' and subscriptions.no_event_reason is null

)

select * from beginnings
