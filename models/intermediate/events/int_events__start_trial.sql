with

subscriptions as (

    select * from {{ ref('int_subscriptions__latest') }}

),

trials as (

    select
        {{ event_record({'event_name': "'StartTrial'"}, subscription_columns('subscriptions')) }}
    from subscriptions
    where subscriptions.change = 'trial_started' and subscriptions.no_event_reason is null

)

select * from trials
