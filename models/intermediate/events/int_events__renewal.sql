{%- set event_name = renewal_event_name() -%}
with

subscriptions as (

    select * from {{ ref('int_subscriptions__latest') }}

),

-- Under a name that it shares with other events, a renewal's row has a key that no other record can have. As
-- a purchase it has its order's id, so that the order counts no second time when it makes an event itself. No
-- browser tells of it: what a shop repeats is the id of the sign-up.
renewals as (

    select
        {{ event_record(
            subscription_columns('subscriptions'),
            {
                'event_name': "'" ~ event_name ~ "'",
                'browser_event_id': null_of('text'),
                'natural_key': ('coalesce(subscriptions.order_id, ' if event_name == 'Purchase' else '(')
                    ~ "subscriptions.subscription_id || '.' || subscriptions.renewal_period)",
                'row_key': ("'subscriptions-' || " if event_name in standard_events() else '')
                    ~ "subscriptions.subscription_key || '.' || coalesce(subscriptions.renewal_period, '?')",
                'is_value_required': 'true' if event_name == 'Purchase' else 'false',
            }
        ) }}
    from subscriptions
    where subscriptions.change = 'renewed' and subscriptions.no_event_reason is null

)

select * from renewals
