with

messages as (

    select * from {{ ref('int_messages__latest') }}

),

orders as (

    select * from {{ slice_of('int_orders__latest') }}

),

tellings as (

    select * from {{ ref('int_app_events__by_order') }}

),

-- An order that the shop knows is a purchase of its own, and so is one that the app told of.
conversations as (

    select
        {{ event_record(
            {
                'event_name': "coalesce(messages.event_name, 'unnamed')",
                'natural_key': told_key('messages', 'message_id'),
                'row_key': "'messages-' || messages.row_key",
                'event_at': 'messages.occurred_at',
                'action_source': "'business_messaging'",
                'source_hold_reason': messaging_hold_reason('messages'),
                'is_value_required': "coalesce(messages.event_name = 'Purchase', false)",
                'source_table': "'messages'",
                'source_id': 'messages.message_id',
            },
            columns_of('messages', [
                'customer_id', 'email', 'phone', 'region', 'country', 'order_id', 'value', 'currency', 'contents',
                'content_ids', 'content_type', 'num_items', 'messaging_channel', 'page_id', 'page_scoped_user_id',
                'whatsapp_business_account_id', 'ctwa_clid', 'instagram_business_account_id', 'ig_sid',
            ])
        ) }}
    from messages
    left join orders on messages.event_name = 'Purchase' and messages.order_id = orders.order_id
    left join tellings on messages.event_name = 'Purchase' and messages.order_id = tellings.order_id
    where orders.order_id is null and tellings.order_id is null

)

select * from conversations
