with

messages as (

    select * from {{ ref('stg_raw__messages') }}
    where not is_test

),

-- A row may have been loaded twice. Rows without an id cannot be told apart by it, and all stay.
numbered as (

    select
        *,
        row_number() over (
            partition by message_id
            order by
                occurred_at asc nulls last, event_name asc, messaging_channel asc, customer_id asc, value asc
        ) as version_number
    from messages

),

messages_latest as (

    select
        {{ [
            'message_id', 'customer_id', 'order_id', 'event_name', 'occurred_at', 'messaging_channel', 'page_id',
            'page_scoped_user_id', 'whatsapp_business_account_id', 'ctwa_clid', 'instagram_business_account_id',
            'ig_sid', 'value', 'currency', 'email', 'phone', 'country', 'region',
        ] | join(',\n        ') }},
        {{ record_key('message_id', 'version_number') }} as row_key,
        {{ product_columns("'product'", 'cast(null as bigint)') }}
    from numbered
    where message_id is null or version_number = 1

)

select * from messages_latest
