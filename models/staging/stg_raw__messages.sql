{{ require_raw_columns('messages') }}

with

texts as (

    select
        {{ raw_texts('messages') }}
    from {{ raw_table('messages') }}

),

messages as (

    select
        ---------- ids
        message_id,
        customer_id,
        order_id,
        page_id,
        page_scoped_user_id,
        whatsapp_business_account_id,
        ctwa_clid,
        instagram_business_account_id,
        ig_sid,

        ---------- states
        {{ standard_event_name('event_name') }} as event_name,
        lower(messaging_channel) as messaging_channel,
        -- A flag that nobody can read is taken as set, as for orders.
        coalesce({{ raw_value('messages', 'is_test') }}, is_test is not null) as is_test,

        ---------- timestamps
        {{ raw_value('messages', 'occurred_at') }} as occurred_at,

        ---------- what it is about
        {{ raw_value('messages', 'value') }} as value,
        upper(currency) as currency,
        product_id,
        {{ raw_value('messages', 'quantity') }} as quantity,
        {{ raw_value('messages', 'unit_price') }} as unit_price,
        content_ids,

        ---------- person
        email,
        phone,
        country_code as country,
        region,

        ---------- audit
        {{ unreadable_columns('messages') }} as unreadable_columns
    from texts

)

select * from messages
